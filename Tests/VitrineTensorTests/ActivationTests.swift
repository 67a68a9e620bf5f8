import Testing
import VitrineTensor

@Suite struct ActivationTests {
    static let kinds: [(Activation, @Sendable (Double) -> Double)] = [
        (.gelu, Twin.gelu), (.geluTanh, Twin.geluTanh), (.quickGelu, Twin.quickGelu),
    ]

    private func apply(_ kind: Activation, _ x: [Float]) -> [Float] {
        var y = Tensor([x.count])
        activate(kind, Tensor([x.count], x), into: &y)
        return y.values
    }

    /// 3e-7 of max(1, |x|) (five roundings) where the definition is of that order, from -30 to 30 in steps of 1/500.
    @Test(arguments: 0..<3) func equalsTheDefinition(kind: Int) {
        let (activation, twin) = Self.kinds[kind]
        let x = (-15_000...15_000).map { Float($0) / 500 }
        let found = apply(activation, x)
        for (f, v) in zip(found, x) {
            let expected = twin(Double(v))
            #expect(abs(Double(f) - expected) <= 3e-7 * max(1, abs(expected)), "\(activation)(\(v))")
        }
    }

    /// The lower tail keeps its relative accuracy down to -5, where `1 + erf` in Float32 has one digit left.
    @Test func lowerTailOfGELU() {
        for step in 0...2000 {
            let x = -5 + Float(step) / 400
            // The error of x² / 2 enters the exponential's argument: 12.5 roundings of 6e-8, and a few more.
            expectClose(apply(.gelu, [x]), [Twin.gelu(Double(x))], relative: 1.5e-6, "x = \(x)")
        }
    }

    @Test(arguments: 0..<3) func extremes(kind: Int) {
        let activation = Self.kinds[kind].0
        #expect(apply(activation, [.infinity, 1e30, .greatestFiniteMagnitude]) == [.infinity, 1e30, .greatestFiniteMagnitude])
        #expect(apply(activation, [-1e30, -.greatestFiniteMagnitude, 0, -0.0]) == [0, 0, 0, 0])
        // -infinity * 0, as in PyTorch.
        #expect(apply(activation, [.nan, -.infinity]).allSatisfy { $0.isNaN })
        // Slope 1/2 at 0: a denormal gives half of itself.
        #expect(apply(activation, [1e-40, -1e-40]) == [0.5 * Float(1e-40), -0.5 * Float(1e-40)])
    }

    @Test(arguments: 0..<3) func gradientEqualsFiniteDifferences(kind: Int) {
        let (activation, twin) = Self.kinds[kind]
        let x = (-400...400).map { Float($0) / 33 }
        let dy = normal(x.count, "dy")
        var dx = Tensor([x.count])
        activationGradient(activation, x: Tensor([x.count], x), dy: Tensor([x.count], dy), into: &dx)
        let expected = x.indices.map { i in
            finiteDifferences([Double(x[i])]) { twin($0[0]) }[0] * Double(dy[i])
        }
        // Truncation of the difference (step up to 1.2e-3, third derivative up to 1) and five roundings.
        expectClose(dx.values, expected, relative: 1e-6, absolute: 1e-6)
    }

    /// Far out the slope is exactly 1 or 0, with no NaN from an overflown square.
    @Test(arguments: 0..<3) func gradientFarOut(kind: Int) {
        let x: [Float] = [30, 1e10, 1e30, .greatestFiniteMagnitude, -120, -1e10, -1e30, -.greatestFiniteMagnitude, .nan]
        var dx = Tensor([x.count])
        activationGradient(
            Self.kinds[kind].0, x: Tensor([x.count], x), dy: Tensor([x.count], [Float](repeating: 1, count: x.count)), into: &dx)
        expectClose(Array(dx.values.dropLast()), [1, 1, 1, 1, 0, 0, 0, 0], relative: 1e-6, absolute: 1e-37)
        #expect(dx.values.last!.isNaN)
    }

    @Test(arguments: [1, 3, 8, 9, 33]) func siluGateAndItsGradient(columns: Int) {
        let rows = 3
        let x = normal(rows * 2 * columns, "gate\(columns)", scale: 3)
        let dy = normal(rows * columns, "gatedy\(columns)")
        let xTensor = Tensor([rows, 2 * columns], x)
        var y = Tensor([rows, columns])
        siluGate(xTensor, into: &y)
        expectClose(y.values, Twin.siluGate(doubles(x), columns: columns), relative: 5e-7, absolute: 1e-9)
        var dx = Tensor([rows, 2 * columns])
        siluGateGradient(Tensor([rows, columns], dy), x: xTensor, into: &dx)
        expectClose(
            dx.values, finiteDifferences(doubles(x)) { inner(Twin.siluGate($0, columns: columns), doubles(dy)) }, relative: 1e-6,
            absolute: 3e-6)
    }
}
