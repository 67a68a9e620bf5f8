import VitrineEvaluate
import VitrineStore

/// The curves of a metric under one model: the mean over images of every method, and of random orders with its interval.
///
/// Only metrics whose chance level comes from random maps have the latter.
public struct CurveAnalysis: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        public var methodID: Int
        public var images: Int
        /// Mean over images, from the first point to the last.
        public var values: [Double]
    }

    /// Metrics whose points stand at equal shares of the patches, from none to all; the points of others mean something else.
    static let metrics: Set<Substring> = ["deletion", "insertion", "selectivity"]

    public var modelID: Int
    public var metricID: Int
    public var lines: [Line]
    /// Of random orders: the mean of every image's mean, over images.
    public var random: [Double]
    /// Of `random`, point by point, over patients.
    public var intervals: [Interval]

    /// Nil where no method has curves beside those of random maps, on one image at least and all with the same points.
    init?(_ metric: MetricRecord, model: ModelRecord, store: Store, context: DatasetContext) throws {
        guard Self.metrics.contains(metric.name.prefix { $0 != ":" }) else { return nil }
        (modelID, metricID, lines, random, intervals) = (model.id, metric.id, [], [], [])
        // Random orders depend on image and model alone: every method has the same.
        var chances: [Int: [Float]] = [:]
        for method in context.methods where !method.isControl {
            let curves = try store.curves(model: model.id, method: method.id, metric: metric.id)
            guard let points = curves.first?.own.count, curves.allSatisfy({ $0.own.count == points }) else { continue }
            for (sample, _, chance) in curves {
                if let chance, chance.count == points, let position = context.positions[sample] { chances[position] = chance }
            }
            let values = (0..<points).map { point in curves.reduce(0) { $0 + Double($1.own[point]) } / Double(curves.count) }
            lines.append(Line(methodID: method.id, images: curves.count, values: values))
        }
        let points = lines.first?.values.count ?? 0
        guard points > 1, lines.allSatisfy({ $0.values.count == points }), !chances.isEmpty,
            chances.values.allSatisfy({ $0.count == points })
        else { return nil }
        let positions = chances.keys.sorted()
        let (clusters, resamples) = try context.clusters(of: positions)
        for point in 0..<points {
            let values = positions.map { Double(chances[$0]?[point] ?? 0) }
            let ratio = try ClusterRatio.mean(values, clusters: clusters)
            random.append(ratio.value)
            // Where nearly all images answer the same, the studentised interval of an answer without bounds has none either.
            let isProbability = !metric.name.contains("value=logit")
            intervals.append(
                isProbability
                    ? try StudentisedBootstrap(ratio, resamples: resamples).interval(within: 0...1) : try resamples.interval(of: ratio))
        }
    }
}
