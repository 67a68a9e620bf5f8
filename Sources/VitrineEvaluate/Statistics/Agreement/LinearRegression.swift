/// Ordinary least squares with standard errors that allow for correlated images of one patient.
///
/// V = c (XᵀX)⁻¹ [Σ_g X_gᵀ e_g e_gᵀ X_g] (XᵀX)⁻¹ with c = G/(G-1) · (n-1)/(n-p), tested by t on G-1 degrees of freedom.
/// Source: Liang & Zeger 1986, https://doi.org/10.1093/biomet/73.1.13; Cameron & Miller 2015, https://doi.org/10.3368/jhr.50.2.317.
public struct LinearRegression: Sendable, Equatable {
    /// Intercept first, then one per column.
    public let coefficients: [Double]
    public let standardErrors: [Double]
    /// Coefficient over standard error.
    public let tStatistics: [Double]
    /// Two-sided.
    public let pValues: [Double]
    public let intervals: [Interval]
    /// Share of variance explained; NaN where the response is constant.
    public let rSquared: Double

    /// Regresses a score on image features; an intercept is added.
    ///
    /// - Parameters:
    ///   - response: one value per image.
    ///   - columns: `[feature][image]`.
    /// - Throws: `StatisticsError` when lengths differ, a value is not finite, columns are collinear, or there are fewer than two
    ///   patients or not more images than coefficients.
    /// - Complexity: O(images · features²); Householder's QR, so that the condition of X is not squared.
    public init(response: [Double], columns: [[Double]], clusters: Clusters, level: Double = 0.95) throws {
        try validate(level: level)
        let n = clusters.index.count
        try validate(response, what: "response", count: n)
        for column in columns { try validate(column, what: "feature", count: n) }
        let p = columns.count + 1
        guard clusters.count >= 2 else { throw StatisticsError.tooFew(what: "patients of a regression", needed: 2, found: clusters.count) }
        guard n > p else { throw StatisticsError.tooFew(what: "images of a regression", needed: p + 1, found: n) }

        let design = [[Double](repeating: 1, count: n)] + columns
        var q = design
        var y = response
        var r = [[Double]](repeating: [Double](repeating: 0, count: p), count: p)
        for j in 0..<p {
            let original = q[j].reduce(0) { $0 + $1 * $1 }.squareRoot()
            var norm = q[j][j...].reduce(0) { $0 + $1 * $1 }.squareRoot()
            guard norm > 1e-11 * original else { throw StatisticsError.collinear(column: j) }
            if q[j][j] > 0 { norm = -norm }
            var v = Array(q[j][j...])
            v[0] -= norm
            let square = v.reduce(0) { $0 + $1 * $1 }
            func reflect(_ column: inout [Double]) {
                var dot = 0.0
                for i in v.indices { dot += v[i] * column[j + i] }
                let scale = 2 * dot / square
                for i in v.indices { column[j + i] -= scale * v[i] }
            }
            for k in j..<p { reflect(&q[k]) }
            reflect(&y)
            for i in 0...j { r[i][j] = q[j][i] }
        }
        // R⁻¹, column by column.
        var inverse = [[Double]](repeating: [Double](repeating: 0, count: p), count: p)
        for j in 0..<p {
            for i in stride(from: j, through: 0, by: -1) {
                var sum = i == j ? 1.0 : 0.0
                for k in i + 1..<p where k <= j { sum -= r[i][k] * inverse[k][j] }
                inverse[i][j] = sum / r[i][i]
            }
        }
        let beta = (0..<p).map { i in (i..<p).reduce(0) { $0 + inverse[i][$1] * y[$1] } }
        let residuals = (0..<n).map { i in (0..<p).reduce(response[i]) { $0 - beta[$1] * design[$1][i] } }

        // Each patient's score vector through (XᵀX)⁻¹ = R⁻¹ R⁻ᵀ; the variance is the sum of their squares.
        let scores = design.map { column in clusters.sums(zip(column, residuals).map { $0 * $1 }) }
        var variance = [Double](repeating: 0, count: p)
        for g in 0..<clusters.count {
            let half = (0..<p).map { i in (0...i).reduce(0) { $0 + inverse[$1][i] * scores[$1][g] } }
            for i in 0..<p {
                let influence = (i..<p).reduce(0) { $0 + inverse[i][$1] * half[$1] }
                variance[i] += influence * influence
            }
        }
        let groups = Double(clusters.count)
        let correction = groups / (groups - 1) * Double(n - 1) / Double(n - p)
        let errors = variance.map { ($0 * correction).squareRoot() }
        let distribution = StudentT(degreesOfFreedom: groups - 1)
        let reach = distribution.quantile(0.5 * (1 + level))
        coefficients = beta
        standardErrors = errors
        tStatistics = zip(beta, errors).map { $0 / $1 }
        pValues = tStatistics.map { $0.isNaN ? 1 : distribution.twoSided($0) }
        intervals = zip(beta, errors).map {
            Interval(lower: $0 - reach * $1, upper: $0 + reach * $1, level: level, method: .standardError)
        }
        let center = mean(response)
        rSquared = 1 - residuals.reduce(0) { $0 + $1 * $1 } / response.reduce(0) { $0 + ($1 - center) * ($1 - center) }
    }
}
