import VitrineEvaluate
import VitrineStore

extension MetricRecord {
    /// Which way the metric is better; a metric that this version does not know is taken as the metrics of the first studies were.
    var better: Direction { MetricRegistry.facts(name)?.better ?? .higher }
    /// Each score is 0 or 1.
    var isHit: Bool { MetricRegistry.facts(name)?.isHit ?? false }
}
