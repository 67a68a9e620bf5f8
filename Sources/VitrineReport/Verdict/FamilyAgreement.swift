import VitrineEvaluate
import VitrineStore

/// Whether what different families of metrics say puts the methods of one model in the same order.
public struct FamilyAgreement: Sendable, Equatable {
    /// Two methods of which localisation prefers one and faithfulness the other.
    public struct Conflict: Sendable, Equatable {
        /// Better by localisation, and worse by faithfulness.
        public var first: Int
        public var second: Int
        /// First minus second, better being higher: above 0.
        public var localisation: Double
        public var localisationInterval: Interval
        /// Below 0.
        public var faithfulness: Double
        public var faithfulnessInterval: Interval
        /// That both differences are what they seem; Holm-adjusted over all pairs of methods of the data set and model.
        public var adjusted: Double
        /// Images on which the two disagree most, at most one of a patient; sample ids.
        public var images: [Int]
    }

    public var datasetID: Int
    public var modelID: Int
    /// Families compared, and the measurement that stands for each.
    public var families: [MetricFamily]
    public var measurements: [String]
    public var methodIDs: [Int]
    public var images: Int
    public var concordance: PatientConcordance?
    /// Of localisation with faithfulness; nil where one was not measured. NaN where one ties all methods.
    public var tau: Double?
    /// Pairs on which localisation and faithfulness disagree in order, the clearest first.
    public var conflicts: [Conflict]
    /// Pairs of methods.
    public var pairs: Int { methodIDs.count * (methodIDs.count - 1) / 2 }
}

extension FamilyAgreement {
    /// One number per image for a method, larger being better.
    private struct Measurement {
        let family: MetricFamily
        let title: String
        let columns: [MetricScores.Key: MetricScores.Column]

        init(_ family: MetricFamily, _ scores: MetricScores) {
            self.family = family
            title = scores.metric.name
            let sign = scores.metric.better.sign ?? 1
            columns = scores.columns.mapValues { column in
                var column = column
                column.values = column.values.map { sign * $0 }
                return column
            }
        }

        /// Insertion minus deletion: the area between the two curves.
        init(insertion: MetricScores, deletion: MetricScores) {
            family = .faithfulness
            title = "\(insertion.metric.name) minus \(deletion.metric.name)"
            var columns: [MetricScores.Key: MetricScores.Column] = [:]
            for (key, column) in insertion.columns {
                guard let other = deletion.columns[key] else { continue }
                let pair = column.paired(with: other)
                columns[key] = MetricScores.Column(samples: pair.samples, values: zip(pair.own, pair.other).map(-))
            }
            self.columns = columns
        }

        init(stabilities: [MetricScores.Key: MetricScores.Column]) {
            (family, title, columns) = (.stability, "rank correlation (stability)", stabilities)
        }
    }

    /// The interval of a difference, within what scores such as these can differ by: 1 where all are shares, 2 where all lie in -1...1.
    private static func cut(_ interval: Interval, _ scores: [[Double]]) -> Interval {
        guard interval.lower.isFinite, interval.upper.isFinite else { return interval }
        let all = scores.joined()
        let reach = all.allSatisfy { (0...1).contains($0) } ? 1 : all.allSatisfy { (-1...1).contains($0) } ? 2 : Double.infinity
        return Interval(
            lower: max(interval.lower, -reach), upper: min(interval.upper, reach), level: interval.level, method: interval.method)
    }

    /// Images shown of a conflict.
    private static let mostImages = 3

