import VitrineEvaluate
import VitrineStore

/// All cells of one data set under one metric and protocol, compared with chance, controls and each other.
public struct MetricAnalysis: Sendable, Equatable {
    /// Mean ranks of the methods of one model, and of the centre prior, over patients.
    public struct Ranking: Sendable, Equatable {
        public var modelID: Int
        /// Methods in the order of the study; the centre prior among them where it was run.
        public var methodIDs: [Int]
        public var friedman: Friedman
        public var criticalDifference: CriticalDifference
    }

    public var metric: MetricRecord
    /// Controls first, then model by model, methods in the order of the study.
    public var cells: [Cell]
    public var pairs: [Pair]
    public var rankings: [Ranking]
    /// Of the test that decides whether a map localises; nil where nothing is tested.
    public var power: TestPower?

    public func cell(model: Int, method: Int) -> Cell? { cells.first { $0.modelID == model && $0.methodID == method } }

    init(_ scores: MetricScores, context: DatasetContext) throws {
        metric = scores.metric
        let keys = scores.columns.keys.sorted()
        var cells: [Cell] = []
        for key in keys {
            guard let cell = try Self.cell(key, scores, context) else { continue }
            cells.append(cell)
        }
        let tested = cells.indices.filter { !context.isControl(cells[$0].modelID, cells[$0].methodID) }
        let againstChance = tested.filter { cells[$0].chanceP != nil }
        for (i, adjusted) in zip(againstChance, MultipleTesting.holm(againstChance.compactMap { cells[$0].chanceP })) {
            cells[i].chanceAdjusted = adjusted
        }
        for control in context.controlKeys(keys) {
            var found: [(cell: Int, comparison: Cell.ControlComparison)] = []
            for i in tested where control.model == context.noneID || control.method == cells[i].methodID {
                let key = MetricScores.Key(model: cells[i].modelID, method: cells[i].methodID)
                guard let (comparison, images) = try Self.compare(key, control, scores, context) else { continue }
                let p = comparison.primary(images: images).pValue
                found.append(
                    (
                        i,
                        Cell.ControlComparison(
                            modelID: control.model, methodID: control.method, comparison: comparison, pValue: p, adjusted: p)
                    ))
            }
            for (item, adjusted) in zip(found, MultipleTesting.holm(found.map(\.comparison.pValue))) {
                var comparison = item.comparison
                comparison.adjusted = adjusted
                cells[item.cell].controls.append(comparison)
            }
        }
        let centred = tested.count { i in context.centreID.flatMap { cells[i].against(method: $0) } != nil }
        for i in tested {
            cells[i].verdict = Self.verdict(
                cells[i], metric.better, centre: context.centreID, tests: (chance: againstChance.count, centre: centred))
        }
        let patients = againstChance.map { cells[$0].patients }.max()
        power = patients.map { Self.power($0, tests: centred > 0 ? centred : againstChance.count, isTwoSided: centred > 0) }
        self.cells = cells
        pairs = try Self.pairs(scores, context)
        rankings = try context.models.filter { $0.kind != .none }.compactMap { try Self.ranking($0.id, scores, context) }
    }

    private static func cell(_ key: MetricScores.Key, _ scores: MetricScores, _ context: DatasetContext) throws -> Cell? {
        guard let column = scores.columns[key], !column.samples.isEmpty else { return nil }
        let (clusters, resamples) = try context.clusters(of: column.samples)
        var cell = Cell(
            modelID: key.model, methodID: key.method, metricID: scores.metric.id, images: column.samples.count, patients: clusters.count,
            undefined: column.undefined, flagged: column.flagged, value: 0,
            interval: Interval(lower: 0, upper: 0, level: 0.95, method: .undefined))
        let ratio = try ClusterRatio.mean(column.values, clusters: clusters)
        cell.value = ratio.value
        cell.interval = try resamples.interval(of: ratio)
        // Clopper and Pearson's interval is of hits; an overlap of 0 on every image is a constant, not a proportion.
        if cell.interval.method == .clopperPearson, !scores.metric.isHit {
            cell.interval = Interval(lower: cell.value, upper: cell.value, level: cell.interval.level, method: .constant)
        }
        guard !column.chances.isEmpty else { return cell }
        let better = scores.metric.better
        let comparison = try ChanceComparison(
            scores: column.values, chance: column.chances, ceiling: column.ceilings.isEmpty ? nil : column.ceilings, better: better,
            clusters: clusters, resamples: resamples)
        (cell.chance, cell.ceiling) = (comparison.chance, comparison.ceiling)
        (cell.skill, cell.skillInterval) = (comparison.skill, comparison.skillInterval)
        // A description has a level to look at, and no better or worse.
        guard clusters.count > 1, better != .none else { return cell }
        if let exact = comparison.poissonBinomial, clusters.count == column.samples.count {
            (cell.chanceP, cell.chanceTest) = (exact, "Poisson-binomial")
        } else {
            (cell.chanceP, cell.chanceTest) = (comparison.signFlip.pValue, "sign flip")
        }
        return cell
    }

