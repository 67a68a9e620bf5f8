/// Ranks 1...n in ascending order, tied values sharing the mean of their ranks.
///
/// - Returns: the rank of every value, and the size of each group of equal values (1 where there is no tie).
/// - Precondition: no value is NaN.
/// - Complexity: O(n log n).
public func midRanks(_ values: [Double]) -> (ranks: [Double], groupSizes: [Int]) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var sizes: [Int] = []
    var start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
        let rank = 0.5 * Double(start + 1 + end)
        for i in start..<end { ranks[order[i]] = rank }
        sizes.append(end - start)
        start = end
    }
    return (ranks, sizes)
}

/// Σ (t³ - t) over groups of t ties: the correction of every rank statistic.
func tieTerm(_ groupSizes: [Int]) -> Double {
    groupSizes.reduce(0) { sum, size in
        let t = Double(size)
        return sum + (t * t * t - t)
    }
}
