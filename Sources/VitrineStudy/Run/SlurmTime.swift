/// A time limit as Slurm reads it: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes, days-hours:minutes:seconds.
public struct SlurmTime: Sendable, Equatable {
    /// As given.
    public let text: String
    /// Nil for a job without a limit.
    public let seconds: Int?

    /// Below this a job would be told to stop before it has done anything: Slurm gives its warning up to a minute early.
    public static let shortest = 300

    public init?(_ text: String) {
        self.text = text
        if ["unlimited", "infinite"].contains(text.lowercased()) {
            seconds = nil
            return
        }
        let halves = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let days = halves.count == 2 ? Int(halves[0]) : 0
        let fields = halves[halves.count - 1].split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        let numbers = fields.compactMap { $0 }
        guard let days, (0...365_000).contains(days), numbers.count == fields.count, (1...3).contains(numbers.count),
            numbers.allSatisfy({ (0...100_000_000).contains($0) })
        else { return nil }
        // With days the first field is hours; without, a lone field and the first of two are minutes.
        let units = halves.count == 2 ? [3600, 60, 1] : numbers.count == 3 ? [3600, 60, 1] : [60, 1]
        seconds = days * 86_400 + zip(numbers, units).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// Seconds before the end at which a job is told so: two minutes, and a tenth of short jobs.
    public var warning: Int { seconds.map { min(120, max(30, $0 / 10)) } ?? 120 }
}
