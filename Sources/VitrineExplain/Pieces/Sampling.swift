import VitrineImage

/// How many draws a method takes: all, or as many as settle the ranking of what matters most.
///
/// With `tolerance=T` the estimates of even and odd draws are compared after every twentieth of the draws: Spearman's correlation over the
/// places in the top tenth (ten at least) of their mean, stepped up to all draws by Spearman and Brown (2 r / (1 + r)). Sampling ends when it
/// reaches 1 - T twice running. The notes give `samples`, those used, and `split-half`, the last such correlation.
struct Sampling {
    /// As the options name it.
    static let option = "tolerance=0"

    let most: Int
    /// 0: all draws.
    let tolerance: Double

    init(_ options: inout MethodOptions, most: Int) throws(MethodError) {
        self.most = most
        tolerance = try options.takeNumber("tolerance", default: 0, .belowOne)
    }

    private init(most: Int, tolerance: Double) {
        self.most = most
        self.tolerance = tolerance
    }

    /// No more draws than there are.
    func limited(to count: Int) -> Sampling { Sampling(most: min(most, count), tolerance: tolerance) }

    var mayStop: Bool { tolerance > 0 }

    /// - Parameters:
    ///   - draw: takes draws, in order.
    ///   - halves: what the even draws so far say, and what the odd ones do; nil while they say nothing.
    /// - Returns: the notes; empty where all draws are taken anyway.
    func run(_ draw: (Range<Int>) throws -> Void, halves: () throws -> (even: [Float], odd: [Float])?) throws -> [String: [Double]] {
        guard mayStop else {
            try draw(0..<most)
            return [:]
        }
        // Pairs stay together.
        let portion = max(2, (most + 19) / 20 / 2 * 2)
        var (used, agreement, agreed) = (0, 0.0, 0)
        while used < most {
            let end = min(used + portion, most)
            try draw(used..<end)
            used = end
            guard let (even, odd) = try halves() else { continue }
            agreement = Self.agreement(even, odd)
            agreed = agreement >= 1 - tolerance ? agreed + 1 : 0
            if agreed == 2 { break }
        }
        return ["samples": [Double(used)], "split-half": [agreement]]
    }

    /// Of two halves of the draws, on what matters most; -1...1, 0 where it does not exist.
    static func agreement(_ a: [Float], _ b: [Float]) -> Double {
        let sums = zip(a, b).map { $0 + $1 }
        let count = max(min(10, sums.count), (sums.count + 9) / 10)
        let top = sums.indices.sorted { (sums[$0], $1) > (sums[$1], $0) }.prefix(count)
        let r = Correlation.spearman(top.map { a[$0] }, top.map { b[$0] }) ?? 0
        return r > 0 ? 2 * r / (1 + r) : r
    }
}
