#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Nodes and weights of the Gauss-Legendre rule on 0...1, ascending; exact for polynomials of degree below `2 n`.
///
/// Roots of the Legendre polynomial by Newton's method from Chebyshev's guess, in Float64: errors of a few units in the last place.
func gaussLegendre(_ n: Int) -> (nodes: [Double], weights: [Double]) {
    var nodes = [Double](repeating: 0, count: n)
    var weights = nodes
    for i in 0..<(n + 1) / 2 {
        var x = cos(Double.pi * (Double(i) + 0.75) / (Double(n) + 0.5))
        var slope = 0.0
        for _ in 0..<100 {
            var (p, below) = (1.0, 0.0)
            for k in 1...n { (p, below) = ((Double(2 * k - 1) * x * p - Double(k - 1) * below) / Double(k), p) }
            slope = Double(n) * (x * p - below) / (x * x - 1)
            let step = p / slope
            x -= step
            if abs(step) < 1e-15 { break }
        }
        let weight = 1 / ((1 - x * x) * slope * slope)
        (nodes[i], nodes[n - 1 - i]) = ((1 - x) / 2, (1 + x) / 2)
        (weights[i], weights[n - 1 - i]) = (weight, weight)
    }
    return (nodes, weights)
}
