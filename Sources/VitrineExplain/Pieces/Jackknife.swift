/// Standard errors of what is estimated from draws, by leaving out one tenth of them at a time (Efron & Tibshirani 1993, chapter 11).
///
/// For an estimate over n draws: `sqrt(9/10 sum_g (t_g - mean t)²)`, t_g the estimate without every tenth draw from g on. Draws that were stratified
/// vary less than independent ones, so that the error is then, if anything, too large.
enum Jackknife {
    static let groups = 10

    /// - Parameter estimate: from the draws at these places; nil where they do not suffice.
    /// - Returns: an error per value; nil where an estimate does not exist.
    static func errors(draws: Int, _ estimate: ([Int]) -> [Double]?) -> [Float]? {
        let partial = (0..<groups).compactMap { group in estimate((0..<draws).filter { $0 % groups != group }) }
        guard partial.count == groups, let first = partial.first else { return nil }
        let count = Double(groups)
        return first.indices.map { i in
            let mean = partial.reduce(0) { $0 + $1[i] } / count
            return Float((partial.reduce(0) { $0 + ($1[i] - mean) * ($1[i] - mean) } * (count - 1) / count).squareRoot())
        }
    }
}
