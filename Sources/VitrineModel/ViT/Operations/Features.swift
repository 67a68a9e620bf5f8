import VitrineTensor

/// From the pooled vector y to what the head reads: `f = P y`, and with unit features `f / |f|` (CLIP, https://arxiv.org/abs/2103.00020).
struct FeatureState {
    /// f `[B, featureWidth]`; the pooled vector itself where there is no projection.
    var projected: Tensor
    /// What the head reads `[B, featureWidth]`.
    var output: Tensor
}

extension Pass {
    func features(_ pooled: Tensor) -> FeatureState {
        let projected = model.visualProjection.map { linear($0, pooled) } ?? pooled
        return FeatureState(projected: projected, output: configuration.hasUnitFeatures ? unit(projected) : projected)
    }

    /// By the pooled vector; with `gradients`, adds that of the projection.
    ///
    /// `df = (g - u <u, g>) / |f|` with `u = f / |f|`. Under the rule that freezes deviations |f| counts as a constant too: `df = g / |f|`.
    func gradientOfFeatures(
        _ s: FeatureState, pooled: Tensor, _ dOutput: Tensor, rule: GradientRule, into gradients: inout VisionTransformer?
    ) -> Tensor {
        let dProjected = configuration.hasUnitFeatures ? gradientOfUnit(s, dOutput, isFrozen: rule.norm == .frozenDeviation) : dOutput
        guard let projection = model.visualProjection else { return dProjected }
        if gradients != nil { gradients!.visualProjection!.accumulate(dy: dProjected, x: pooled) }
        return gradient(of: projection, x: pooled, y: s.projected, dProjected, gamma: rule.gamma)
    }

    /// The length counts as a constant, which no share of a sum depends on: relevance passes the scaling unchanged.
    func relevanceOfFeatures(_ s: FeatureState, pooled: Tensor, _ r: Tensor) -> Tensor {
        model.visualProjection.map { relevance(of: $0, x: pooled, y: s.projected, r) } ?? r
    }

    /// Lengths below 1e-12 count as that, as in PyTorch's `normalize`.
    private func unit(_ f: Tensor) -> Tensor {
        let (rows, d) = (f.shape[0], f.shape[1])
        var u = workspace.tensor(f.shape)
        f.withSpan { f in
            u.withMutableSpan { u in
                for b in 0..<rows {
                    var square = 0.0
                    for i in b * d..<(b + 1) * d { square += Double(f[i]) * Double(f[i]) }
                    let length = max(square.squareRoot(), 1e-12)
                    for i in b * d..<(b + 1) * d { u[i] = Float(Double(f[i]) / length) }
                }
            }
        }
        return u
    }

    private func gradientOfUnit(_ s: FeatureState, _ dUnit: Tensor, isFrozen: Bool) -> Tensor {
        let (rows, d) = (dUnit.shape[0], dUnit.shape[1])
        var df = workspace.tensor(dUnit.shape)
        s.projected.withSpan { f in
            s.output.withSpan { u in
                dUnit.withSpan { g in
                    df.withMutableSpan { df in
                        for b in 0..<rows {
                            var (square, along) = (0.0, 0.0)
                            for i in b * d..<(b + 1) * d {
                                square += Double(f[i]) * Double(f[i])
                                along += Double(u[i]) * Double(g[i])
                            }
                            let length = max(square.squareRoot(), 1e-12)
                            if isFrozen { along = 0 }
                            for i in b * d..<(b + 1) * d { df[i] = Float((Double(g[i]) - Double(u[i]) * along) / length) }
                        }
                    }
                }
            }
        }
        return df
    }
}
