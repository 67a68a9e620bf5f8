import Foundation

// The kernels once more, slowly, in Double, from their definitions.

func gaussianRadius(_ u: Double) -> Double { (-2 * log(u)).squareRoot() }
func cosine(_ x: Double) -> Double { cos(x) }

enum Twin {
    static func rows(_ x: [Double], _ columns: Int) -> [[Double]] {
        stride(from: 0, to: x.count, by: columns).map { Array(x[$0..<($0 + columns)]) }
    }

    static func layerNorm(
        _ x: [Double], weight: [Double], bias: [Double], epsilon: Double
    ) -> (y: [Double], mean: [Double], inverseDeviation: [Double]) {
        var y: [Double] = []
        var means: [Double] = []
        var inverses: [Double] = []
        for row in rows(x, weight.count) {
            let mean = row.reduce(0, +) / Double(row.count)
            let variance = row.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(row.count)
            let inverse = 1 / (variance + epsilon).squareRoot()
            for j in row.indices { y.append((row[j] - mean) * inverse * weight[j] + bias[j]) }
            means.append(mean)
            inverses.append(inverse)
        }
        return (y, means, inverses)
    }

    static func softmax(_ s: [Double], scale: Double, columns: Int) -> [Double] {
        rows(s, columns).flatMap { row in
            let scaled = row.map { $0 * scale }
            let maximum = scaled.max()!
            let e = scaled.map { exp($0 - maximum) }
            let total = e.reduce(0, +)
            return e.map { $0 / total }
        }
    }

    static func gelu(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }
    static func geluTanh(_ x: Double) -> Double { 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) }
    static func quickGelu(_ x: Double) -> Double { x / (1 + exp(-1.702 * x)) }
    static func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

    static func siluGate(_ x: [Double], columns: Int) -> [Double] {
        rows(x, 2 * columns).flatMap { row in (0..<columns).map { silu(row[$0]) * row[columns + $0] } }
    }

    /// The kernels' small number is a Float32, and `b + 1e-9` is exactly 0 for its negative.
    static let small = Double(Float(1e-9))

    static func safeDivide(_ a: Double, _ b: Double) -> Double {
        if b == 0 { return 0 }
        let denominator = b + small
        return a / (denominator == 0 ? small : denominator)
    }

    static func relevanceAdd(_ r: [Double], _ z1: [Double], _ z2: [Double], stabiliser: Double) -> ([Double], [Double]) {
        let s = r.indices.map { i in
            let q = z1[i] + z2[i]
            return stabiliser > 0 ? r[i] * q / (q * q + stabiliser * stabiliser) : safeDivide(r[i], q)
        }
        let a = zip(z1, s).map(*)
        let b = zip(z2, s).map(*)
        let (first, second, total) = (a.reduce(0, +), b.reduce(0, +), r.reduce(0, +))
        let both = abs(first) + abs(second)
        return (
            a.map { $0 * safeDivide(safeDivide(abs(first), both) * total, first) },
            b.map { $0 * safeDivide(safeDivide(abs(second), both) * total, second) }
        )
    }
}
