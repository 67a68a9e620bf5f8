import Testing
import VitrineTensor

@Suite struct RelevanceTests {
    /// Values of order 1 with zeros, denormals and the awkward ±1e-9 among them.
    private func mixed(_ n: Int, _ name: String) -> [Float] {
        var x = normal(n, name)
        let awkward: [Float] = [0, -0.0, 1e-9, -1e-9, 1e-40, -1e-40, 1e20, -1e20]
        for (k, v) in awkward.enumerated() where 3 * k + 1 < n { x[3 * k + 1] = v }
        return x
    }

    @Test(arguments: oddLengths) func stepsEqualTheirDefinitions(n: Int) {
        let (r, x, p) = (normal(n, "r"), mixed(n, "x"), normal(n, "p"))
        func tensor(_ v: [Float]) -> Tensor { Tensor([n], v) }
        var found = Tensor([n])
        safeDivide(tensor(r), tensor(x), into: &found)
        // One addition and one division; next to -1e-9 the addition is exact.
        expectClose(found.values, zip(r, x).map { Twin.safeDivide(Double($0), Double($1)) }, relative: 2e-7, "safe quotient")
        relevanceClone(tensor(r), tensor(p), x: tensor(x), into: &found)
        expectClose(
            found.values,
            (0..<n).map { i in
                let x = Double(x[i])
                return x * (Twin.safeDivide(Double(r[i]), x) + Twin.safeDivide(Double(p[i]), x))
            }, relative: 1e-6, absolute: 1e-6, "clone")
    }

    /// The rule equals the sign-split form of the published code, for sums of any sign and where almost all products are negative.
    @Test(arguments: [Float(0), 3, 30]) func linearRuleEqualsTheSignSplitForm(imbalance: Float) {
        let (rows, inputs, outputs) = (3, 17, 9)
        let x = normal(rows * inputs, "lx").map { $0 + imbalance }
        // Of each output's weights the first is positive, so that it has a positive product, perhaps its only one.
        let w = normal(outputs * inputs, "lw").enumerated().map { $0 % inputs == 0 ? abs($1) / (1 + imbalance) : $1 - imbalance }
        let r = normal(rows * outputs, "lr").map(abs)
        let bias = normal(outputs, "lb").map { 10 * $0 }
        let xTensor = Tensor([rows, inputs], x)
        let wTensor = Tensor([outputs, inputs], w)
        let bTensor = Tensor([outputs], bias)
        var (y, p, s) = (Tensor([rows, outputs]), Tensor([rows, outputs]), Tensor([rows, outputs]))
        multiplyRows(xTensor, wTensor.matrix.transposed, bias: bTensor, into: &y)
        multiply(xTensor.matrix.magnitudes, wTensor.matrix.magnitudes.transposed, into: &p)
        relevanceRatio(Tensor([rows, outputs], r), x: xTensor, weight: wTensor, product: y, bias: bTensor, absoluteProduct: p, into: &s)
        var (factors, found) = (Tensor([rows, inputs]), Tensor([rows, inputs]))
        multiplyRows(s, wTensor.matrix, choosingBy: xTensor, into: &factors)
        multiply(xTensor, factors, into: &found)

        var expected = [Double](repeating: 0, count: rows * inputs)
        for i in 0..<rows {
            for o in 0..<outputs {
                let products = (0..<inputs).map { max(0, Double(x[i * inputs + $0]) * Double(w[o * inputs + $0])) }
                let ratio = Twin.safeDivide(Double(r[i * outputs + o]), products.reduce(0, +))
                for k in 0..<inputs { expected[i * inputs + k] += products[k] * ratio }
            }
        }
        // A sum that keeps a 32nd of what went into it loses five bits; smaller ones are summed anew.
        expectClose(found.values, expected, relative: 1e-5, absolute: 2e-6)
        // Relevance is conserved: every output had a positive product.
        #expect(abs(sum(found) - r.reduce(0) { $0 + Double($1) }) < 1e-5)
    }

    /// By hand: s = 1/4 twice, shares 3/4 + 1/4 and 1/4 + 3/4, sums 1 and 1 of a total of 2, so nothing is rescaled.
    @Test func additionByHand() {
        var (r1, r2) = (Tensor([2]), Tensor([2]))
        relevanceAdd(Tensor([2], [1, 1]), Tensor([2], [3, 1]), Tensor([2], [1, 3]), stabiliser: 0, into: &r1, &r2)
        expectClose(r1.values, [0.75, 0.25], relative: 1e-6)
        expectClose(r2.values, [0.25, 0.75], relative: 1e-6)
    }

