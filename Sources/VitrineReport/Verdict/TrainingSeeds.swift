import VitrineImage
import VitrineStore

/// How alike the maps of models are that differ in the seed of their training alone: Spearman's correlation on the native grid, mean over
/// the other models.
///
/// Models belong together whose names are equal but for the number at their end: `sup-seed1` and `sup-seed2`. The training runs are taken
/// as they are: with few of them the interval says nothing about further runs.
struct TrainingSeeds {
    private(set) var columns: [MetricScores.Key: MetricScores.Column] = [:]

    /// Correlations are taken of at most this many images: the first of the plan.
    static let limit = 500

    init(_ context: DatasetContext, store: Store) throws(StoreError) {
        var groups: [String: [ModelRecord]] = [:]
        for model in context.models where model.kind == .checkpoint || model.kind == .trained {
            if let stem = Self.stem(model.name) { groups[stem, default: []].append(model) }
        }
        let samples = context.samples.filter { $0.role == .score }.prefix(Self.limit)
        for models in groups.values where models.count > 1 {
            for method in context.methods where !method.isControl {
                for sample in samples {
                    guard let position = context.positions[sample.id] else { continue }
                    let maps = try models.map { model throws(StoreError) in
                        try store.map(model: model.id, method: method.id, sample: sample.id)
                    }
                    for (i, model) in models.enumerated() {
                        guard let own = maps[i] else { continue }
                        let others = maps.indices.filter { $0 != i }.map { j -> Double? in
                            guard let other = maps[j], other.values.count == own.values.count else { return nil }
                            return Correlation.spearman(own.values, other.values)
                        }
                        let known = others.compactMap { $0 }
                        let mean = known.count == others.count ? known.reduce(0, +) / Double(known.count) : nil
                        columns[.init(model: model.id, method: method.id), default: .init()].add(mean, at: position)
                    }
                }
            }
        }
    }

    /// What stands before `seed` and a number at the end of a name.
    static func stem(_ name: String) -> String? {
        guard let match = name.firstMatch(of: /^(.*)seed[-_ ]?[0-9]+$/.ignoresCase()) else { return nil }
        return String(match.1)
    }
}
