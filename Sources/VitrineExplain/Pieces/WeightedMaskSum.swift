/// Streams `1/N sum_i w_i M_i` over masks, with its standard error: two numbers per place, however many masks.
struct WeightedMaskSum {
    private var sums: [Double]
    private var squares: [Double]
    private(set) var count = 0

    init(count: Int) {
        sums = [Double](repeating: 0, count: count)
        squares = sums
    }

    mutating func add(_ mask: [Float], weight: Double) {
        count += 1
        for i in mask.indices {
            let term = weight * Double(mask[i])
            sums[i] += term
            squares[i] += term * term
        }
    }

    /// Mean and standard error of the mean, both divided by `factor`.
    func result(dividedBy factor: Double) -> (mean: [Float], error: [Float]) {
        let n = Double(count)
        let means = sums.map { Float($0 / n / factor) }
        let errors = sums.indices.map { i -> Float in
            let variance = max(0, (squares[i] - sums[i] * sums[i] / n) / max(1, n - 1))
            return Float((variance / n).squareRoot() / factor)
        }
        return (means, errors)
    }
}
