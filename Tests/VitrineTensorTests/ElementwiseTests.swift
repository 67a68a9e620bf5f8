import Testing
import VitrineTensor

@Suite struct ElementwiseTests {
    /// Every pair of awkward values, against the same operation in Swift's Float: one IEEE operation each, so equal to the last bit.
    @Test func awkwardPairs() {
        let n = awkwardValues.count * awkwardValues.count
        let a = awkwardValues.flatMap { v in awkwardValues.map { _ in v } }
        let b = awkwardValues.flatMap { _ in awkwardValues }
        let (aTensor, bTensor) = (Tensor([n], a), Tensor([n], b))
        func check(_ found: Tensor, _ expected: [Float], _ what: String) {
            for (i, (f, e)) in zip(found.values, expected).enumerated() where !(f.isNaN && e.isNaN) {
                #expect(f.bitPattern == e.bitPattern, "\(what) of \(a[i]) and \(b[i])")
            }
        }
        var y = Tensor([n])
        add(aTensor, bTensor, into: &y)
        check(y, zip(a, b).map(+), "sum")
        multiply(aTensor, bTensor, into: &y)
        check(y, zip(a, b).map(*), "product")
        absolute(aTensor, into: &y)
        check(y, a.map(abs), "absolute value")
        y = bTensor
        add(aTensor, to: &y)
        check(y, zip(b, a).map(+), "sum in place")
        y = aTensor
        scale(&y, by: -2)
        check(y, a.map { $0 * -2 }, "multiple")
        safeDivide(aTensor, bTensor, into: &y)
        check(
            y,
            zip(a, b).map { a, b in
                let denominator = b + 1e-9
                return b == 0 ? 0 : a / (denominator == 0 ? 1e-9 : denominator)
            }, "safe quotient")
        #expect(bTensor.values.map(\.bitPattern) == b.map(\.bitPattern), "y was a copy of b: b stays")
    }

    @Test(arguments: oddLengths) func scaledSum(n: Int) {
        let (a, start) = (normal(n, "a"), normal(n, "start"))
        var y = Tensor([n], start)
        addScaled(Tensor([n], a), 0.7, to: &y)
        expectClose(y.values, zip(start, a).map { Double($0) + Double(Float(0.7)) * Double($1) }, relative: 2e-7, absolute: 1e-7)
    }

    @Test(arguments: oddLengths) func alongColumns(columns: Int) {
        for rows in [1, 3, 70] {
            let x = normal(rows * columns, "x")
            let v = normal(columns, "v")
            var biased = Tensor([rows, columns], x)
            addBias(Tensor([columns], v), to: &biased)
            #expect(biased.values == x.indices.map { x[$0] + v[$0 % columns] })
            var scaled = Tensor([rows, columns])
            scaleColumns(Tensor([rows, columns], x), by: Tensor([columns], v), into: &scaled)
            #expect(scaled.values == x.indices.map { x[$0] * v[$0 % columns] })
            var sums = Tensor([columns], v)
            columnSums(Tensor([rows, columns], x), addingTo: &sums)
            var expected = doubles(v)
            for (i, e) in x.enumerated() { expected[i % columns] += Double(e) }
            expectClose(sums.values, expected, relative: 1e-6, absolute: 1e-5)
        }
    }

    @Test func sizesThatDisagreeTrap() async {
        await #expect(processExitsWith: .failure) {
            var y = Tensor([3])
            add(Tensor([3]), Tensor([4]), into: &y)
        }
        await #expect(processExitsWith: .failure) {
            var y = Tensor([2, 3])
            addBias(Tensor([2]), to: &y)
        }
    }
}