    private static func compare(
        _ first: MetricScores.Key, _ second: MetricScores.Key, _ scores: MetricScores, _ context: DatasetContext
    ) throws -> (PairedComparison, images: Int)? {
        let (samples, values) = scores.common([first, second])
        guard !samples.isEmpty else { return nil }
        let (clusters, resamples) = try context.clusters(of: samples)
        guard clusters.count > 1 else { return nil }
        return (try PairedComparison(values[0], values[1], clusters: clusters, resamples: resamples), samples.count)
    }

    private static func power(_ patients: Int, tests: Int, isTwoSided: Bool) -> TestPower {
        TestPower(units: patients, tests: tests, isTwoSided: isTwoSided, level: StudyAnalysis.alpha)
    }

    private static func verdict(
        _ cell: Cell, _ better: Direction, centre: Int?, tests: (chance: Int, centre: Int)
    ) -> Cell.Verdict {
        guard let chance = cell.chance, let adjusted = cell.chanceAdjusted else { return .untested }
        guard adjusted < StudyAnalysis.alpha, better.isBetter(cell.value, than: chance) else {
            // The Poisson-binomial tail knows smaller values than signs do.
            let canTell = cell.chanceTest != "sign flip" || power(cell.patients, tests: tests.chance, isTwoSided: false).canTell
            return canTell ? .notAboveChance : .noPower
        }
        guard let centre, let against = cell.against(method: centre) else { return .noCentre }
        if against.isShownBetter(better) { return .localises }
        return power(against.comparison.patients, tests: tests.centre, isTwoSided: true).canTell ? .chanceOnly : .noPower
    }

    /// All pairs of methods under a model, and of models under a method: one family.
    private static func pairs(_ scores: MetricScores, _ context: DatasetContext) throws -> [Pair] {
        let keys = scores.columns.keys.sorted().filter { !context.isControl($0.model, $0.method) }
        var pairs: [Pair] = []
        for (i, a) in keys.enumerated() {
            for b in keys[(i + 1)...] where a.model == b.model || a.method == b.method {
                guard let (comparison, images) = try compare(a, b, scores, context) else { continue }
                let (p, test) = comparison.primary(images: images)
                pairs.append(
                    Pair(
                        metricID: scores.metric.id, firstModel: a.model, firstMethod: a.method, secondModel: b.model,
                        secondMethod: b.method, images: images, comparison: comparison, pValue: p, test: test, adjusted: p))
            }
        }
        for (i, adjusted) in MultipleTesting.holm(pairs.map(\.pValue)).enumerated() { pairs[i].adjusted = adjusted }
        return pairs
    }

    private static func ranking(_ model: Int, _ scores: MetricScores, _ context: DatasetContext) throws -> Ranking? {
        // A method without a value on any image has no rank.
        func hasValues(_ key: MetricScores.Key) -> Bool { !(scores.columns[key]?.samples.isEmpty ?? true) }
        var keys = scores.columns.keys.sorted().filter { $0.model == model && hasValues($0) }
        guard keys.count >= 2, let sign = scores.metric.better.sign else { return nil }
        if let centre = context.centreID, hasValues(MetricScores.Key(model: context.noneID, method: centre)) {
            keys.append(MetricScores.Key(model: context.noneID, method: centre))
        }
        let (samples, values) = scores.common(keys)
        guard !samples.isEmpty else { return nil }
        let (clusters, _) = try context.clusters(of: samples)
        guard clusters.count >= 2 else { return nil }
        let sizes = clusters.sizes.map(Double.init)
        let means = values.map { zip(clusters.sums($0), sizes).map { sign * ($0 / $1) } }
        let friedman = try Friedman(sizes.indices.map { patient in means.map { $0[patient] } })
        return Ranking(
            modelID: model, methodIDs: keys.map(\.method), friedman: friedman, criticalDifference: try CriticalDifference(friedman))
    }
}
