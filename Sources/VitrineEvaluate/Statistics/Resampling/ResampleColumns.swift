/// The numerators and denominators of several ratios side by side, so that one pass over the draws serves all of them.
///
/// Denominators that several ratios share (the sizes of the patients) are summed once. Four columns by four resamples are summed
/// together: the loads and conversions are shared, and sixteen independent chains hide the latency of addition. Every sum runs over
/// the patients in order, whatever its neighbours, so that results do not depend on what is computed together.
struct ResampleColumns: Sendable {
    /// The column of every ratio's numerator.
    let numerator: [Int]
    /// The column of every ratio's denominator.
    let denominator: [Int]
    /// Columns by four, `[group][patient]`, padded with 0.
    private let groups: [[SIMD4<Double>]]

    init(_ ratios: [ClusterRatio]) {
        var distinct: [[Double]] = []
        denominator = ratios.map { ratio in
            if let known = distinct.firstIndex(of: ratio.denominators) { return known }
            distinct.append(ratio.denominators)
            return distinct.count - 1
        }
        numerator = ratios.indices.map { [count = distinct.count] in count + $0 }
        let columns = distinct + ratios.map(\.numerators)
        groups = stride(from: 0, to: columns.count, by: 4).map { first in
            columns[0].indices.map { c in
                var lanes = SIMD4<Double>()
                for lane in 0..<min(4, columns.count - first) { lanes[lane] = columns[first + lane][c] }
                return lanes
            }
        }
    }

    /// The sums of every column in four resamples, `[column][resample]`, from the counts that start at four offsets.
    func sums(_ counts: [UInt8], offsets: [Int]) -> [Double] {
        var result = [Double](repeating: 0, count: 16 * groups.count)
        let w = counts.span
        let (o0, o1, o2, o3) = (offsets[0], offsets[1], offsets[2], offsets[3])
        for (g, group) in groups.enumerated() {
            let columns = group.span
            var (s0, s1, s2, s3) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
            for c in columns.indices {
                let value = columns[c]
                s0 += value * Double(w[o0 + c])
                s1 += value * Double(w[o1 + c])
                s2 += value * Double(w[o2 + c])
                s3 += value * Double(w[o3 + c])
            }
            for lane in 0..<4 {
                let at = 4 * (4 * g + lane)
                (result[at], result[at + 1], result[at + 2], result[at + 3]) = (s0[lane], s1[lane], s2[lane], s3[lane])
            }
        }
        return result
    }
}
