import VitrineImage

/// Random sets of patches and how far the answer falls without them: drawn once per image, whatever the map.
struct RandomSubsets {
    let removed: [[Int]]
    let falls: [Double]

    /// - Parameter sizes: one per set.
    init(_ purpose: String, sizes: [Int], _ removal: RemovalRule, _ scale: AnswerScale, _ witness: some Witness) throws {
        removed = sizes.enumerated().map { i, size in
            var random = witness.random(purpose, i)
            return random.permutation(witness.patchCount)[..<size].sorted()
        }
        let values = try witness.values(
            keeping: [Array(0..<witness.patchCount)] + removed.map { witness.patches(without: $0) }, by: removal, scale)
        try requireChange(values)
        falls = values.dropFirst().map { values[0] - $0 }
    }

    /// The map's sums over the sets.
    func sums(_ values: [Double]) -> [Double] { removed.map { set in set.reduce(0) { $0 + values[$1] } } }
}

/// Pearson's correlation; absent where a side is constant.
func pearson(_ a: some Collection<Double>, _ b: some Collection<Double>) -> Double? {
    let (a, b) = (Array(a), Array(b))
    let (meanA, meanB) = (mean(a), mean(b))
    var (ab, aa, bb) = (0.0, 0.0, 0.0)
    for i in a.indices {
        let (x, y) = (a[i] - meanA, b[i] - meanB)
        ab += x * y
        aa += x * x
        bb += y * y
    }
    // Sums of equal numbers leave a remainder of some ulps.
    let (scaleA, scaleB) = (a.reduce(0) { $0 + $1 * $1 }, b.reduce(0) { $0 + $1 * $1 })
    guard aa > 1e-24 * scaleA, bb > 1e-24 * scaleB, ab.isFinite else { return nil }
    return ab / (aa * bb).squareRoot()
}

/// Spearman's correlation; absent where a side is constant.
func spearman(_ a: [Double], _ b: [Double]) -> Double? {
    guard a.allSatisfy(\.isFinite), b.allSatisfy(\.isFinite) else { return nil }
    return pearson(midRanks(a).ranks, midRanks(b).ranks)
}
