import VitrineEvaluate
import VitrineStore

/// The scores of a method on parts of the images: right and wrong predictions, confidence, lesion size, number of lesions.
public struct StrataAnalysis: Sendable, Equatable {
    public struct Stratum: Sendable, Equatable {
        /// Such as `lesion size`.
        public var factor: String
        /// Such as `smallest third (up to 1.2 %)`.
        public var name: String
        public var images: Int
        public var patients: Int
        public var value: Double
        public var interval: Interval
        public var chance: Double?
    }

    public var modelID: Int
    public var methodID: Int
    public var metricID: Int
    public var strata: [Stratum]
    /// Lesion area (share of the view) and score of every image, for the figure.
    public var points: [(area: Double, value: Double, chance: Double)]

    public static func == (a: StrataAnalysis, b: StrataAnalysis) -> Bool {
        a.modelID == b.modelID && a.methodID == b.methodID && a.metricID == b.metricID && a.strata == b.strata
            && a.points.map(\.area) == b.points.map(\.area) && a.points.map(\.value) == b.points.map(\.value)
    }

    /// What a model knows of an image, by position.
    struct Facts {
        var area: [Int: Double] = [:]
        var lesions: [Int: Int] = [:]
        var isCorrect: [Int: Bool] = [:]
        var probability: [Int: Double] = [:]

        init(_ model: ModelRecord, store: Store, context: DatasetContext) throws(StoreError) {
            for unit in try store.units(model: model.id) {
                guard let position = context.positions[unit.sampleID] else { continue }
                area[position] = unit.maskArea
                lesions[position] = unit.maskComponents
            }
            guard let positive = context.dataset.positiveLabel else { return }
            for record in try store.predictions(model: model.id) where positive < record.probabilities.count {
                guard let position = context.positions[record.sampleID] else { continue }
                probability[position] = Double(record.probabilities[positive])
                if let label = context.samples[position].label { isCorrect[position] = record.predicted == label }
            }
        }
    }

    /// One method's images, cut into strata whose intervals are still missing.
    private struct Cut {
        var analysis: StrataAnalysis
        /// By stratum: the images, by position, and their values.
        var members: [(samples: [Int], values: [Double])] = []
    }

    private init(_ key: MetricScores.Key, _ metric: Int) {
        (modelID, methodID, metricID, strata, points) = (key.model, key.method, metric, [], [])
    }

    /// The strata of some methods under one model; a method with fewer than two images has none.
    static func all(
        _ keys: [MetricScores.Key], _ scores: MetricScores, _ facts: Facts, _ context: DatasetContext
    ) throws -> [StrataAnalysis] {
        var cuts = try keys.compactMap { try cut($0, scores, facts) }
        // Most methods are scored on the same images: the resamples of a stratum are drawn once for all of them.
        let places = cuts.indices.flatMap { i in cuts[i].members.indices.map { (cut: i, stratum: $0) } }
        for group in MetricAnalysis.grouped(places.map { cuts[$0.cut].members[$0.stratum].samples }) {
            let own = group.map { places[$0] }
            let (clusters, resamples) = try context.clusters(of: cuts[own[0].cut].members[own[0].stratum].samples)
            let ratios = try own.map { try ClusterRatio.mean(cuts[$0.cut].members[$0.stratum].values, clusters: clusters) }
            for (i, interval) in try resamples.intervals(of: ratios).enumerated() {
                let place = own[i]
                cuts[place.cut].analysis.strata[place.stratum].patients = clusters.count
                cuts[place.cut].analysis.strata[place.stratum].value = ratios[i].value
                cuts[place.cut].analysis.strata[place.stratum].interval = interval
            }
        }
        return cuts.map(\.analysis)
    }

    private static func cut(_ key: MetricScores.Key, _ scores: MetricScores, _ facts: Facts) throws -> Cut? {
        guard let column = scores.columns[key], column.samples.count >= 2 else { return nil }
        var cut = Cut(analysis: StrataAnalysis(key, scores.metric.id))
        cut.analysis.points = column.samples.enumerated().compactMap { i, position in
            facts.area[position].map { ($0, column.values[i], column.chances.isEmpty ? .nan : column.chances[i]) }
        }
        func add(_ factor: String, _ name: String, _ members: [Int]) {
            guard !members.isEmpty else { return }
            cut.members.append((members.map { column.samples[$0] }, members.map { column.values[$0] }))
            cut.analysis.strata.append(
                Stratum(
                    factor: factor, name: name, images: members.count, patients: 0, value: 0,
                    interval: Interval(lower: 0, upper: 0, level: 0.95, method: .undefined),
                    chance: column.chances.isEmpty ? nil : members.reduce(0) { $0 + column.chances[$1] } / Double(members.count)))
        }
        func thirds(_ factor: String, _ words: [String], _ values: [Int: Double], _ format: (Double) -> String) throws {
            let known = column.samples.indices.filter { values[column.samples[$0]] != nil }
            guard known.count >= 3 else { return }
            let tertiles = try Strata.tertiles(known.map { values[column.samples[$0]]! })
            let cuts = [
                "up to \(format(tertiles.cuts.0))", "\(format(tertiles.cuts.0)) to \(format(tertiles.cuts.1))",
                "above \(format(tertiles.cuts.1))",
            ]
            for (third, members) in tertiles.members.enumerated() {
                add(factor, "\(words[third]) (\(cuts[third]))", members.map { known[$0] })
            }
        }
        add("prediction", "right", column.samples.indices.filter { facts.isCorrect[column.samples[$0]] == true })
        add("prediction", "wrong", column.samples.indices.filter { facts.isCorrect[column.samples[$0]] == false })
        try thirds("confidence", ["lowest third", "middle third", "highest third"], facts.probability) { Format.fixed($0, 2) }
        try thirds("lesion size", ["smallest third", "middle third", "largest third"], facts.area) { Format.percent($0) }
        add("lesions", "one", column.samples.indices.filter { facts.lesions[column.samples[$0]] == 1 })
        add("lesions", "several", column.samples.indices.filter { (facts.lesions[column.samples[$0]] ?? 0) > 1 })
        return cut
    }
}
