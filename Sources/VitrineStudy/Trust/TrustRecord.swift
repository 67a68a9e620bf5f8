import Foundation
import VitrineData
import VitrineTensor

/// What is known of one image of a trust run: a file of its own, so that whatever is in the folder is not computed again.
struct TrustRecord: Sendable, Equatable, Codable {
    /// One measure of one map.
    struct Value: Sendable, Equatable, Codable {
        var value: Double
        /// What a map that knows nothing scores.
        var chance: Double
        /// The best that can be had on the patch grid.
        var ceiling: Double?
    }

    var index: Int
    var label: Int
    var parts: [PhantomPart]
    /// By method, then by measure; see `TrustMeasure`.
    var scores: [String: [String: Value]] = [:]
    /// Methods that gave no map, and why.
    var failures: [String: String] = [:]
    /// By method, then by metric; a metric without a value is null.
    var metrics: [String: [String: Double?]] = [:]

    static func read(_ path: String) throws -> TrustRecord? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let record = try? JSON.value(TrustRecord.self, data) else { throw TrustError.damaged(path: path) }
        return record
    }

    func write(_ path: String) throws { try AtomicFile.write(Array((try JSON.line(self) + "\n").utf8), to: path) }
}

/// What is measured of a map against the planted truth.
public enum TrustMeasure {
    /// Average precision of the map as a detector of what makes the label.
    public static let localisation = "localisation"
    /// Whether the map's largest value lies on what makes the label.
    public static let pointing = "pointing"
    /// Share of the map's positive mass on a part.
    public static func credit(_ part: PhantomPart) -> String { "credit:\(part.rawValue)" }
    /// Where an image shows the lesions of two classes: the probability that the map of a class is larger on that class's lesion than
    /// on the other's. A map that does not ask for the class scores 1/2 exactly.
    public static let classContrast = "class-contrast"
}
