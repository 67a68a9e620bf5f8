/// ICC(2,1): absolute agreement of single ratings, readers being a random sample.
///
/// ICC = (MSR - MSE) / (MSR + (k-1) MSE + k (MSC - MSE) / n), from the two-way analysis of variance of n subjects by k readers.
/// Source: Shrout & Fleiss 1979, https://doi.org/10.1037/0033-2909.86.2.420; interval after McGraw & Wong 1996.
public struct IntraclassCorrelation: Sendable, Equatable {
    /// At most 1; NaN where nothing varies.
    public let value: Double
    public let interval: Interval

    /// - Parameter ratings: `[subject][reader]`.
    /// - Throws: `StatisticsError` unless there are two subjects and two readers at least, all finite.
    public init(_ ratings: [[Double]], level: Double = 0.95) throws {
        try validate(level: level)
        guard ratings.count >= 2 else { throw StatisticsError.tooFew(what: "subjects of the ICC", needed: 2, found: ratings.count) }
        let readers = ratings[0].count
        guard readers >= 2 else { throw StatisticsError.tooFew(what: "readers of the ICC", needed: 2, found: readers) }
        for row in ratings { try validate(row, what: "ratings", count: readers) }
        let (n, k) = (Double(ratings.count), Double(readers))
        let grand = mean(ratings.map(mean))
        let rows = ratings.map(mean)
        let columns = (0..<readers).map { j in mean(ratings.map { $0[j] }) }
        func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + ($1 - grand) * ($1 - grand) } }
        let msr = k * squares(rows) / (n - 1)
        let msc = n * squares(columns) / (k - 1)
        var residual = 0.0
        for (i, row) in ratings.enumerated() {
            for (j, rating) in row.enumerated() {
                let e = rating - rows[i] - columns[j] + grand
                residual += e * e
            }
        }
        let mse = residual / ((n - 1) * (k - 1))
        let icc = (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n)
        value = icc
        guard icc.isFinite, mse > 0 else {
            interval = icc.isFinite ? Interval(lower: icc, upper: icc, level: level, method: .constant) : .undefined(level: level)
            return
        }
        let ratio = msc / mse
        let spread = n * (1 + (k - 1) * icc) - k * icc
        let top = k * icc * ratio + spread
        let freedom = (k - 1) * (n - 1) * top * top / ((n - 1) * k * k * icc * icc * ratio * ratio + spread * spread)
        let p = 0.5 * (1 + level)
        let upperF = FDistribution(numerator: n - 1, denominator: freedom).quantile(p)
        let lowerF = FDistribution(numerator: freedom, denominator: n - 1).quantile(p)
        let base = k * msc + (k * n - k - n) * mse
        interval = Interval(
            lower: n * (msr - upperF * mse) / (upperF * base + n * msr), upper: n * (lowerF * msr - mse) / (base + n * lowerF * msr),
            level: level, method: .fisher)
    }
}
