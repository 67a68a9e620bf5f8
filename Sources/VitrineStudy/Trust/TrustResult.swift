import Foundation
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineTensor

/// What a trust run found.
public struct TrustResult: Sendable, Equatable, Codable {
    /// A mean over images with its 95 % interval, images resampled (BCa).
    public struct Estimate: Sendable, Equatable, Codable {
        public var value: Double
        /// Absent where one image gives none.
        public var lower: Double?
        public var upper: Double?

        init(_ ratio: ClusterRatio, _ interval: Interval) {
            value = ratio.value
            // The others may not show the part in question.
            guard ratio.denominators.count(where: { $0 != 0 }) > 1 else { return }
            lower = interval.lower.isFinite ? interval.lower : nil
            upper = interval.upper.isFinite ? interval.upper : nil
        }
    }

    /// One method on one task.
    public struct Method: Sendable, Equatable, Codable {
        public var name: String
        public var isControl: Bool
        public var images: Int
        /// Average precision on the proven cause, and its level of chance.
        public var precision: Double
        public var chance: Double
        /// `(precision - chance) / (ceiling - chance)` of the means: 0 knows nothing, 1 is the best the patch grid allows.
        public var localisation: Estimate
        /// Share of images whose largest value lies on the cause; ties by expectation.
        public var pointing: Estimate
        public var pointingChance: Double
        /// By part: its share of the map's positive mass, in multiples of its share of the image, which is what chance gives.
        public var credit: [String: Estimate]
        /// See `TrustMeasure.classContrast`; absent in tasks with one positive class.
        public var classContrast: Estimate?
    }

    public struct Task: Sendable, Equatable, Codable {
        public var name: String
        public var check: CounterfactualCheck
        public var rounds: Int
        /// Best localisation first; empty where the model does not prove what it uses.
        public var methods: [Method] = []
        /// Parts whose credit is reported and that take no part in making the label.
        public var nonCauses: [String] = []
        /// Methods asked for by a group's name that this network cannot serve, and methods that failed on some image, with reasons.
        public var leftOut: [String: String] = [:]
        var records: [TrustRecord] = []

        enum CodingKeys: String, CodingKey {
            case name, check, rounds, methods, nonCauses, leftOut
        }

        init(
            _ task: TrustTask, _ proven: ProvenModel, methods: [ConfiguredMethod], leftOut: [(name: String, reason: String)],
            records: [TrustRecord]
        ) {
            name = task.name
            check = proven.check
            rounds = proven.rounds
            self.records = records
            self.leftOut = Dictionary(leftOut.map { ($0.name, $0.reason) }) { $1 }
            wanted = methods.map { ($0.name, $0.method.isControl) }
            let causes = records.reduce(into: Set<PhantomPart>()) { $0.formUnion(task.cause(of: Set($1.parts))) }
            let parts = records.reduce(into: Set<PhantomPart>()) { $0.formUnion($1.parts) }
            nonCauses = parts.subtracting(causes).ordered.map(\.rawValue)
        }

        /// Methods that were asked for, and whether they are controls.
        private var wanted: [(name: String, isControl: Bool)] = []

        mutating func summarise(_ settings: TrustSettings, workers: Int) throws {
            guard !records.isEmpty else { return }
            for record in records {
                for (method, reason) in record.failures { leftOut[method] = reason }
            }
            let resamples = try ClusterResamples(clusters: records.count, seed: settings.seed, workers: workers)
            for (name, isControl) in wanted where records.allSatisfy({ $0.scores[name]?[TrustMeasure.localisation] != nil }) {
                methods.append(try method(name, isControl, resamples))
            }
            methods.sort { ($1.localisation.value, $0.name) < ($0.localisation.value, $1.name) }
        }

