import VitrineTensor

extension Pass {
    /// LayerScale, or `x` itself where the model has none. Relevance passes through it unchanged.
    func scaled(_ x: Tensor, by gamma: Tensor?) -> Tensor {
        guard let gamma else { return x }
        var y = workspace.tensor(x.shape)
        scaleColumns(x, by: gamma, into: &y)
        return y
    }

    /// Adds LayerScale's gradient: `dgamma += sum over rows of dy * x`.
    func accumulateScale(_ gamma: inout Tensor?, _ dy: Tensor, _ x: Tensor) {
        guard gamma != nil else { return }
        var product = workspace.tensor(x.shape)
        multiply(dy, x, into: &product)
        columnSums(product, addingTo: &gamma!)
    }

    func sum(_ a: Tensor, _ b: Tensor) -> Tensor {
        var y = workspace.tensor(a.shape)
        add(a, b, into: &y, threads: threads)
        return y
    }

    /// Relevance of both sides of a residual addition `z1 + z2`, per image.
    ///
    /// - Parameter sum: what the forward pass has for `z1 + z2`. A pass in Float64 knows digits of it that the rounded sides have lost.
    func relevanceOfAdd(_ r: Tensor, _ z1: Tensor, _ z2: Tensor, sum: Tensor, rule: RelevanceRule) -> (Tensor, Tensor) {
        var r1 = workspace.tensor(r.shape)
        var r2 = workspace.tensor(r.shape)
        let sample = Shape(r.shape.dimensions.dropFirst())
        var part1 = workspace.tensor(sample)
        var part2 = workspace.tensor(sample)
        for b in 0..<r.shape[0] {
            var stabiliser: Float = 0
            if case .stabilised(let epsilon) = rule.addition {
                add(z1[b], z2[b], into: &part1)
                stabiliser = epsilon * Float(standardDeviation(part1))
            }
            switch rule.precision {
            case .single: relevanceAdd(r[b], z1[b], z2[b], stabiliser: stabiliser, into: &part1, &part2)
            case .double: relevanceAdd(r[b], z1[b], z2[b], sum: sum[b], stabiliser: stabiliser, into: &part1, &part2)
            }
            r1.replace(from: b * sample.count, with: part1)
            r2.replace(from: b * sample.count, with: part2)
        }
        return (r1, r2)
    }

    /// Relevance of a value that was read twice.
    func relevanceOfClone(_ r1: Tensor, _ r2: Tensor, x: Tensor) -> Tensor {
        var r = workspace.tensor(x.shape)
        relevanceClone(r1, r2, x: x, into: &r, threads: threads)
        return r
    }

    // MARK: Rows that the last block leaves out

    /// The first `count` rows of every image: `[B, rows, D]` -> `[B, count, D]`.
    func firstRows(_ x: Tensor, _ count: Int) -> Tensor {
        let (batch, rows, d) = (x.shape[0], x.shape[1], x.shape[2])
        guard count != rows else { return x }
        var first = workspace.tensor([batch, count, d])
        for b in 0..<batch { first.replace(from: b * count * d, with: x[b][0..<count]) }
        return first
    }

    /// The transpose of `firstRows`: zeros behind the rows given, `[B, count, D]` -> `[B, N, D]`.
    func allRows(_ x: Tensor) -> Tensor {
        let (batch, count, d) = (x.shape[0], x.shape[1], x.shape[2])
        guard count != layout.tokens else { return x }
        var all = workspace.zeros([batch, layout.tokens, d])
        for b in 0..<batch { all.replace(from: b * layout.tokens * d, with: x[b]) }
        return all
    }
}
