import Testing
import VitrineTensor

@Suite struct PhiloxSamplingTests {
    /// Moments of 40,000 draws within five standard errors of 0, 1 and 0 (third moment: variance 15).
    @Test func normalMoments() {
        var stream = Philox(seed: 3, name: "normal")
        var sums = (0.0, 0.0, 0.0)
        let n = 40_000.0
        for _ in 0..<Int(n) {
            let x = stream.normal()
            sums.0 += x
            sums.1 += x * x
            sums.2 += x * x * x
        }
        #expect(abs(sums.0 / n) < 5 / n.squareRoot())
        #expect(abs(sums.1 / n - 1) < 5 * (2 / n).squareRoot())
        #expect(abs(sums.2 / n) < 5 * (15 / n).squareRoot())
    }

    /// All 24 orders of four elements come equally often: chi-square with 23 degrees of freedom below 60 (p > 0.9999).
    @Test func shuffleIsUniform() {
        var counts: [[Int]: Int] = [:]
        for i in 0..<24_000 {
            var stream = Philox(seed: 11, name: "shuffle", index: UInt64(i))
            let order = stream.permutation(4)
            #expect(order.sorted() == [0, 1, 2, 3])
            counts[order, default: 0] += 1
        }
        #expect(counts.count == 24)
        let chiSquare = counts.values.reduce(0.0) { $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000 }
        #expect(chiSquare < 60)
    }

    @Test func uniformFloatsFillTheUnitInterval() {
        var stream = Philox(seed: 5, name: "floats")
        let draws = (0..<20_000).map { _ in stream.uniformFloat() }
        #expect(draws.allSatisfy { $0 >= 0 && $0 < 1 })
        // Five standard errors of the mean.
        let mean: Float = draws.reduce(0, +) / 20_000
        let standardError: Float = 0.2887 / 141.4
        #expect(abs(mean - 0.5) < 5 * standardError)
    }
}
