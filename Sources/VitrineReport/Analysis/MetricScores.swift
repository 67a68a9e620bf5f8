import VitrineEvaluate
import VitrineStore

/// The scores of one data set and metric, by model and method, with what is needed to compare them image by image.
struct MetricScores {
    /// A model and a method; controls stand under the model `none`.
    struct Key: Hashable, Comparable {
        var model: Int
        var method: Int

        static func < (a: Key, b: Key) -> Bool { (a.model, a.method) < (b.model, b.method) }
    }

    /// The images of one cell on which the metric is defined.
    struct Column {
        /// Increasing; positions in the data set's list of samples.
        var samples: [Int] = []
        var values: [Double] = []
        /// Empty unless every image has a chance level.
        var chances: [Double] = []
        /// Empty unless every image has a chance level and a ceiling.
        var ceilings: [Double] = []
        /// Images by status other than `ok`, those without a value included.
        var flagged: [String: Int] = [:]
        /// Images on which the metric is undefined.
        var undefined = 0
    }

    let metric: MetricRecord
    /// Only cells with at least one image.
    private(set) var columns: [Key: Column] = [:]

    /// - Parameter positions: position of a sample in the data set's list, by id.
    init(_ metric: MetricRecord, store: Store, models: [ModelRecord], methods: [MethodRecord], positions: [Int: Int]) throws(StoreError) {
        self.metric = metric
        for model in models {
            for method in methods {
                let stored = try store.scores(model: model.id, method: method.id, metric: metric.id)
                guard stored.count > 0 else { continue }
                columns[Key(model: model.id, method: method.id)] = Self.column(stored, positions)
            }
        }
    }

    private static func column(_ stored: ScoreColumn, _ positions: [Int: Int]) -> Column {
        var column = Column()
        var (hasChance, hasCeiling) = (true, true)
        for i in 0..<stored.count {
            if stored.statuses[i] != "ok" { column.flagged[stored.statuses[i], default: 0] += 1 }
            guard let value = stored.values[i], value.isFinite, let position = positions[stored.sampleIDs[i]] else {
                column.undefined += 1
                continue
            }
            column.samples.append(position)
            column.values.append(value)
            if let chance = stored.chances[i], chance.isFinite { column.chances.append(chance) } else { hasChance = false }
            if let ceiling = stored.ceilings[i], ceiling.isFinite { column.ceilings.append(ceiling) } else { hasCeiling = false }
        }
        if !hasChance { column.chances = [] }
        if !hasChance || !hasCeiling { column.ceilings = [] }
        return column
    }

    /// The values of several cells on the images that all of them have.
    func common(_ keys: [Key]) -> (samples: [Int], values: [[Double]]) {
        let wanted = keys.map { columns[$0] ?? Column() }
        guard let first = wanted.first else { return ([], []) }
        if wanted.allSatisfy({ $0.samples == first.samples }) { return (first.samples, wanted.map(\.values)) }
        var shared = Set(first.samples)
        for column in wanted.dropFirst() { shared.formIntersection(column.samples) }
        let samples = first.samples.filter(shared.contains)
        let values = wanted.map { column in zip(column.samples, column.values).filter { shared.contains($0.0) }.map(\.1) }
        return (samples, values)
    }
}
