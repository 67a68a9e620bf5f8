import VitrineEvaluate
import VitrineStore

/// The scores of one data set that verdicts rest on.
struct VerdictScores {
    typealias Key = MetricScores.Key
    typealias Column = MetricScores.Column

    let context: DatasetContext
    let store: Store
    /// Whether anybody said where the lesions are.
    let hasMasks: Bool
    /// The localisation metric, and the first of the study for every other metric that a question or a family asks for, by identifier.
    private(set) var localisation: MetricScores?
    private(set) var byIdentifier: [String: MetricScores] = [:]
    /// Rank correlations under noise of half a grey level that `stability` of the study file measured.
    let stabilities: [Key: Column]
    /// Rank correlations between the maps of models of different training seeds.
    let seeds: [Key: Column]

    /// How concentrated a map is; a description, which families of metrics are compared with.
    static let complexity = "gini"

    private static let wanted = Set(VerdictQuestion.allCases.flatMap(\.metrics) + [complexity])

    init(_ context: DatasetContext, store: Store, stabilities records: [StabilityRecord]) throws {
        self.context = context
        self.store = store
        hasMasks = try context.models.contains { try store.units(model: $0.id).contains { $0.maskStatus == .scored } }
        stabilities = Self.stabilities(records, context)
        seeds = try TrainingSeeds(context, store: store).columns
    }

    /// Keeps what a verdict needs.
    ///
    /// - Parameter rules: the protocol that localisation is judged under.
    mutating func add(_ scores: MetricScores, rules: String) {
        let identifier = scores.metric.stem
        if scores.metric.isLocalisation {
            if localisation == nil, scores.metric.protocolName == rules { localisation = scores }
        } else if Self.wanted.contains(identifier), byIdentifier[identifier] == nil {
            byIdentifier[identifier] = scores
        }
    }

    private static func stabilities(_ records: [StabilityRecord], _ context: DatasetContext) -> [Key: Column] {
        var columns: [Key: Column] = [:]
        for record in records {
            guard let position = context.positions[record.sampleID] else { continue }
            columns[Key(model: record.modelID, method: record.methodID), default: Column()].add(record.spearmanMean, at: position)
        }
        return columns
    }
}

extension MetricScores.Column {
    /// A value that does not exist counts as undefined.
    mutating func add(_ value: Double?, at position: Int) {
        guard let value, value.isFinite else {
            undefined += 1
            return
        }
        samples.append(position)
        values.append(value)
    }

    /// This column and another one on the images that both have.
    func paired(with other: MetricScores.Column) -> (samples: [Int], own: [Double], other: [Double]) {
        let theirs = Dictionary(uniqueKeysWithValues: zip(other.samples, other.values))
        var result: (samples: [Int], own: [Double], other: [Double]) = ([], [], [])
        for (sample, value) in zip(samples, values) {
            guard let their = theirs[sample] else { continue }
            result.samples.append(sample)
            result.own.append(value)
            result.other.append(their)
        }
        return result
    }
}
