/// Which way a metric is better; ranks, tests and colours follow it.
public enum Direction: String, Sendable, Codable, CaseIterable {
    case higher
    case lower
    /// A description of the map: neither end is better.
    case none

    /// Factor that makes larger numbers the better ones; absent for a description.
    public var sign: Double? {
        switch self {
        case .higher: 1
        case .lower: -1
        case .none: nil
        }
    }

    /// Whether one number is better than another; never for a description or NaN.
    public func isBetter(_ a: Double, than b: Double) -> Bool { sign.map { $0 * a > $0 * b } ?? false }
}
