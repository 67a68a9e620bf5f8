/// Kendall's tau-b of two paired samples: (concordant - discordant) / sqrt((n0 - n1)(n0 - n2)), in [-1, 1].
///
/// n0 = n(n-1)/2; n1 and n2 count pairs tied in either sample. Source: Kendall 1945, https://doi.org/10.1093/biomet/33.3.239;
/// discordant pairs are the exchanges of a merge sort (Knight 1966, https://doi.org/10.1080/01621459.1966.10480879).
/// - Returns: NaN where a sample is constant or has fewer than two values.
/// - Complexity: O(n log n).
public func kendallTauB(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count, "tau needs pairs")
    let n = x.count
    let order = (0..<n).sorted { (x[$0], y[$0]) < (x[$1], y[$1]) }
    func tiedPairs(_ sameAsPrevious: (Int) -> Bool) -> Int {
        var (pairs, run) = (0, 0)
        for i in 0..<n {
            run = i > 0 && sameAsPrevious(i) ? run + 1 : 0
            pairs += run
        }
        return pairs
    }
    let tiedX = tiedPairs { x[order[$0]] == x[order[$0 - 1]] }
    let tiedBoth = tiedPairs { x[order[$0]] == x[order[$0 - 1]] && y[order[$0]] == y[order[$0 - 1]] }
    var sorted = order.map { y[$0] }
    let discordant = sortCountingExchanges(&sorted)
    let tiedY = tiedPairs { sorted[$0] == sorted[$0 - 1] }
    let total = n * (n - 1) / 2
    let balance = total - tiedX - tiedY + tiedBoth - 2 * discordant
    let scale = Double(total - tiedX).squareRoot() * Double(total - tiedY).squareRoot()
    return scale > 0 ? max(-1, min(1, Double(balance) / scale)) : .nan
}

/// Sorts by merging and returns the number of pairs out of order.
private func sortCountingExchanges(_ values: inout [Double]) -> Int {
    var exchanges = 0
    var buffer = values
    var width = 1
    while width < values.count {
        var start = 0
        while start < values.count {
            let middle = min(start + width, values.count)
            let end = min(start + 2 * width, values.count)
            var (i, j) = (start, middle)
            for k in start..<end {
                if i < middle, j == end || values[i] <= values[j] {
                    buffer[k] = values[i]
                    i += 1
                } else {
                    buffer[k] = values[j]
                    j += 1
                    exchanges += middle - i
                }
            }
            start = end
        }
        swap(&values, &buffer)
        width *= 2
    }
    return exchanges
}
