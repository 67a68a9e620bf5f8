/// Which part of a study an invocation computes.
public struct StudyShard: Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    public let index: Int
    public let count: Int

    public static let whole = StudyShard(index: 1, count: 1)!

    public init?(index: Int, count: Int) {
        guard count >= 1, (1...count).contains(index) else { return nil }
        self.index = index
        self.count = count
    }

    /// Reads `i/n`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1] else { return nil }
        self.init(index: index, count: count)
    }

    public var description: String { "\(index)/\(count)" }

    /// The file of its results: `results.sqlite`, or `results-2-of-4.sqlite`.
    public var fileName: String { count == 1 ? "results.sqlite" : "results-\(index)-of-\(count).sqlite" }
}
