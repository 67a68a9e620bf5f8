import VitrineTensor

/// Scale and shift of a LayerNorm, `[D]` each.
public struct LayerNorm: Sendable {
    public var weight: Tensor
    public var bias: Tensor

    public init(weight: Tensor, bias: Tensor) {
        self.weight = weight
        self.bias = bias
    }
}

/// A normalised tensor with what its gradient needs. Relevance passes through a norm unchanged.
struct NormState {
    /// What went in.
    var input: Tensor
    var output: Tensor
    /// One value per row.
    var mean: Tensor
    var inverseDeviation: Tensor
}

extension Pass {
    /// - Parameter epsilon: nil for the network's own.
    func normed(_ norm: LayerNorm, _ x: Tensor, epsilon: Float? = nil) -> NormState {
        let rows = x.count / norm.weight.count
        var y = workspace.tensor(x.shape)
        var mean = workspace.tensor([rows])
        var inverse = workspace.tensor([rows])
        layerNorm(
            x, weight: norm.weight, bias: norm.bias, epsilon: epsilon ?? configuration.normEpsilon, into: &y, mean: &mean,
            inverseDeviation: &inverse, threads: threads)
        return NormState(input: x, output: y, mean: mean, inverseDeviation: inverse)
    }

    func gradient(of norm: LayerNorm, _ state: NormState, _ dy: Tensor, rule: GradientRule = .exact) -> Tensor {
        var dx = workspace.tensor(state.input.shape)
        switch rule.norm {
        case .exact:
            layerNormGradient(
                dy, x: state.input, weight: norm.weight, mean: state.mean, inverseDeviation: state.inverseDeviation, into: &dx,
                threads: threads)
        case .frozenDeviation:
            layerNormFrozenGradient(dy, weight: norm.weight, inverseDeviation: state.inverseDeviation, into: &dx)
        }
        return dx
    }
}

extension LayerNorm {
    /// Adds the gradient of scale and shift.
    mutating func accumulate(dy: Tensor, _ state: NormState) {
        layerNormWeightGradient(
            dy, x: state.input, mean: state.mean, inverseDeviation: state.inverseDeviation, addingTo: &weight, bias: &bias)
    }
}
