/// Mean and variance of maps that come one at a time (Welford's recurrence, in Float64): three numbers per place, however many maps.
struct Moments {
    private(set) var count = 0
    private var mean: [Double]
    private var spread: [Double]
    private var squares: [Double]

    init(count places: Int) {
        mean = [Double](repeating: 0, count: places)
        spread = mean
        squares = mean
    }

    mutating func add(_ map: [Float]) {
        count += 1
        for i in map.indices {
            let value = Double(map[i])
            let difference = value - mean[i]
            mean[i] += difference / Double(count)
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
}
