/// Cliff's delta: P(x > y) - P(x < y) over all pairs of two samples, in [-1, 1].
///
/// Source: Cliff 1993, https://doi.org/10.1037/0033-2909.114.3.494.
/// - Returns: NaN when either sample is empty.
/// - Complexity: O((m + n) log n).
public func cliffDelta(_ first: [Double], _ second: [Double]) -> Double {
    let x = first.sorted()
    let y = second.sorted()
    var (below, upTo, balance) = (0, 0, 0)
    for value in x {
        while below < y.count, y[below] < value { below += 1 }
        while upTo < y.count, y[upTo] <= value { upTo += 1 }
        balance += below - (y.count - upTo)
    }
    return Double(balance) / (Double(x.count) * Double(y.count))
}
