import VitrineTensor

/// The weights of an MLP branch: of a block, or of attention pooling.
protocol MLPWeights {
    var norm2: LayerNorm { get set }
    var fc1: Linear { get set }
    /// Between the two maps, behind the activation.
    var hiddenNorm: LayerNorm? { get set }
    var fc2: Linear { get set }
    /// LayerScale.
    var scale2: Tensor? { get set }
}

/// The MLP branch of a block: `s2 (W2 g(W1 LN2 z' + b1) + b2)`, with a norm behind g where the network has one. The norms' and the
/// activation's values are cheap and computed again.
struct MLPState {
    var mean: Tensor
    var inverseDeviation: Tensor
    /// Output of the first map, bias included `[B, Q, firstHidden]`.
    var preActivation: Tensor
    /// Output of the second map, before LayerScale.
    var output: Tensor
    /// After LayerScale; `output` itself where there is none.
    var branch: Tensor
}

extension Pass {
    func mlp(_ block: some MLPWeights, _ middle: Tensor) -> MLPState {
        let norm = normed(block.norm2, middle)
        let pre = linear(block.fc1, norm.output)
        let output = linear(block.fc2, hidden(block, pre).output)
        return MLPState(
            mean: norm.mean, inverseDeviation: norm.inverseDeviation, preActivation: pre, output: output,
            branch: scaled(output, by: block.scale2))
    }

    /// By z', through this branch alone; with `gradients`, adds those of its weights.
    func gradientOfMLP<Weights: MLPWeights>(
        _ block: Weights, _ s: MLPState, middle: Tensor, dOutput: Tensor, rule: GradientRule, into gradients: inout Weights?
    ) -> Tensor {
        let dMLP = scaled(dOutput, by: block.scale2)
        let dHidden =
            rule.gamma == 0
            ? gradient(of: block.fc2, dMLP)
            : gradient(of: block.fc2, x: hidden(block, s.preActivation).output, y: s.output, dMLP, gamma: rule.gamma)
        let dActivated = block.hiddenNorm.map { gradient(of: $0, hidden(block, s.preActivation).norm!, dHidden, rule: rule) } ?? dHidden
        let dPre = gradientOfActivation(s.preActivation, dActivated, rule: rule)
        let dNorm2 =
            rule.gamma == 0
            ? gradient(of: block.fc1, dPre)
            : gradient(of: block.fc1, x: normed(block.norm2, middle).output, y: s.preActivation, dPre, gamma: rule.gamma)
        let norm = NormState(input: middle, output: middle, mean: s.mean, inverseDeviation: s.inverseDeviation)
        if gradients != nil {
            if block.scale2 != nil { accumulateScale(&gradients!.scale2, dOutput, s.output) }
            let hidden = hidden(block, s.preActivation)
            gradients!.fc2.accumulate(dy: dMLP, x: hidden.output)
            if let state = hidden.norm { gradients!.hiddenNorm!.accumulate(dy: dHidden, state) }
            gradients!.fc1.accumulate(dy: dPre, x: normed(block.norm2, middle).output)
            gradients!.norm2.accumulate(dy: dNorm2, norm)
        }
        return gradient(of: block.norm2, norm, dNorm2, rule: rule)
    }

    /// Relevance of z' through this branch.
    func relevanceOfMLP(_ block: some MLPWeights, _ s: MLPState, middle: Tensor, _ r: Tensor) -> Tensor {
        // The norm between the maps, like every norm, passes relevance unchanged.
        var rActivated = relevance(of: block.fc2, x: hidden(block, s.preActivation).output, y: s.output, r)
        if configuration.mlp == .swiGLU { rActivated = halvesOfGate(rActivated) }
        return relevance(of: block.fc1, x: normed(block.norm2, middle).output, y: s.preActivation, rActivated)
    }

    // MARK: Activation

    /// What the second map reads, `[B, Q, hidden]`.
    private func hidden(_ block: some MLPWeights, _ preActivation: Tensor) -> (output: Tensor, norm: NormState?) {
        let values = activated(preActivation)
        guard let norm = block.hiddenNorm else { return (values, nil) }
        let state = normed(norm, values)
        return (state.output, state)
    }

    /// Output of the MLP's non-linearity, `[B, Q, hidden]`.
    private func activated(_ preActivation: Tensor) -> Tensor {
        let columns = preActivation.shape.last
        var y = tensor(like: preActivation, columns: configuration.mlp == .swiGLU ? columns / 2 : columns)
        switch configuration.mlp {
        case .activation(let kind): activate(kind, preActivation, into: &y, threads: threads)
        case .swiGLU: siluGate(preActivation, into: &y)
        }
        return y
    }

    private func gradientOfActivation(_ x: Tensor, _ dy: Tensor, rule: GradientRule) -> Tensor {
        var dx = workspace.tensor(x.shape)
        switch (configuration.mlp, rule.activation) {
        case (.activation(let kind), .derivative): activationGradient(kind, x: x, dy: dy, into: &dx, threads: threads)
        case (.activation, .secant): activationSecant(x: x, y: activated(x), dy: dy, into: &dx)
        case (.swiGLU, .derivative): siluGateGradient(dy, x: x, into: &dx)
        case (.swiGLU, .secant): siluGateSecant(dy, x: x, into: &dx)
        }
        return dx
    }

    /// `silu(gate) * value`: half of the relevance to each factor, `[.., H]` -> `[.., 2 H]`.
    private func halvesOfGate(_ r: Tensor) -> Tensor {
        let hidden = configuration.hidden
        var half = r
        VitrineTensor.scale(&half, by: 0.5)
        var both = tensor(like: r, columns: 2 * hidden)
        let rows = half.reshaped([r.count / hidden, hidden])
        for row in 0..<rows.shape[0] {
            both.replace(from: 2 * row * hidden, with: rows[row])
            both.replace(from: (2 * row + 1) * hidden, with: rows[row])
        }
        return both
    }
}
