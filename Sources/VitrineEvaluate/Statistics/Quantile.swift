/// The quantile at share `p` of ascending values, by linear interpolation at position p (n - 1): Hyndman & Fan's type 7,
/// NumPy's default (https://doi.org/10.2307/2684934).
///
/// - Precondition: `sorted` is not empty and ascending; `p` is clamped to [0, 1].
public func quantile(ofSorted sorted: [Double], _ p: Double) -> Double {
    precondition(!sorted.isEmpty, "a quantile needs a value")
    let position = min(max(p, 0), 1) * Double(sorted.count - 1)
    let below = Int(position)
    guard below + 1 < sorted.count else { return sorted[sorted.count - 1] }
    let share = position - Double(below)
    let (a, b) = (sorted[below], sorted[below + 1])
    // From the nearer end, as NumPy does, so that equal neighbours give exactly their value.
    return share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share)
}

/// Arithmetic mean; NaN when empty.
public func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

/// Standard deviation with n - 1 in the denominator; NaN below two values.
public func standardDeviation(_ values: [Double]) -> Double {
    guard values.count > 1 else { return .nan }
    let center = mean(values)
    return (values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(values.count - 1)).squareRoot()
}
