import Testing
import VitrineTensor

/// Numbers that make kernels stumble: signed zeros, denormals, the extremes, infinities, NaN.
let awkwardValues: [Float] = [
    0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, -.leastNormalMagnitude, 1e-30, 1, -1, 1e-9, -1e-9,
    12.5, -12.5, 88, -88, 104, -104, 1e10, -1e10, 1e30, -1e30, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity,
    .nan,
]

/// Lengths on both sides of every vector width, and a prime or two.
let oddLengths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 257]

/// Normally distributed values (Box-Muller), the same for the same name.
func normal(_ count: Int, _ name: String, scale: Float = 1, offset: Float = 0) -> [Float] {
    var stream = Philox(seed: 20, name: name)
    return (0..<count).map { _ in
        let radius = gaussianRadius(1 - stream.uniform())
        return offset + scale * Float(radius * cosine(2 * .pi * stream.uniform()))
    }
}

/// The values in Double.
func doubles(_ values: [Float]) -> [Double] { values.map(Double.init) }

/// Fails unless every element lies within `relative * |expected| + absolute`; NaN must meet NaN and infinity the same infinity.
func expectClose(
    _ found: [Float], _ expected: [Double], relative: Double, absolute: Double = 0, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, "\(what)", sourceLocation: sourceLocation)
    for (i, (f, e)) in zip(found, expected).enumerated() {
        let rounded = Float(e)
        let agrees =
            e.isNaN
            ? f.isNaN : rounded.isInfinite ? f == rounded : abs(Double(f) - e) <= relative * abs(e) + absolute
        if !agrees {
            Issue.record("\(what) element \(i): \(f), expected \(e)", sourceLocation: sourceLocation)
            return
        }
    }
}

/// Derivative of `loss` with respect to each of `x`, by central differences of step `1e-4 * max(1, |x|)`.
///
/// The loss is evaluated in Double, where truncation (about 1e-8) outweighs rounding (about 1e-12).
func finiteDifferences(_ x: [Double], _ loss: ([Double]) -> Double) -> [Double] {
    x.indices.map { i in
        let step = 1e-4 * max(1, abs(x[i]))
        var up = x
        var down = x
        up[i] += step
        down[i] -= step
        return (loss(up) - loss(down)) / (2 * step)
    }
}

/// Sum of products.
func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// The bits of every element, which tell -0 from 0 and compare NaN.
func bits(_ tensor: Tensor) -> [UInt32] { tensor.values.map(\.bitPattern) }
