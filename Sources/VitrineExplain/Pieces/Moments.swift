/// Moments of maps that come one at a time (Welford's recurrence and Pébay's of higher order, in Float64): six numbers per place, however
/// many maps.
struct Moments {
    private(set) var count = 0
    private var mean: [Double]
    private var spread: [Double]
    private var squares: [Double]
    private var fourthPowers: [Double]
    /// Sums of third and fourth powers of the distance from the mean.
    private var third: [Double]
    private var fourth: [Double]

    init(count places: Int) {
        mean = [Double](repeating: 0, count: places)
        spread = mean
        (squares, fourthPowers, third, fourth) = (mean, mean, mean, mean)
    }

    mutating func add(_ map: [Float]) {
        count += 1
        for i in map.indices {
            let value = Double(map[i])
            let difference = value - mean[i]
            let n = Double(count)
            let (step, term) = (difference / n, difference * difference / n * (n - 1))
            fourth[i] += term * step * step * (n * n - 3 * n + 3) + 6 * step * step * spread[i] - 4 * step * third[i]
            third[i] += term * step * (n - 2) - 3 * step * spread[i]
            fourthPowers[i] += value * value * value * value
            mean[i] += difference / n
            spread[i] += difference * (value - mean[i])
            squares[i] += value * value
        }
    }

    var means: [Float] { mean.map { Float($0) } }
    /// Means of the squares.
    var meanSquares: [Float] { squares.map { Float($0 / Double(max(1, count))) } }
    /// Divided by the number of maps.
    var variances: [Float] { spread.map { Float($0 / Double(max(1, count))) } }
    /// Standard errors of the means.
    var errors: [Float] { spread.map { Float(($0 / Double(max(1, count)) / Double(max(1, count - 1))).squareRoot()) } }
    /// Standard errors of the means of the squares.
    var errorsOfSquares: [Float] {
        let n = Double(max(1, count))
        return squares.indices.map { i in
            let mean = squares[i] / n
            return Float((max(0, fourthPowers[i] / n - mean * mean) / max(1, n - 1)).squareRoot())
        }
    }
    /// Standard errors of the variances: `sqrt((m4 - v²)/n)`.
    var errorsOfVariances: [Float] {
        let n = Double(max(1, count))
        return spread.indices.map { i in
            let variance = spread[i] / n
            return Float((max(0, fourth[i] / n - variance * variance) / n).squareRoot())
        }
    }
}