        private func method(_ name: String, _ isControl: Bool, _ resamples: ClusterResamples) throws -> Method {
            func ratio(
                _ measure: String, _ numerator: (TrustRecord.Value) -> Double, over denominator: (TrustRecord.Value) -> Double,
                isProportion: Bool = false
            ) throws -> ClusterRatio? {
                let values = records.map { $0.scores[name]?[measure] }
                guard values.contains(where: { $0 != nil }) else { return nil }
                return try ClusterRatio(
                    numerators: values.map { $0.map(numerator) ?? 0 }, denominators: values.map { $0.map(denominator) ?? 0 },
                    isProportion: isProportion)
            }
            func estimate(_ ratio: ClusterRatio?) throws -> Estimate? {
                try ratio.map { Estimate($0, try resamples.interval(of: $0)) }
            }
            func required<T>(_ value: T?) -> T {
                guard let value else { preconditionFailure("a scored map has all of its measures") }
                return value
            }
            let location = TrustMeasure.localisation
            var credit: [String: Estimate] = [:]
            for part in PhantomPart.allCases {
                credit[part.rawValue] = try estimate(ratio(TrustMeasure.credit(part), \.value, over: \.chance))
            }
            return Method(
                name: name, isControl: isControl, images: records.count,
                precision: required(try ratio(location, \.value, over: { _ in 1 })).value,
                chance: required(try ratio(location, \.chance, over: { _ in 1 })).value,
                localisation: required(
                    try estimate(ratio(location, { $0.value - $0.chance }, over: { ($0.ceiling ?? 1) - $0.chance }))),
                pointing: required(try estimate(ratio(TrustMeasure.pointing, \.value, over: { _ in 1 }))),
                pointingChance: required(try ratio(TrustMeasure.pointing, \.chance, over: { _ in 1 })).value, credit: credit,
                classContrast: try estimate(ratio(TrustMeasure.classContrast, \.value, over: { _ in 1 })))
        }

        public static func == (a: Task, b: Task) -> Bool {
            (a.name, a.check, a.rounds, a.methods, a.nonCauses, a.leftOut) == (b.name, b.check, b.rounds, b.methods, b.nonCauses, b.leftOut)
        }
    }

    public var tasks: [Task]
    /// Empty where no metric was asked for.
    public var metrics: [MetricTrust]

    init(_ tasks: [Task], metrics: [String], settings: TrustSettings, workers: Int) throws {
        let summarised = try tasks.map { task in
            var task = task
            try task.summarise(settings, workers: workers)
            return task
        }
        self.tasks = summarised
        self.metrics = try metrics.map { try MetricTrust($0, summarised, settings) }
    }

    // MARK: Files

    /// A row per task, method and measure.
    public var csv: String {
        var text = CSV.line(["task", "method", "is_control", "images", "measure", "value", "chance", "lower", "upper"])
        for task in tasks {
            for m in task.methods {
                func add(_ measure: String, _ estimate: Estimate, chance: Double) {
                    let names = [CSV.field(task.name), CSV.field(m.name), m.isControl ? "1" : "0", "\(m.images)", measure]
                    text += CSV.line(
                        names + [estimate.value, chance, estimate.lower, estimate.upper].map(CSV.number))
                }
                add(TrustMeasure.localisation, m.localisation, chance: 0)
                add(TrustMeasure.pointing, m.pointing, chance: m.pointingChance)
                for part in PhantomPart.allCases {
                    if let credit = m.credit[part.rawValue] { add(TrustMeasure.credit(part), credit, chance: 1) }
                }
                if let contrast = m.classContrast { add(TrustMeasure.classContrast, contrast, chance: 0.5) }
            }
        }
        return text
    }

    /// A row per metric.
    public var metricsCSV: String {
        var text = CSV.line(["metric", "family", "better", "tasks", "methods", "rank_correlation", "lower", "upper", "beats_chance"])
        for m in metrics {
            text += CSV.line(
                [CSV.field(m.name), m.family, m.better, "\(m.tasks)", "\(m.methods)"]
                    + [m.correlation, m.lower, m.upper].map(CSV.number) + [m.beatsChance ? "1" : "0"])
        }
        return text
    }

    /// Writes `trust.json`, `trust.csv` and, where metrics were audited, `metrics.csv`.
    public func write(to folder: String) throws {
        try AtomicFile.write(Array((try JSON.line(self) + "\n").utf8), to: folder + "/trust.json")
        try AtomicFile.write(Array(csv.utf8), to: folder + "/trust.csv")
        if !metrics.isEmpty { try AtomicFile.write(Array(metricsCSV.utf8), to: folder + "/metrics.csv") }
    }
}
