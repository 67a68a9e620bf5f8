import Foundation
import Testing
import VitrineTensor

@Suite struct SoftmaxTests {
    private func softmax(_ s: [Float], columns: Int, scale: Float) -> [Float] {
        var tensor = Tensor([s.count / columns, columns], s)
        softmaxRows(&tensor, scale: scale)
        return tensor.values
    }

    /// Tolerance: an exponential within 1 ulp of an argument rounded at 2e-6, and one division.
    @Test(arguments: oddLengths) func equalsTheDefinition(columns: Int) {
        for scale: Float in [1, 0.125, -0.5] {
            let s = normal(4 * columns, "s\(columns)", scale: 5)
            expectClose(
                softmax(s, columns: columns, scale: scale), Twin.softmax(doubles(s), scale: Double(scale), columns: columns), relative: 3e-6
            )
        }
    }

    /// softmax([x, 0]) shows the exponential itself: relative error of a few ulp, and one unit of the smallest denormal below 1e-38.
    @Test func exponentialOverItsWholeRange() {
        for step in 0...20_800 {
            let x = -Float(step) / 200
            let found = softmax([x, 0], columns: 2, scale: 1)[0]
            let expected = exp(Double(x)) / (1 + exp(Double(x)))
            #expect(abs(Double(found) - expected) <= 4 * 6e-8 * expected + 1.5e-45, "x = \(x)")
        }
        #expect(softmax([-200, 0], columns: 2, scale: 1) == [0, 1])
        #expect(softmax([-.greatestFiniteMagnitude, 0], columns: 2, scale: 1) == [0, 1])
    }

    /// As `torch.softmax` answers.
    @Test(arguments: [4, 40]) func nonFiniteRows(columns: Int) {
        func row(_ first: Float, rest: Float) -> [Float] { [first] + [Float](repeating: rest, count: columns - 1) }
        #expect(softmax(row(.nan, rest: 1), columns: columns, scale: 1).allSatisfy { $0.isNaN })
        #expect(softmax(row(.infinity, rest: 1), columns: columns, scale: 1).allSatisfy { $0.isNaN })
        #expect(softmax(row(-.infinity, rest: -.infinity), columns: columns, scale: 1).allSatisfy { $0.isNaN })
        #expect(softmax(row(.nan, rest: -.infinity), columns: columns, scale: 1).allSatisfy { $0.isNaN })
        #expect(softmax(row(0, rest: -.infinity), columns: columns, scale: 1) == row(1, rest: 0))
        let masked = softmax(row(-.infinity, rest: 3), columns: columns, scale: 1)
        #expect(masked[0] == 0)
        expectClose(Array(masked.dropFirst()), [Double](repeating: 1 / Double(columns - 1), count: columns - 1), relative: 1e-6)
    }

    @Test(arguments: [2, 3, 8, 9, 31, 33]) func gradientEqualsFiniteDifferences(columns: Int) {
        let s = normal(3 * columns, "gs\(columns)", scale: 2)
        let da = normal(3 * columns, "gda\(columns)")
        let scale: Float = 0.3
        let a = Tensor([3, columns], softmax(s, columns: columns, scale: scale))
        var ds = Tensor([3, columns])
        softmaxGradient(Tensor([3, columns], da), a: a, scale: scale, into: &ds)
        let expected = finiteDifferences(doubles(s)) {
            inner(Twin.softmax($0, scale: Double(scale), columns: columns), doubles(da))
        }
        // A difference of values of order 1, each rounded a few times.
        expectClose(ds.values, expected, relative: 1e-5, absolute: 1e-6)
    }

    /// Scores of 10^14, as networks give whose tokens are replaced by huge values: what a fused product adds to the difference is more
    /// than an exponential holds.
    @Test func hugeScoresKeepTheirMaximum() {
        for columns in [3, 16, 40] {
            for sign in [Float(1), -1] {
                let scores = (0..<columns).map { sign * (3.0000001e14 + Float($0 * 7 % columns) * 1.1e8) }
                var s = Tensor([1, columns], scores)
                softmaxRows(&s, scale: 0.35355338)
                let rounded = scores.map { $0 * 0.35355338 }
                let hits = rounded.map { $0 == rounded.max()! ? Float(1) : 0 }
                let count = hits.reduce(0, +)
                #expect(s.values == hits.map { $0 / count })
            }
        }
    }
}
