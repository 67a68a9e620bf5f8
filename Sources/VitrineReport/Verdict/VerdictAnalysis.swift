import VitrineEvaluate
import VitrineStore

/// The verdicts of one data set, before their p-values are adjusted together with those of the others.
struct VerdictAnalysis {
    private let scores: VerdictScores
    private let context: DatasetContext

    init(_ scores: VerdictScores) {
        self.scores = scores
        context = scores.context
    }

    /// A verdict per trained model and method, the methods of a model side by side.
    func verdicts() throws -> [MethodVerdict] {
        try context.models.filter { $0.kind == .checkpoint || $0.kind == .trained }.flatMap { model in
            try context.methods.filter { !$0.isControl }.map { method in
                let key = MetricScores.Key(model: model.id, method: method.id)
                return MethodVerdict(
                    datasetID: context.dataset.id, modelID: model.id, methodID: method.id,
                    verdicts: try VerdictQuestion.allCases.map { try verdict($0, key) })
            }
        }
    }

    private func verdict(_ question: VerdictQuestion, _ key: MetricScores.Key) throws -> Verdict {
        switch question {
        case .lesion: return try lesion(key)
        case .used: return try used(key)
        case .seeds: return try correlation(question, "rank correlation", scores.seeds[key], key)
        case .stable where scores.byIdentifier["quantisation-stability"] == nil:
            return try correlation(question, "rank correlation (stability)", scores.stabilities[key], key)
        case .weights, .classes, .stable:
            guard let found = scores.byIdentifier[question.metrics[0]] else { return .notMeasured(question) }
            return try correlation(question, found.metric.name, found.columns[key], key, in: found.metric)
        }
    }

    // MARK: Questions

    /// Above chance and above the centre control, both.
    private func lesion(_ key: MetricScores.Key) throws -> Verdict {
        guard let found = scores.localisation else {
            let without =
                "\(context.dataset.name) has no masks; with those of an expert, average-precision and the control centre answer it"
            return .notMeasured(.lesion, scores.hasMasks ? nil : without)
        }
        let title = "\(found.metric.name) (\(found.metric.protocolName))"
        guard let column = found.columns[key] else { return .notMeasured(.lesion, "no image is scored yet") }
        guard !column.samples.isEmpty else { return try undefined(.lesion, key, found.metric, column) }
        guard !column.chances.isEmpty else { return .notMeasured(.lesion, "\(title) has no level of chance here") }
        let centre = context.centreID.flatMap { found.columns[.init(model: context.noneID, method: $0)] }
        guard let centre else { return .notMeasured(.lesion, "add centre to methods: without it, a blob at the centre may score as much") }
        let sign = found.metric.better.sign ?? 1
        let pair = column.paired(with: centre)
        guard !pair.samples.isEmpty else { return .notMeasured(.lesion, "the centre control is not scored yet") }
        let overChance = zip(column.values, column.chances).map { sign * ($0 - $1) }
        let overCentre = zip(pair.own, pair.other).map { sign * ($0 - $1) }
        let criteria = [
            try chanceCriterion(column, excess: overChance, isHit: found.metric.isHit),
            try criterion(pair.samples, overCentre, isHit: found.metric.isHit),
        ]
        let measure = try measure(
            title, column, bars: [.init(name: "chance", value: mean(column.chances)), .init(name: "centre", value: mean(pair.other))],
            range: found.metric.isShare ? 0...1 : nil, isHit: found.metric.isHit)
        return Verdict(.lesion, measures: [measure], test: BarTest(criteria))
    }

    /// Both curves better than in a random order.
    private func used(_ key: MetricScores.Key) throws -> Verdict {
        var (criteria, measures): ([BarTest.Criterion], [Verdict.Measure]) = ([], [])
        for identifier in VerdictQuestion.used.metrics {
            guard let found = scores.byIdentifier[identifier] else { return .notMeasured(.used) }
            guard let column = found.columns[key] else { return .notMeasured(.used, "no image is scored yet") }
            guard !column.samples.isEmpty else { return try undefined(.used, key, found.metric, column) }
            guard !column.chances.isEmpty else { return .notMeasured(.used, "\(found.metric.name) has no random order to compare with") }
            let sign = found.metric.better.sign ?? 1
            criteria.append(try criterion(column.samples, zip(column.values, column.chances).map { sign * ($0 - $1) }))
            // The area under a probability is one.
            let range: ClosedRange<Double>? = found.metric.name.contains("value=logit") ? nil : 0...1
            measures.append(
                try measure(found.metric.name, column, bars: [.init(name: "random order", value: mean(column.chances))], range: range))
        }
        return Verdict(.used, measures: measures, test: BarTest(criteria))
    }

