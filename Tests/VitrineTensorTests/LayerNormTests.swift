import Testing
import VitrineTensor

@Suite struct LayerNormTests {
    private func run(
        _ x: [Float], rows: Int, weight: [Float], bias: [Float], epsilon: Float = 1e-6
    ) -> (y: Tensor, mean: Tensor, inverse: Tensor) {
        let columns = weight.count
        var y = Tensor([rows, columns])
        var mean = Tensor([rows])
        var inverse = Tensor([rows])
        layerNorm(
            Tensor([rows, columns], x), weight: Tensor([columns], weight), bias: Tensor([columns], bias), epsilon: epsilon, into: &y,
            mean: &mean, inverseDeviation: &inverse)
        return (y, mean, inverse)
    }

    /// Tolerance: about ten Float32 roundings, of values up to 3 times a weight up to 3.
    @Test(arguments: oddLengths) func equalsTheDefinition(columns: Int) {
        let rows = 5
        let x = normal(rows * columns, "x\(columns)", scale: 2, offset: 0.5)
        let weight = normal(columns, "weight")
        let bias = normal(columns, "bias")
        let found = run(x, rows: rows, weight: weight, bias: bias)
        let expected = Twin.layerNorm(doubles(x), weight: doubles(weight), bias: doubles(bias), epsilon: Double(Float(1e-6)))
        // Of a single column nothing is left: y is the bias, and the inverse deviation 1 / sqrt(epsilon).
        expectClose(found.y.values, expected.y, relative: 2e-6, absolute: 4e-6)
        expectClose(found.mean.values, expected.mean, relative: 1e-6, absolute: 1e-6)
        expectClose(found.inverse.values, expected.inverseDeviation, relative: 1e-5)
    }

    /// Scales from 1e-15 to 1e15; beyond 1e19 the squares leave Float32, in PyTorch too.
    @Test(arguments: [Float(1e-15), 1e-3, 1e3, 1e15]) func largeAndSmallMagnitudes(scale: Float) {
        let x = normal(3 * 65, "scaled", scale: scale)
        let ones = [Float](repeating: 1, count: 65)
        let zeros = [Float](repeating: 0, count: 65)
        let found = run(x, rows: 3, weight: ones, bias: zeros)
        let expected = Twin.layerNorm(doubles(x), weight: doubles(ones), bias: doubles(zeros), epsilon: Double(Float(1e-6)))
        expectClose(found.y.values, expected.y, relative: 2e-6, absolute: 1e-6)
    }

    /// A large mean costs digits of the input only: with mean 1000 and deviation 1, one rounding of a mean is 3e-5, and so is the bound.
    @Test func noCancellationUnderALargeMean() {
        let x = normal(768, "offset", offset: 1000)
        let found = run(x, rows: 1, weight: [Float](repeating: 1, count: 768), bias: [Float](repeating: 0, count: 768))
        let expected = Twin.layerNorm(
            doubles(x), weight: [Double](repeating: 1, count: 768), bias: [Double](repeating: 0, count: 768), epsilon: 1e-6)
        expectClose(found.y.values, expected.y, relative: 1e-5, absolute: 2e-4)
    }

    @Test func nonFiniteValuesStayInTheirRow() {
        var x = normal(4 * 33, "rows")
        x[33 + 7] = .nan
        x[2 * 33 + 32] = .infinity
        let weight = [Float](repeating: 1, count: 33)
        let clean = normal(4 * 33, "rows")
        let found = run(x, rows: 4, weight: weight, bias: weight).y
        let expected = run(clean, rows: 4, weight: weight, bias: weight).y
        #expect(bits(found[0]) == bits(expected[0]))
        #expect(found[1].values.allSatisfy { $0.isNaN })
        #expect(found[2].values.allSatisfy { !$0.isFinite || $0 == 1 })
        #expect(found[2].values[32].isNaN)
        #expect(bits(found[3]) == bits(expected[3]))
    }

    /// Tolerance: about ten roundings of terms up to 10.
    @Test(arguments: [2, 3, 8, 9, 31, 33]) func gradientsEqualFiniteDifferences(columns: Int) {
        let rows = 3
        let x = normal(rows * columns, "gx\(columns)", scale: 1.5)
        let weight = normal(columns, "gw")
        let bias = normal(columns, "gb")
        let dy = normal(rows * columns, "gdy\(columns)")
        let epsilon: Float = 1e-2
        let forward = run(x, rows: rows, weight: weight, bias: bias, epsilon: epsilon)
        func loss(_ x: [Double], _ weight: [Double], _ bias: [Double]) -> Double {
            inner(Twin.layerNorm(x, weight: weight, bias: bias, epsilon: Double(epsilon)).y, doubles(dy))
        }
        let xTensor = Tensor([rows, columns], x)
        let dyTensor = Tensor([rows, columns], dy)
        var dx = Tensor([rows, columns], normal(rows * columns, "overwritten"))
        layerNormGradient(
            dyTensor, x: xTensor, weight: Tensor([columns], weight), mean: forward.mean, inverseDeviation: forward.inverse, into: &dx)
        expectClose(
            dx.values, finiteDifferences(doubles(x)) { loss($0, doubles(weight), doubles(bias)) }, relative: 1e-5, absolute: 2e-5)

        // Added to what is there: 1 and 2.
        var dWeight = Tensor([columns], [Float](repeating: 1, count: columns))
        var dBias = Tensor([columns], [Float](repeating: 2, count: columns))
        layerNormWeightGradient(
            dyTensor, x: xTensor, mean: forward.mean, inverseDeviation: forward.inverse, addingTo: &dWeight, bias: &dBias)
        let weightExpected = finiteDifferences(doubles(weight)) { loss(doubles(x), $0, doubles(bias)) }
        let biasExpected = finiteDifferences(doubles(bias)) { loss(doubles(x), doubles(weight), $0) }
        expectClose(dWeight.values, weightExpected.map { $0 + 1 }, relative: 1e-5, absolute: 1e-5)
        expectClose(dBias.values, biasExpected.map { $0 + 2 }, relative: 1e-5, absolute: 1e-5)
    }

    /// More rows and columns than one block of partial sums holds.
    @Test func weightGradientAcrossBlocks() {
        let (rows, columns) = (150, 131)
        let x = normal(rows * columns, "bx")
        let dy = normal(rows * columns, "bdy")
        let ones = [Float](repeating: 1, count: columns)
        let forward = run(x, rows: rows, weight: ones, bias: ones)
        var dWeight = Tensor([columns])
        var dBias = Tensor([columns])
        layerNormWeightGradient(
            Tensor([rows, columns], dy), x: Tensor([rows, columns], x), mean: forward.mean, inverseDeviation: forward.inverse,
            addingTo: &dWeight, bias: &dBias)
        let zeros = [Double](repeating: 0, count: columns)
        let normalised = Twin.layerNorm(doubles(x), weight: doubles(ones), bias: zeros, epsilon: 1e-6).y
        var weightExpected = zeros
        var biasExpected = zeros
        for i in 0..<(rows * columns) {
            weightExpected[i % columns] += Double(dy[i]) * normalised[i]
            biasExpected[i % columns] += Double(dy[i])
        }
        // 150 terms of order 1: roundings of partial sums up to 30.
        expectClose(dWeight.values, weightExpected, relative: 1e-6, absolute: 3e-5)
        expectClose(dBias.values, biasExpected, relative: 1e-6, absolute: 3e-5)
    }
}
