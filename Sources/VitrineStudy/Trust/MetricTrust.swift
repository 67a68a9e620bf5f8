import VitrineEvaluate

/// Whether a metric that asks the network ranks methods as the planted truth does.
///
/// On each task methods are ranked by the metric's mean over the audited images and by the localisation of the proven cause on the same
/// images; the figure is Spearman's correlation of the two, mean over tasks. Controls are left out: a metric that tells a method from
/// noise has not yet told one method from another. 95 % interval: Student's t over tasks, each of which has a network and images of its
/// own, cut to -1...1; from three tasks on. Resampling images instead fails: in a resample of few images both ranks are noisier than in
/// the estimate, so that nearly all replicates lie on one side of it. A metric whose interval does not lie above 0 does not beat chance.
/// In the spirit of MetaQuantus (Hedström et al. 2023, https://arxiv.org/abs/2302.07265), with planted truth in the place of consistency.
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
    /// Absent below `leastTasks`.
    public var lower: Double?
    public var upper: Double?
    /// By task.
    public var byTask: [String: Double] = [:]

    public var beatsChance: Bool { lower.map { $0 > 0 } ?? false }

    /// Methods with a value on this share of the images are ranked.
    static let leastDefined = 0.5
    /// Tasks of which an interval is made.
    static let leastTasks = 3

    init(_ name: String, _ tasks: [TrustResult.Task], _ settings: TrustSettings) throws {
        let metric = try MetricRegistry.metric(name, protocol: .corrected)
        let identifier = metric.identifier
        self.name = identifier
        family = MetricRegistry.facts(name).map { $0.family.rawValue } ?? ""
        better = metric.better.rawValue
        let sign = metric.better.sign ?? 1
        var estimates: [Double] = []
        methods = 0
        for task in tasks {
            let records = task.records.prefix(settings.audited)
            guard records.count >= 2 else { continue }
            var truths: [Double] = []
            var values: [Double] = []
            for method in task.methods where !method.isControl {
                let own = records.compactMap { $0.metrics[method.name]?[identifier] ?? nil }
                guard Double(own.count) >= Self.leastDefined * Double(records.count) else { continue }
                let scores = records.compactMap { $0.scores[method.name]?[TrustMeasure.localisation] }
                let room = scores.reduce(0) { $0 + ($1.ceiling ?? 1) - $1.chance }
                truths.append(scores.reduce(0) { $0 + $1.value - $1.chance } / room)
                values.append(sign * mean(own))
            }
            guard truths.count >= 3, let estimate = Self.spearman(truths, values) else { continue }
            estimates.append(estimate)
            byTask[task.name] = estimate
            methods += truths.count
        }
        self.tasks = estimates.count
        guard !estimates.isEmpty else { return }
        correlation = mean(estimates)
        if let interval = Self.interval(estimates) { (lower, upper) = (interval.lower, interval.upper) }
    }

    /// Student's, of the mean of the tasks' correlations.
    static func interval(_ correlations: [Double]) -> (lower: Double, upper: Double)? {
        let n = correlations.count
        guard n >= leastTasks else { return nil }
        let centre = mean(correlations)
        let variance = correlations.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(n - 1)
        let reach = StudentT(degreesOfFreedom: Double(n - 1)).quantile(0.975) * (variance / Double(n)).squareRoot()
        return (max(centre - reach, -1), min(centre + reach, 1))
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
