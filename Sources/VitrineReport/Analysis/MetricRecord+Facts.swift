import VitrineEvaluate
import VitrineStore

extension MetricRecord {
    /// Which way the metric is better; a metric that this version does not know is taken as the metrics of the first studies were.
    var better: Direction { MetricRegistry.facts(name)?.better ?? .higher }
    /// Each score is 0 or 1.
    var isHit: Bool { MetricRegistry.facts(name)?.isHit ?? false }
    /// The identifier without number and options.
    var stem: String { String(name.prefix { $0 != ":" && $0 != "@" }) }
    /// It compares a map with a mask, and one end of it is better.
    var isLocalisation: Bool { MetricRegistry.facts(name).map { $0.family == .localisation && $0.better != .none } ?? false }
    /// Every value lies from 0 to 1: so it is for all that compare a map with a mask, but for mass with a sign.
    var isShare: Bool { isLocalisation && stem != "mass-accuracy" }
}
