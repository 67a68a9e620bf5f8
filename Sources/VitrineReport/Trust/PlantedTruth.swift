import Foundation
import VitrineTensor

/// How metrics that ask the network fared against planted truth: whether they ranked methods as what a network provably used does.
///
/// `vitrine trust --phantoms` writes it as `metrics.json`. Reports mark the metrics that do not beat chance there; a metric that was not
/// compared, such as one that needs a mask, gets no mark.
public struct PlantedTruth: Sendable, Equatable, Codable {
    public struct Metric: Sendable, Equatable, Codable {
        public var name: String
        /// Spearman's correlation over methods, mean over tasks; absent where no task could be ranked.
        public var correlation: Double?
        /// 95 % interval.
        public var lower: Double?
        public var upper: Double?
        public var tasks: Int

        public var beatsChance: Bool { lower.map { $0 > 0 } ?? false }

        public init(name: String, correlation: Double?, lower: Double?, upper: Double?, tasks: Int) {
            (self.name, self.correlation, self.lower, self.upper, self.tasks) = (name, correlation, lower, upper, tasks)
        }
    }

    /// What was run, with its version, seed and tasks.
    public var provenance: String
    public var metrics: [Metric]

    public init(provenance: String, metrics: [Metric]) { (self.provenance, self.metrics) = (provenance, metrics) }

    static let fileName = "metrics.json"

    /// The table that comes with the product.
    public static let ofTheProduct: PlantedTruth = {
        let known = try? JSON.value(PlantedTruth.self, Data(PackageResources.planted_truth_json))
        return known ?? PlantedTruth(provenance: "", metrics: [])
    }()

    /// What a trust run left in a folder.
    ///
    /// - Throws: `ReportError.noTrust` where there is nothing to read.
    public init(folder: String) throws {
        let path = folder + "/" + Self.fileName
        guard let data = FileManager.default.contents(atPath: path), let known = try? JSON.value(PlantedTruth.self, data) else {
            throw ReportError.noTrust(path: path)
        }
        self = known
    }

    public func write(to folder: String) throws {
        try AtomicFile.write(Array((try JSON.line(self) + "\n").utf8), to: folder + "/" + Self.fileName)
    }

    /// What is known of a metric: under the same options, else under others.
    func metric(_ name: String) -> Metric? {
        func stem(_ name: String) -> Substring { name.prefix { $0 != ":" && $0 != "@" } }
        return metrics.first { $0.name == name } ?? metrics.first { stem($0.name) == stem(name) }
    }

    /// What is to be said of a metric that does not beat chance; nil for one that does, and for one that is not known.
    func remark(_ name: String) -> String? {
        guard let metric = metric(name), !metric.beatsChance else { return nil }
        guard let correlation = metric.correlation else { return "could not be compared with planted truth" }
        guard let lower = metric.lower, let upper = metric.upper else {
            return "was compared with planted truth on too few tasks for an interval"
        }
        let bounds = "\(Format.fixed(lower, 2)) to \(Format.fixed(upper, 2))"
        return "does not beat chance on planted truth (rank correlation \(Format.fixed(correlation, 2)); \(bounds))"
    }

    /// What the marks mean and where they come from, if one of these metrics has one.
    func legend(_ names: [String]) -> String? {
        guard names.contains(where: { remark($0) != nil }) else { return nil }
        return "\(Self.mark) the metric does not rank methods as planted truth does: by \(provenance)."
    }

    static let mark = "†"

    /// A metric's name with its mark.
    func marked(_ name: String) -> String { remark(name) == nil ? name : "\(name) \(Self.mark)" }
}