    /// - Returns: nil unless two families measured two methods on the images of two patients.
    init?(_ scores: VerdictScores, model: Int) throws {
        let context = scores.context
        let measurements = Self.measurements(scores).filter { m in m.columns.keys.contains { $0.model == model } }
        let methods = context.methods.filter { method in
            !method.isControl
                && measurements.allSatisfy { !($0.columns[.init(model: model, method: method.id)]?.samples.isEmpty ?? true) }
        }.map(\.id)
        guard measurements.count >= 2, methods.count >= 2 else { return nil }
        let columns = measurements.map { m in methods.map { m.columns[.init(model: model, method: $0)] ?? .init() } }
        let all = columns.flatMap { $0 }
        let shared = all.dropFirst().reduce(Set(all[0].samples)) { $0.intersection($1.samples) }
        let samples = all[0].samples.filter(shared.contains)
        guard !samples.isEmpty else { return nil }
        let (clusters, resamples) = try context.clusters(of: samples)
        guard clusters.count >= 2 else { return nil }
        let values = columns.map { row in row.map { c in zip(c.samples, c.values).filter { shared.contains($0.0) }.map(\.1) } }
        datasetID = context.dataset.id
        modelID = model
        families = measurements.map(\.family)
        self.measurements = measurements.map(\.title)
        methodIDs = methods
        images = samples.count
        concordance = try PatientConcordance(
            values, clusters: clusters, seed: resamples.seed, resamples: resamples.count)
        conflicts = []
        guard let l = families.firstIndex(of: .localisation), let f = families.firstIndex(of: .faithfulness) else { return }
        tau = kendallTauB(values[l].map(Self.mean), values[f].map(Self.mean))
        var found: [(conflict: Conflict, p: Double)] = []
        for i in methods.indices {
            for j in methods.indices where j > i {
                let located = zip(values[l][i], values[l][j]).map(-)
                let faithful = zip(values[f][i], values[f][j]).map(-)
                let criteria = [
                    try BarTest.Criterion(located, clusters: clusters, resamples: resamples),
                    try BarTest.Criterion(faithful.map(-), clusters: clusters, resamples: resamples),
                ]
                // Either method may be the one that localisation prefers.
                let p = min(1, 2 * min(max(criteria[0].above, criteria[1].above), max(criteria[0].below, criteria[1].below)))
                let isFirst = criteria[0].excess > 0
                let sign = isFirst ? 1.0 : -1
                let (first, second) = (criteria[0].signed(sign), criteria[1].signed(-sign))
                let conflict = Conflict(
                    first: methods[isFirst ? i : j], second: methods[isFirst ? j : i], localisation: first.excess,
                    localisationInterval: Self.cut(first.interval, values[l]), faithfulness: second.excess,
                    faithfulnessInterval: Self.cut(second.interval, values[f]), adjusted: p,
                    images: Self.images(
                        located.map { sign * $0 }, faithful.map { -sign * $0 }, clusters, samples.map { context.samples[$0].id }))
                found.append((conflict, p))
            }
        }
        for (i, adjusted) in MultipleTesting.holm(found.map(\.p)).enumerated() { found[i].conflict.adjusted = adjusted }
        conflicts = found.filter { $0.conflict.localisation > 0 && $0.conflict.faithfulness < 0 }
            .sorted { ($0.p, $0.conflict.first, $0.conflict.second) < ($1.p, $1.conflict.first, $1.conflict.second) }.map(\.conflict)
    }

    private static func measurements(_ scores: VerdictScores) -> [Measurement] {
        var result: [Measurement] = []
        if let found = scores.localisation { result.append(Measurement(.localisation, found)) }
        if let insertion = scores.byIdentifier["insertion"], let deletion = scores.byIdentifier["deletion"] {
            result.append(Measurement(insertion: insertion, deletion: deletion))
        }
        if let found = scores.byIdentifier["parameter-randomisation"] { result.append(Measurement(.randomisation, found)) }
        if let found = scores.byIdentifier["quantisation-stability"] {
            result.append(Measurement(.stability, found))
        } else if !scores.stabilities.isEmpty {
            result.append(Measurement(stabilities: scores.stabilities))
        }
        if let found = scores.byIdentifier[VerdictScores.complexity] { result.append(Measurement(.complexity, found)) }
        return result
    }

    /// Images on which both differences go the way of the conflict, by the lesser of them in standard deviations.
    private static func images(_ located: [Double], _ faithful: [Double], _ clusters: Clusters, _ ids: [Int]) -> [Int] {
        func spread(_ values: [Double]) -> Double {
            let center = mean(values)
            return max((values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(values.count)).squareRoot(), 1e-300)
        }
        let (a, b) = (spread(located), spread(faithful))
        let strength = zip(located, faithful).map { min($0 / a, $1 / b) }
        var seen = Set<Int>()
        return strength.indices.filter { strength[$0] > 0 }.sorted { (-strength[$0], $0) < (-strength[$1], $1) }
            .filter { seen.insert(clusters.index[$0]).inserted }.prefix(mostImages).map { ids[$0] }
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}

extension BarTest.Criterion {
    /// The excess and its interval, turned round where `sign` is negative.
    fileprivate func signed(_ sign: Double) -> (excess: Double, interval: Interval) {
        guard sign < 0 else { return (excess, interval) }
        return (-excess, Interval(lower: -interval.upper, upper: -interval.lower, level: interval.level, method: interval.method))
    }
}