    /// A rank correlation against the constant of its question.
    private func correlation(
        _ question: VerdictQuestion, _ title: String, _ column: MetricScores.Column?, _ key: MetricScores.Key,
        in metric: MetricRecord? = nil
    ) throws -> Verdict {
        guard let constant = question.constant, let sign = constant.better.sign else { return .notMeasured(question) }
        guard let column else { return .notMeasured(question, metric == nil ? nil : "no image is scored yet") }
        guard !column.samples.isEmpty else { return try undefined(question, key, metric, column) }
        let measure = try measure(title, column, bars: [.init(name: "bar", value: constant.bar)], range: constant.range)
        let test = BarTest([try criterion(column.samples, column.values.map { sign * ($0 - constant.bar) })])
        return Verdict(question, measures: [measure], test: test)
    }

    // MARK: Parts

    private func measure(
        _ title: String, _ column: MetricScores.Column, bars: [Verdict.Bar], range: ClosedRange<Double>? = nil, isHit: Bool = false
    ) throws -> Verdict.Measure {
        let (clusters, resamples) = try context.clusters(of: column.samples)
        let ratio = try ClusterRatio.mean(column.values, clusters: clusters)
        var interval = try StudentisedBootstrap(ratio, resamples: resamples).interval(within: range)
        // Hits of independent images are a proportion.
        if isHit, ratio.isProportion, clusters.count == column.samples.count {
            interval = try ProportionInterval.wilson(successes: column.values.count { $0 == 1 }, trials: column.values.count)
        }
        return Verdict.Measure(
            metric: title, value: ratio.value, interval: interval, bars: bars, images: column.samples.count, patients: clusters.count,
            undefined: column.undefined)
    }

    /// - Parameter isHit: the excess is the difference of two hits or misses.
    private func criterion(_ samples: [Int], _ excess: [Double], isHit: Bool = false) throws -> BarTest.Criterion {
        let (clusters, resamples) = try context.clusters(of: samples)
        return try BarTest.Criterion(
            excess, clusters: clusters, resamples: resamples,
            isExchangeable: isHit && clusters.count == samples.count && excess.allSatisfy { [-1, 0, 1].contains($0) })
    }

    /// Hits of independent images have an exact distribution under chance; the excess of a rare hit is too skewed for anything else.
    private func chanceCriterion(_ column: MetricScores.Column, excess: [Double], isHit: Bool) throws -> BarTest.Criterion {
        let plain = try criterion(column.samples, excess)
        guard isHit, plain.patients == column.samples.count, column.values.allSatisfy({ $0 == 0 || $0 == 1 }),
            column.chances.allSatisfy({ $0 >= 0 && $0 <= 1 })
        else { return plain }
        let hits = column.values.count { $0 == 1 }
        let exact = try PoissonBinomial(column.chances)
        return BarTest.Criterion(
            excess: plain.excess, interval: plain.interval, above: exact.atLeast(hits), below: exact.atMost(hits), patients: plain.patients)
    }

    /// The metric was asked for and has no value on any image: nothing is shown, and the commonest reason is said.
    private func undefined(
        _ question: VerdictQuestion, _ key: MetricScores.Key, _ metric: MetricRecord?, _ column: MetricScores.Column
    ) throws -> Verdict {
        var reasons: [String: Int] = [:]
        if let metric {
            let stored = try scores.store.scores(model: key.model, method: key.method, metric: metric.id)
            for (reason, status) in zip(stored.reasons, stored.statuses) { reasons[reason ?? status, default: 0] += 1 }
        }
        let commonest = reasons.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        let images = column.undefined == 1 ? "its one image" : "all \(column.undefined) images"
        return Verdict(question, .notShown, note: "undefined on \(images)" + (commonest.map { ": \($0)" } ?? ""))
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}

extension [MethodVerdict] {
    /// Holm's adjustment over every test of the page.
    mutating func decide(level: Double) {
        let places = indices.flatMap { i in self[i].verdicts.indices.filter { self[i].verdicts[$0].test != nil }.map { (i, $0) } }
        let adjusted = MultipleTesting.holm(places.map { self[$0.0].verdicts[$0.1].test?.pValue ?? 1 })
        for (place, p) in zip(places, adjusted) {
            self[place.0].verdicts[place.1].decide(adjusted: p, tests: places.count, level: level)
        }
    }

    /// How many tests were adjusted together.
    var tests: Int { reduce(0) { $0 + $1.verdicts.count { $0.test != nil } } }
}
