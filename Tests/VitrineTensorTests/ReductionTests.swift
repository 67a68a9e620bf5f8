import Testing
import VitrineTensor

@Suite struct ReductionTests {
    /// Double sums of a few hundred terms of order 1: 1e-12.
    @Test(arguments: oddLengths) func sumsEqualTheDefinition(n: Int) {
        let (a, b) = (normal(n, "a\(n)", offset: 0.3), normal(n, "b\(n)"))
        let (x, y) = (doubles(a), doubles(b))
        let tensor = Tensor([n], a)
        let total = x.reduce(0, +)
        #expect(abs(sum(tensor) - total) < 1e-12)
        #expect(abs(absoluteSum(tensor) - x.map(abs).reduce(0, +)) < 1e-12)
        #expect(abs(dot(tensor, Tensor([n], b)) - inner(x, y)) < 1e-12)
        let variance = x.map { ($0 - total / Double(n)) * ($0 - total / Double(n)) }.reduce(0, +) / Double(n)
        #expect(abs(standardDeviation(tensor) - variance.squareRoot()) < 1e-12)
        let extremes = minMax(tensor)
        #expect(extremes.minimum == a.min() && extremes.maximum == a.max())
    }

    /// What a Float32 sum would lose: 1e8 + 1 - 1e8.
    @Test func doubleAccumulation() {
        #expect(sum(Tensor([3], [1e8, 1, -1e8])) == 1)
        #expect(dot(Tensor([3], [1e8, 1, -1e8]), Tensor([3], [1, 1, 1])) == 1)
        #expect(abs(standardDeviation(Tensor([4], [1e6, 1e6 + 1, 1e6, 1e6 + 1])) - 0.5) < 1e-12)
    }

    @Test(arguments: [1, 5, 16, 37, 70_001]) func nonFiniteValuesAreCounted(n: Int) {
        var x = normal(n, "finite")
        let clean = minMax(Tensor([n], x))
        #expect(nonFiniteCounts(Tensor([n], x)) == (0, 0))
        x[0] = .nan
        x[n / 2] = n > 1 ? -.infinity : .nan
        x[n - 1] = n > 1 ? .infinity : .nan
        #expect(nonFiniteCounts(Tensor([n], x)) == (1, n > 1 ? 2 : 0))
        let extremes = minMax(Tensor([n], x))
        #expect(extremes == (n > 1 ? (-.infinity, .infinity) : (.infinity, -.infinity)))
        #expect(clean.minimum.isFinite && clean.maximum.isFinite)
        #expect(sum(Tensor([n], x)).isNaN)
    }

    @Test func nothing() {
        let empty = Tensor([0])
        #expect(sum(empty) == 0 && absoluteSum(empty) == 0 && dot(empty, empty) == 0)
        #expect(standardDeviation(empty).isNaN)
        #expect(minMax(empty) == (.infinity, -.infinity))
    }
}
