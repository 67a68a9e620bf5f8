import VitrineEvaluate

/// Whether a metric that asks the network ranks methods as the planted truth does.
///
/// On each task methods are ranked by the metric's mean over the audited images and by the localisation of the proven cause on the same
/// images; the figure is Spearman's correlation of the two, mean over tasks. Controls are left out: a metric that tells a method from
/// noise has not yet told one method from another. 95 % interval: BCa, the images of each task resampled. A metric whose interval does
/// not lie above 0 does not beat chance. In the spirit of MetaQuantus (Hedström et al. 2023, https://arxiv.org/abs/2302.07265), with
/// planted truth in the place of consistency.
public struct MetricTrust: Sendable, Equatable, Codable {
    public var name: String
    public var family: String
    public var better: String
    /// Tasks on which it ranks at least three methods.
    public var tasks: Int
    /// Methods ranked, over all tasks.
    public var methods: Int
    /// Absent where no task could be ranked.
    public var correlation: Double?
    public var lower: Double?
    public var upper: Double?
    /// By task.
    public var byTask: [String: Double] = [:]

    public var beatsChance: Bool { lower.map { $0 > 0 } ?? false }

    /// Methods with a value on this share of the images are ranked.
    static let leastDefined = 0.5

    init(_ name: String, _ tasks: [TrustResult.Task], _ settings: TrustSettings, workers: Int) throws {
        let metric = try MetricRegistry.metric(name, protocol: .corrected)
        let identifier = metric.identifier
        self.name = identifier
        family = MetricRegistry.facts(name).map { $0.family.rawValue } ?? ""
        better = metric.better.rawValue
        let sign = metric.better.sign ?? 1
        var estimates: [Double] = []
        var replicates: [[Double]] = []
        var jackknives: [[Double]] = []
        methods = 0
        for (t, task) in tasks.enumerated() {
            let records = task.records.prefix(settings.audited)
            guard records.count >= 2 else { continue }
            var truths: [ClusterRatio] = []
            var values: [ClusterRatio] = []
            for method in task.methods where !method.isControl {
                let own = records.map { $0.metrics[method.name]?[identifier] ?? nil }
                let defined = own.count { $0 != nil }
                guard Double(defined) >= Self.leastDefined * Double(records.count) else { continue }
                let scores = records.map { $0.scores[method.name]?[TrustMeasure.localisation] }
                truths.append(
                    try ClusterRatio(
                        numerators: scores.map { $0.map { $0.value - $0.chance } ?? 0 },
                        denominators: scores.map { $0.map { ($0.ceiling ?? 1) - $0.chance } ?? 0 }))
                values.append(
                    try ClusterRatio(numerators: own.map { sign * ($0 ?? 0) }, denominators: own.map { $0 == nil ? 0 : 1 }))
            }
            guard truths.count >= 3, let estimate = Self.spearman(truths.map(\.value), values.map(\.value)) else { continue }
            let resamples = try ClusterResamples(
                clusters: records.count, count: 2000, seed: settings.seed &+ UInt64(t), workers: workers, name: "metric trust")
            let drawn = try resamples.replicates(of: truths + values)
            let n = truths.count
            func correlations(_ columns: [[Double]]) -> [Double] {
                columns[0].indices.map { r in
                    Self.spearman((0..<n).map { columns[$0][r] }, (0..<n).map { columns[n + $0][r] }) ?? .nan
                }
            }
            estimates.append(estimate)
            byTask[task.name] = estimate
            replicates.append(correlations(drawn))
            jackknives.append(correlations((truths + values).map(\.leaveOneOut)))
            methods += n
        }
        self.tasks = estimates.count
        guard !estimates.isEmpty else { return }
        let value = mean(estimates)
        correlation = value
        // A task whose ranks are undefined in a resample leaves that resample to the others.
        func meanOfDefined(_ values: [Double]) -> Double {
            let defined = values.filter(\.isFinite)
            return defined.isEmpty ? .nan : mean(defined)
        }
        let pooled = replicates[0].indices.map { r in meanOfDefined(replicates.map { $0[r] }) }
        let left = jackknives.enumerated().flatMap { t, own in
            own.map { one in meanOfDefined(estimates.indices.map { $0 == t ? one : estimates[$0] }) }
        }
        let interval = try BCaInterval.interval(estimate: value, replicates: pooled, leaveOneOut: left)
        (lower, upper) = (interval.lower.isFinite ? interval.lower : nil, interval.upper.isFinite ? interval.upper : nil)
    }

    /// Spearman's correlation; over pairs that are both finite, nil where there are fewer than three or a side is constant.
    static func spearman(_ a: [Double], _ b: [Double]) -> Double? {
        let pairs = zip(a, b).filter { $0.isFinite && $1.isFinite }
        guard pairs.count >= 3 else { return nil }
        let (x, y) = (midRanks(pairs.map(\.0)).ranks, midRanks(pairs.map(\.1)).ranks)
        let (mx, my) = (mean(x), mean(y))
        var (xy, xx, yy) = (0.0, 0.0, 0.0)
        for (u, v) in zip(x, y) {
            xy += (u - mx) * (v - my)
            xx += (u - mx) * (u - mx)
            yy += (v - my) * (v - my)
        }
        return xx > 0 && yy > 0 ? xy / (xx * yy).squareRoot() : nil
    }
}