    @Test(arguments: [Float(0), 0.03, 1]) func additionEqualsTheDefinition(stabiliser: Float) {
        for n in oddLengths {
            // Offsets keep the sums away from 0, where the renormalisation magnifies rounding without bound.
            let (r, z1, z2) = (normal(n, "ar", offset: 3), normal(n, "a1", offset: 3), normal(n, "a2", offset: 4))
            var (r1, r2) = (Tensor([n]), Tensor([n]))
            relevanceAdd(Tensor([n], r), Tensor([n], z1), Tensor([n], z2), stabiliser: stabiliser, into: &r1, &r2)
            let expected = Twin.relevanceAdd(doubles(r), doubles(z1), doubles(z2), stabiliser: Double(stabiliser))
            expectClose(r1.values, expected.0, relative: 3e-6, absolute: 1e-7, "n = \(n)")
            expectClose(r2.values, expected.1, relative: 3e-6, absolute: 1e-7, "n = \(n)")
            let total = r.reduce(0) { $0 + Double($1) }
            #expect(abs(sum(r1) + sum(r2) - total) < 1e-5 * abs(total), "conserved")
        }
    }

    /// Sums given, of parts whose rounding cancels: what Float32 would add up is not the sum.
    @Test(arguments: [Float(0), 0.03]) func aKnownSumIsNotAddedUpAgain(stabiliser: Float) {
        let n = 33
        let (r, z1, q) = (normal(n, "kr", offset: 3), normal(n, "k1", offset: 3), normal(n, "kq").map { $0 * 1e-7 + 1e-6 })
        let z2 = zip(z1, q).map { Double($1) - Double($0) }
        var (r1, r2) = (Tensor([n]), Tensor([n]))
        relevanceAdd(
            Tensor([n], r), Tensor([n], z1), Tensor([n], z2.map(Float.init)), sum: Tensor([n], q), stabiliser: stabiliser, into: &r1, &r2)
        let expected = Twin.relevanceAdd(doubles(r), doubles(z1), z2, stabiliser: Double(stabiliser))
        // Parts of order 1e6 to Float32's rounding.
        expectClose(r1.values, expected.0, relative: 3e-6, "\(stabiliser)")
        expectClose(r2.values, expected.1, relative: 3e-6, "\(stabiliser)")
        var (plain1, plain2) = (Tensor([n]), Tensor([n]))
        relevanceAdd(Tensor([n], r), Tensor([n], z1), Tensor([n], z2.map(Float.init)), stabiliser: stabiliser, into: &plain1, &plain2)
        #expect(zip(plain1.values, r1.values).contains { abs($0 - $1) > 1e-3 * abs($1) }, "the case is one that matters")
    }

    /// A channel where z1 + z2 is nearly 0 blows the published rule up and leaves the stabilised one bounded by r |z| / (2 stabiliser).
    @Test func stabiliserBoundsNearCancellation() {
        let (r, z1, z2) = (Tensor([3], [1, 1, 1]), Tensor([3], [1, 2, 3]), Tensor([3], [-0.999_999, 2, 3]))
        var (plain1, plain2) = (Tensor([3]), Tensor([3]))
        relevanceAdd(r, z1, z2, stabiliser: 0, into: &plain1, &plain2)
        var (stable1, stable2) = (Tensor([3]), Tensor([3]))
        relevanceAdd(r, z1, z2, stabiliser: 0.1, into: &stable1, &stable2)
        // With s near 1e6 in channel 0, the other channels are left with a millionth.
        #expect(abs(plain1.values[1]) < 1e-5)
        // Channel 0 drops out; the other two share the total of 3 evenly between both summands.
        expectClose(stable1.values, [0, 0.75, 0.75], relative: 0, absolute: 1e-3)
        expectClose(stable2.values, [0, 0.75, 0.75], relative: 0, absolute: 1e-3)
        #expect(abs(sum(stable1) + sum(stable2) - 3) < 1e-5)
    }

    @Test func noRelevanceStaysNone() {
        let zeros = Tensor([5])
        var (r1, r2) = (Tensor([5]), Tensor([5]))
        relevanceAdd(zeros, Tensor([5], [1, 2, 3, 4, 5]), zeros, stabiliser: 0, into: &r1, &r2)
        #expect(r1.values == [0, 0, 0, 0, 0] && r2.values == [0, 0, 0, 0, 0])
        relevanceAdd(Tensor([5], [1, 1, 1, 1, 1]), zeros, zeros, stabiliser: 0, into: &r1, &r2)
        #expect(r1.values == [0, 0, 0, 0, 0] && r2.values == [0, 0, 0, 0, 0])
    }

    @Test func nonFiniteRelevanceIsNotHidden() {
        var (r1, r2) = (Tensor([2]), Tensor([2]))
        relevanceAdd(Tensor([2], [.nan, 1]), Tensor([2], [1, 1]), Tensor([2], [1, 1]), stabiliser: 0, into: &r1, &r2)
        #expect(r1.values.allSatisfy { $0.isNaN } && r2.values.allSatisfy { $0.isNaN })
        var s = Tensor([2])
        relevanceRatio(
            Tensor([2], [1, .nan]), x: Tensor([1], [1]), weight: Tensor([2, 1], [1, 1]), product: Tensor([2], [.nan, 1]),
            absoluteProduct: Tensor([2], [1, 1]), into: &s)
        #expect(s.values.allSatisfy { $0.isNaN })
    }
}
