import VitrineTensor

/// How often each patient is drawn in each bootstrap resample: as many patients as there are, with replacement.
///
/// The counts depend on the seed, the number of patients and the resample's index only. All statistics of all methods over the
/// same patients therefore use the same resamples, which keeps comparisons paired, and no result depends on threads.
/// Memory is one byte per patient and resample up to 256 MiB; above, counts are drawn again on every call: ask for many statistics at once.
public struct ClusterResamples: Sendable {
    /// Number of patients.
    public let clusters: Int
    /// Number of resamples.
    public let count: Int
    /// The study's seed.
    public let seed: UInt64
    /// Threads used; results do not depend on it.
    public let workers: Int
    private let name: String
    /// Counts `[resample][patient]` of every block of resamples.
    private let stored: [[UInt8]]?

    static let storedLimit = 256 << 20
    /// Resamples that are drawn and summed together.
    private static let blockSize = 64

    /// - Parameter name: keys the draws with the seed; another name only for units other than patients.
    /// - Throws: `StatisticsError` unless there is at least one patient and one resample.
    public init(clusters: Int, count: Int = 10_000, seed: UInt64, workers: Int = 1, name: String = "patient bootstrap") throws {
        try self.init(clusters: clusters, count: count, seed: seed, workers: workers, name: name, storedLimit: Self.storedLimit)
    }

    /// The limit is a parameter so that a test can compare stored with redrawn counts.
    init(clusters: Int, count: Int, seed: UInt64, workers: Int, name: String = "patient bootstrap", storedLimit: Int) throws {
        guard clusters > 0 else { throw StatisticsError.empty(what: "patients") }
        guard count > 0 else { throw StatisticsError.tooFew(what: "bootstrap resamples", needed: 1, found: count) }
        self.clusters = clusters
        self.count = count
        self.seed = seed
        self.workers = workers
        self.name = name
        guard clusters <= storedLimit / count else {
            stored = nil
            return
        }
        stored = orderedParallel(Self.blocks(of: count), workers: workers) { block, _ in
            Self.drawn(block, seed: seed, name: name, clusters: clusters, count: count)
        }
    }

    private static func blocks(of count: Int) -> Int { (count + blockSize - 1) / blockSize }

    /// The resamples of one block.
    private static func drawn(_ block: Int, seed: UInt64, name: String, clusters: Int, count: Int) -> [UInt8] {
        let resamples = blockSize * block..<min(blockSize * (block + 1), count)
        var rows = [UInt8](repeating: 0, count: clusters * resamples.count)
        for (row, resample) in resamples.enumerated() {
            draw(resample, seed: seed, name: name, clusters: clusters, into: &rows, at: row * clusters)
        }
        return rows
    }

    /// Counts `[resample][patient]` of one block.
    private func counts(_ block: Int) -> [UInt8] {
        stored?[block] ?? Self.drawn(block, seed: seed, name: name, clusters: clusters, count: count)
    }

    private static func draw(_ resample: Int, seed: UInt64, name: String, clusters: Int, into rows: inout [UInt8], at offset: Int) {
        var generator = Philox(seed: seed, name: name, index: UInt64(resample))
        // A count above 255 needs more than 255 patients and then has a probability below 1e-500.
        for _ in 0..<clusters { rows[offset + generator.below(clusters)] += 1 }
    }

    /// How often every patient occurs in one resample.
    public func multiplicities(_ resample: Int) -> [Int] {
        if let stored {
            let first = resample % Self.blockSize * clusters
            return stored[resample / Self.blockSize][first..<first + clusters].map(Int.init)
        }
        var row = [UInt8](repeating: 0, count: clusters)
        Self.draw(resample, seed: seed, name: name, clusters: clusters, into: &row, at: 0)
        return row.map(Int.init)
    }

    /// The resampled values of several ratios, `[statistic][resample]`; NaN where a resample's denominator vanishes.
    ///
    /// - Complexity: O(statistics · resamples · patients).
    /// - Throws: `StatisticsError.lengthMismatch` when a ratio has another number of patients.
    public func replicates(of ratios: [ClusterRatio]) throws -> [[Double]] {
        try check(ratios)
        let columns = ResampleColumns(ratios)
        let parts = orderedParallel(Self.blocks(of: count), workers: workers) { block, _ in columns.sums(counts(block)) }
        let width = columns.width
        return ratios.indices.map { i in
            let (numerator, denominator) = (columns.numerator[i], columns.denominator[i])
            var values: [Double] = []
            values.reserveCapacity(count)
            for sums in parts {
                for row in stride(from: 0, to: sums.count, by: width) {
                    let value = sums[row + numerator] / sums[row + denominator]
                    values.append(value.isFinite ? value : .nan)
                }
            }
            return values
        }
    }

    /// Throws unless every ratio has these patients.
    func check(_ ratios: [ClusterRatio]) throws {
        for ratio in ratios where ratio.numerators.count != clusters {
            throw StatisticsError.lengthMismatch(what: "patients of a statistic", expected: clusters, found: ratio.numerators.count)
        }
    }

    /// The resampled values of any statistic, which receives how often each patient was drawn.
    ///
    /// - Parameter statistic: may return NaN where it is undefined (a class is missing from the resample).
    public func replicates(_ statistic: @Sendable ([Int]) -> Double) -> [Double] {
        chunks { range in range.map { statistic(multiplicities($0)) } }.flatMap { $0 }
    }

    /// The results of `body` over consecutive ranges of resamples, in order.
    private func chunks<Part: Sendable>(_ body: @Sendable (Range<Int>) -> Part) -> [Part] {
        guard workers > 1 else { return [body(0..<count)] }
        return orderedParallel(min(workers * 4, count), workers: workers) { [count] part, parts in
            body(count * part / parts..<count * (part + 1) / parts)
        }
    }
}
