import VitrineTensor

/// `y = x W^T + b`.
public struct Linear: Sendable {
    /// `[out, in]`, as PyTorch stores it.
    public var weight: Tensor
    /// `[out]`.
    public var bias: Tensor?

    public init(weight: Tensor, bias: Tensor?) {
        precondition(weight.shape.rank == 2, "a linear weight has two dimensions")
        precondition(bias == nil || bias!.count == weight.shape[0], "a bias has one value per output")
        self.weight = weight
        self.bias = bias
    }

    public var inputs: Int { weight.shape[1] }
    public var outputs: Int { weight.shape[0] }

    /// Adds the gradient of the weights: `dW += dy^T x`, `db += sum of dy's rows`.
    mutating func accumulate(dy: Tensor, x: Tensor) {
        multiply(dy.matrix.transposed, x.matrix, into: &weight, beta: 1)
        if bias != nil { columnSums(dy, addingTo: &bias!) }
    }
}

extension Pass {
    /// `y = x W^T + b` over all rows, `[.., in]` -> `[.., out]`.
    func linear(_ linear: Linear, _ x: Tensor) -> Tensor {
        var y = tensor(like: x, columns: linear.outputs)
        multiplyRows(x, linear.weight.matrix.transposed, bias: linear.bias, into: &y, threads: threads)
        return y
    }

    /// `dx = dy W`, `[.., out]` -> `[.., in]`.
    func gradient(of linear: Linear, _ dy: Tensor) -> Tensor {
        var dx = tensor(like: dy, columns: linear.inputs)
        multiplyRows(dy, linear.weight.matrix, into: &dx, threads: threads)
        return dx
    }

    /// The alpha-1 rule in three products: `Z+ = x+ W+^T + x- W-^T = (x W^T + |x| |W|^T) / 2`, `s = R / Z+`,
    /// `R_in = x+ (s W+) + x- (s W-)`; the bias takes no part.
    ///
    /// - Parameter y: the output with its bias, known from the forward pass.
    func relevance(of linear: Linear, x: Tensor, y: Tensor, _ r: Tensor) -> Tensor {
        let weight = linear.weight.matrix
        var p = workspace.tensor(r.shape)
        multiplyRows(x.matrix.magnitudes, weight.magnitudes.transposed, into: &p, threads: threads)
        var s = workspace.tensor(r.shape)
        relevanceRatio(r, x: x, weight: linear.weight, product: y, bias: linear.bias, absoluteProduct: p, into: &s, threads: threads)
        var a = workspace.tensor(x.shape)
        multiplyRows(s, weight.positives, into: &a, threads: threads)
        var b = workspace.tensor(x.shape)
        multiplyRows(s, weight.negatives, into: &b, threads: threads)
        var result = workspace.tensor(x.shape)
        relevanceCombine(x, a, b, into: &result, threads: threads)
        return result
    }
}
