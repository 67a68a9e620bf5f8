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
        var cells = try Self.cells(keys, scores, context)
        let tested = cells.indices.filter { !context.isControl(cells[$0].modelID, cells[$0].methodID) }
        let againstChance = tested.filter { cells[$0].chanceP != nil }
        for (i, adjusted) in zip(againstChance, MultipleTesting.holm(againstChance.compactMap { cells[$0].chanceP })) {
            cells[i].chanceAdjusted = adjusted
        }
        for control in context.controlKeys(keys) {
            let compared = tested.filter { control.model == context.noneID || control.method == cells[$0].methodID }
            let comparisons = try Self.compare(
                compared.map { (MetricScores.Key(model: cells[$0].modelID, method: cells[$0].methodID), control) }, scores, context)
            let found = zip(compared, comparisons).compactMap { i, entry in
                entry.map { (cell: i, comparison: $0.comparison, p: $0.comparison.primary(images: $0.images).pValue) }
            }
            for (item, adjusted) in zip(found, MultipleTesting.holm(found.map(\.p))) {
                cells[item.cell].controls.append(
                    Cell.ControlComparison(
                        modelID: control.model, methodID: control.method, comparison: item.comparison, pValue: item.p, adjusted: adjusted))
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

    /// The cells of the keys that have a value on any image; those on the same images read the resamples together.
    private static func cells(_ keys: [MetricScores.Key], _ scores: MetricScores, _ context: DatasetContext) throws -> [Cell] {
        let filled = keys.compactMap { key in scores.columns[key].flatMap { $0.samples.isEmpty ? nil : (key: key, column: $0) } }
        var cells = [Cell?](repeating: nil, count: filled.count)
        for places in grouped(filled.map(\.column.samples)) {
            let columns = places.map { filled[$0].column }
            let (clusters, resamples) = try context.clusters(of: columns[0].samples)
            let ratios = try columns.map { try ClusterRatio.mean($0.values, clusters: clusters) }
            let intervals = try resamples.intervals(of: ratios)
            let withChance = places.indices.filter { !columns[$0].chances.isEmpty }
            let comparisons = try ChanceComparison.all(
                withChance.map { i in
                    let column = columns[i]
                    return ChanceComparison.Sample(
                        scores: column.values, chance: column.chances, ceiling: column.ceilings.isEmpty ? nil : column.ceilings)
                }, better: scores.metric.better, clusters: clusters, resamples: resamples)
            let comparisonOf = Dictionary(uniqueKeysWithValues: zip(withChance, comparisons))
            for (i, place) in places.enumerated() {
                cells[place] = cell(
                    filled[place].key, columns[i], scores.metric, ratios[i].value, intervals[i], comparisonOf[i], patients: clusters.count)
            }
        }
        return cells.compactMap { $0 }
    }

    private static func cell(
        _ key: MetricScores.Key, _ column: MetricScores.Column, _ metric: MetricRecord, _ value: Double, _ interval: Interval,
        _ comparison: ChanceComparison?, patients: Int
    ) -> Cell {
        var cell = Cell(
            modelID: key.model, methodID: key.method, metricID: metric.id, images: column.samples.count, patients: patients,
            undefined: column.undefined, flagged: column.flagged, value: value, interval: interval)
        // Clopper and Pearson's interval is of hits; an overlap of 0 on every image is a constant, not a proportion.
        if cell.interval.method == .clopperPearson, !metric.isHit {
            cell.interval = Interval(lower: cell.value, upper: cell.value, level: cell.interval.level, method: .constant)
        }
        guard let comparison else { return cell }
        (cell.chance, cell.ceiling) = (comparison.chance, comparison.ceiling)
        (cell.skill, cell.skillInterval) = (comparison.skill, comparison.skillInterval)
        // A description has a level to look at, and no better or worse.
        guard patients > 1, metric.better != .none else { return cell }
        if let exact = comparison.poissonBinomial, patients == column.samples.count {
            (cell.chanceP, cell.chanceTest) = (exact, "Poisson-binomial")
        } else {
            (cell.chanceP, cell.chanceTest) = (comparison.signFlip.pValue, "sign flip")
        }
        return cell
    }

    /// The places of equal lists of images, each group in order, by first appearance.
    static func grouped(_ lists: [[Int]]) -> [[Int]] {
        var groups: [[Int]] = []
        for (place, list) in lists.enumerated() {
            if let at = groups.firstIndex(where: { lists[$0[0]] == list }) { groups[at].append(place) } else { groups.append([place]) }
        }
        return groups
    }

    /// Pairs of cells on the images that both have; nil where there is none, or one patient only.
    private static func compare(
        _ pairs: [(MetricScores.Key, MetricScores.Key)], _ scores: MetricScores, _ context: DatasetContext
    ) throws -> [(comparison: PairedComparison, images: Int)?] {
        let common = pairs.map { scores.common([$0.0, $0.1]) }
        var result = [(comparison: PairedComparison, images: Int)?](repeating: nil, count: pairs.count)
        for places in grouped(common.map(\.samples)) {
            let samples = common[places[0]].samples
            guard !samples.isEmpty else { continue }
            let (clusters, resamples) = try context.clusters(of: samples)
            guard clusters.count > 1 else { continue }
            let found = try PairedComparison.all(
                places.map { (first: common[$0].values[0], second: common[$0].values[1]) }, clusters: clusters, resamples: resamples)
            for (place, comparison) in zip(places, found) { result[place] = (comparison, samples.count) }
        }
        return result
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
        let candidates = keys.enumerated().flatMap { i, a in
            keys[(i + 1)...].filter { a.model == $0.model || a.method == $0.method }.map { (a, $0) }
        }
        var pairs = zip(candidates, try compare(candidates, scores, context)).compactMap { keys, found -> Pair? in
            guard let (comparison, images) = found else { return nil }
            let (p, test) = comparison.primary(images: images)
            return Pair(
                metricID: scores.metric.id, firstModel: keys.0.model, firstMethod: keys.0.method, secondModel: keys.1.model,
                secondMethod: keys.1.method, images: images, comparison: comparison, pValue: p, test: test, adjusted: p)
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
