#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Agreement between two maps of the same shape.
public enum Correlation {
    /// Pearson's correlation in Float64; nil when either side is constant or holds a value that is not finite.
    public static func pearson(_ a: [Float], _ b: [Float]) -> Double? {
        precondition(a.count == b.count, "a correlation compares equally many values")
        let n = Double(a.count)
        var (meanA, meanB) = (0.0, 0.0)
        for i in a.indices {
            meanA += Double(a[i])
            meanB += Double(b[i])
        }
        meanA /= n
        meanB /= n
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for i in a.indices {
            let (x, y) = (Double(a[i]) - meanA, Double(b[i]) - meanB)
            ab += x * y
            aa += x * x
            bb += y * y
        }
        guard aa > 0, bb > 0, ab.isFinite else { return nil }
        return ab / (aa * bb).squareRoot()
    }

    /// Spearman's rank correlation: Pearson's of the mid-ranks; nil as for `pearson`.
    public static func spearman(_ a: [Float], _ b: [Float]) -> Double? {
        guard a.allSatisfy(\.isFinite), b.allSatisfy(\.isFinite) else { return nil }
        return pearson(midRanks(a), midRanks(b))
    }

    /// Ranks from 1, ties sharing the mean of theirs.
    public static func midRanks(_ values: [Float]) -> [Float] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Float](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count && values[order[end]] == values[order[start]] { end += 1 }
            for i in start..<end { ranks[order[i]] = Float(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }
}
