import Testing
import VitrineTensor

/// Row results must not depend on how many rows a call has, nor elements on their place, or batches would differ from singles.
@Suite struct ReproducibilityTests {
    private let columns = 37
    private let rows = 19

    /// Applies `operation` to all rows and to every row alone, and compares bits.
    private func check(
        _ what: String, inputs: Int, outputColumns: Int, inputColumns: Int? = nil, _ operation: ([Tensor], inout Tensor) -> Void
    ) {
        let inputColumns = inputColumns ?? columns
        let whole = (0..<inputs).map { Tensor([rows, inputColumns], normal(rows * inputColumns, "\(what)\($0)", scale: 3)) }
        var together = Tensor([rows, outputColumns])
        operation(whole, &together)
        for length in [1, 2, 5] {
            for first in stride(from: 0, through: rows - length, by: 1) {
                var part = Tensor([length, outputColumns])
                operation(whole.map { $0[first..<(first + length)] }, &part)
                #expect(bits(part) == bits(together[first..<(first + length)]), "\(what), rows \(first)..<\(first + length)")
            }
        }
    }

    @Test func rowsDoNotDependOnTheCall() {
        let weight = Tensor([columns], normal(columns, "weight"))
        let bias = Tensor([columns], normal(columns, "bias"))
        let square = Tensor([columns, columns], normal(columns * columns, "square"))
        check("LayerNorm", inputs: 1, outputColumns: columns) { x, y in
            var mean = Tensor([x[0].shape[0]])
            var inverse = Tensor([x[0].shape[0]])
            layerNorm(x[0], weight: weight, bias: bias, epsilon: 1e-6, into: &y, mean: &mean, inverseDeviation: &inverse)
        }
        check("LayerNorm gradient", inputs: 2, outputColumns: columns) { x, y in
            var mean = Tensor([x[0].shape[0]])
            var inverse = Tensor([x[0].shape[0]])
            var output = Tensor(x[0].shape)
            layerNorm(x[0], weight: weight, bias: bias, epsilon: 1e-6, into: &output, mean: &mean, inverseDeviation: &inverse)
            layerNormGradient(x[1], x: x[0], weight: weight, mean: mean, inverseDeviation: inverse, into: &y)
        }
        check("softmax", inputs: 1, outputColumns: columns) { x, y in
            y.replace(from: 0, with: x[0])
            softmaxRows(&y, scale: 0.3)
        }
        check("softmax gradient", inputs: 2, outputColumns: columns) { x, y in softmaxGradient(x[0], a: x[1], scale: 0.3, into: &y) }
        for kind in [Activation.gelu, .geluTanh, .quickGelu] {
            check("\(kind)", inputs: 1, outputColumns: columns) { x, y in activate(kind, x[0], into: &y) }
            check("\(kind) gradient", inputs: 2, outputColumns: columns) { x, y in
                activationGradient(kind, x: x[0], dy: x[1], into: &y)
            }
        }
        check("SwiGLU", inputs: 1, outputColumns: columns, inputColumns: 2 * columns) { x, y in siluGate(x[0], into: &y) }
        check("LayerScale", inputs: 1, outputColumns: columns) { x, y in scaleColumns(x[0], by: weight, into: &y) }
        check("scaled sum", inputs: 1, outputColumns: columns) { x, y in addScaled(x[0], 0.3, to: &y) }
        check("safe quotient", inputs: 2, outputColumns: columns) { x, y in safeDivide(x[0], x[1], into: &y) }
        check("relevance ratio", inputs: 3, outputColumns: columns) { x, y in
            relevanceRatio(x[0], x: x[1], weight: square, product: x[1], absoluteProduct: x[2], into: &y)
        }
        check("relevance clone", inputs: 3, outputColumns: columns) { x, y in relevanceClone(x[0], x[1], x: x[2], into: &y) }
    }
}
