/// Weighted least squares on a few hundred unknowns, in Float64: rows come one at a time and only the normal equations are kept.
struct LeastSquares {
    let unknowns: Int
    private var normal: [Double]
    private var right: [Double]
    private(set) var rows = 0

    init(unknowns: Int) {
        self.unknowns = unknowns
        normal = [Double](repeating: 0, count: unknowns * unknowns)
        right = [Double](repeating: 0, count: unknowns)
    }

    /// Adds `weight (sum_{i in chosen} x_i - y)²` to what is minimised: a row of zeros and ones.
    mutating func add(_ chosen: [Int], y: Double, weight: Double) {
        rows += 1
        for i in chosen {
            right[i] += weight * y
            for j in chosen { normal[i * unknowns + j] += weight }
        }
    }

    /// Adds `weight (x . row - y)²`.
    mutating func add(row: [Double], y: Double, weight: Double) {
        rows += 1
        for i in row.indices where row[i] != 0 {
            right[i] += weight * row[i] * y
            for j in row.indices { normal[i * unknowns + j] += weight * row[i] * row[j] }
        }
    }

    mutating func add(_ other: LeastSquares) {
        rows += other.rows
        for i in normal.indices { normal[i] += other.normal[i] }
        for i in right.indices { right[i] += other.right[i] }
    }

    mutating func subtract(_ other: LeastSquares) {
        rows -= other.rows
        for i in normal.indices { normal[i] -= other.normal[i] }
        for i in right.indices { right[i] -= other.right[i] }
    }

    /// The minimum, with `ridge` on the diagonal; nil where the equations are singular.
    func solution(ridge: Double = 0) -> [Double]? { factor(ridge).map { $0.solved(right) } }

    /// The minimum under `sum x = total`, by Lagrange's multiplier.
    func solution(sum total: Double, ridge: Double = 0) -> [Double]? {
        guard let factor = factor(ridge) else { return nil }
        let free = factor.solved(right)
        let direction = factor.solved([Double](repeating: 1, count: unknowns))
        let step = (free.reduce(0, +) - total) / direction.reduce(0, +)
        return zip(free, direction).map { $0 - step * $1 }
    }

    private func factor(_ ridge: Double) -> Cholesky? {
        var matrix = normal
        for i in 0..<unknowns { matrix[i * unknowns + i] += ridge }
        return Cholesky(matrix, size: unknowns)
    }
}

/// `A = L L^T` of a symmetric positive matrix.
struct Cholesky {
    private let n: Int
    private var lower: [Double]

    /// nil where a pivot is not clearly positive.
    init?(_ matrix: [Double], size n: Int) {
        self.n = n
        lower = matrix
        for j in 0..<n {
            var pivot = lower[j * n + j]
            let scale = pivot
            for k in 0..<j { pivot -= lower[j * n + k] * lower[j * n + k] }
            guard pivot > 1e-12 * abs(scale), pivot.isFinite else { return nil }
            let root = pivot.squareRoot()
            lower[j * n + j] = root
            for i in j + 1..<max(n, j + 1) {
                var sum = lower[i * n + j]
                for k in 0..<j { sum -= lower[i * n + k] * lower[j * n + k] }
                lower[i * n + j] = sum / root
            }
        }
    }

    func solved(_ right: [Double]) -> [Double] {
        var x = right
        for i in 0..<n {
            for k in 0..<i { x[i] -= lower[i * n + k] * x[k] }
            x[i] /= lower[i * n + i]
        }
        for i in (0..<n).reversed() {
            for k in i + 1..<max(n, i + 1) { x[i] -= lower[k * n + i] * x[k] }
            x[i] /= lower[i * n + i]
        }
        return x
    }
}
