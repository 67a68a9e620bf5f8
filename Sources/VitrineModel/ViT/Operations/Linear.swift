import VitrineTensor

/// `y = x W^T + b`.
public struct Linear: Sendable {
    /// `[out, in]`, as PyTorch stores it.
    public var weight: Tensor { didSet { packed = nil } }
    /// `[out]`.
    public var bias: Tensor?
    /// Of a model that is only read (`VisionTransformer.packing`).
    var packed: PackedWeight?

    public init(weight: Tensor, bias: Tensor?) {
        precondition(weight.shape.rank == 2, "a linear weight has two dimensions")
        precondition(bias == nil || bias!.count == weight.shape[0], "a bias has one value per output")
        self.weight = weight
        self.bias = bias
    }

    /// `W`, `[out, in]`, as a factor of products.
    var matrix: Matrix { packed?.matrix(weight) ?? weight.matrix }
    /// `W^T`, `[in, out]`, for a pass; `threads` share what there is to prepare.
    func transposed(threads: Int) -> Matrix { packed?.transposed(weight, threads: threads) ?? weight.matrix.transposed }

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
        multiplyRows(x, linear.transposed(threads: threads), bias: linear.bias, into: &y, threads: threads)
        return y
    }

    /// `dx = dy W`, `[.., out]` -> `[.., in]`.
    func gradient(of linear: Linear, _ dy: Tensor) -> Tensor {
        var dx = tensor(like: dy, columns: linear.inputs)
        multiplyRows(dy, linear.matrix, into: &dx, threads: threads)
        return dx
    }

    /// The same under the generalised gamma rule (Montavon et al. 2019; zennit's `Gamma`): outputs above 0 count their positive terms `1 + gamma` times,
    /// outputs below 0 their negative ones. `value * gradient` is then the relevance by that rule; 0 is the plain derivative.
    ///
    /// - Parameters:
    ///   - x: what went in.
    ///   - y: what came out, bias included.
    func gradient(of linear: Linear, x: Tensor, y: Tensor, _ dy: Tensor, gamma: Float) -> Tensor {
        guard gamma != 0 else { return gradient(of: linear, dy) }
        let weight = linear.matrix
        func products(_ a: Matrix, _ b: Matrix, like shape: Tensor) -> Tensor {
            var result = workspace.tensor(shape.shape)
            multiplyRows(a, b, into: &result, threads: threads)
            return result
        }
        let (up, down) = (x.matrix.positives, x.matrix.negatives)
        let positive = sum(
            products(up, weight.positives.transposed, like: y), products(down, weight.negatives.transposed, like: y))
        let negative = sum(
            products(up, weight.negatives.transposed, like: y), products(down, weight.positives.transposed, like: y))
        var above = workspace.zeros(y.shape)
        var below = workspace.zeros(y.shape)
        let columns = linear.outputs
        let bias = linear.bias?.values ?? [Float](repeating: 0, count: columns)
        dy.withSpan { dy in
            y.withSpan { y in
                positive.withSpan { p in
                    negative.withSpan { n in
                        above.withMutableSpan { a in
                            below.withMutableSpan { b in
                                for i in 0..<y.count {
                                    let own = bias[i % columns]
                                    let isUp = y[i] > 0
                                    let z = y[i] + gamma * (isUp ? p[i] + max(own, 0) : n[i] + min(own, 0))
                                    let ratio = dy[i] * y[i] / (z + (z < 0 ? -1e-6 : 1e-6))
                                    if isUp { a[i] = ratio } else { b[i] = ratio }
                                }
                            }
                        }
                    }
                }
            }
        }
        let plain = sum(products(above.matrix, weight, like: x), products(below.matrix, weight, like: x))
        let forUp = sum(products(above.matrix, weight.positives, like: x), products(below.matrix, weight.negatives, like: x))
        let forDown = sum(products(above.matrix, weight.negatives, like: x), products(below.matrix, weight.positives, like: x))
        var dx = plain
        x.withSpan { x in
            forUp.withSpan { u in
                forDown.withSpan { d in dx.withMutableSpan { dx in for i in 0..<dx.count { dx[i] += gamma * (x[i] > 0 ? u[i] : d[i]) } } }
            }
        }
        return dx
    }

    /// The alpha-1 rule: `Z+ = x+ W+^T + x- W-^T = (x W^T + |x| |W|^T) / 2`, `s = R / Z+`, `R_in = x+ (s W+) + x- (s W-)`; the bias takes
    /// no part. `x W^T` is known and one sign of each x is nought, so that two products do.
    ///
    /// - Parameter y: the output with its bias, known from the forward pass.
    func relevance(of linear: Linear, x: Tensor, y: Tensor, _ r: Tensor) -> Tensor {
        let weight = linear.matrix
        var p = workspace.tensor(r.shape)
        multiplyRows(x.matrix.magnitudes, weight.magnitudes.transposed, into: &p, threads: threads)
        var s = workspace.tensor(r.shape)
        relevanceRatio(r, x: x, weight: linear.weight, product: y, bias: linear.bias, absoluteProduct: p, into: &s, threads: threads)
        var factors = workspace.tensor(x.shape)
        multiplyRows(s, weight, choosingBy: x, into: &factors, threads: threads)
        var result = workspace.tensor(x.shape)
        multiply(x, factors, into: &result, threads: threads)
        return result
    }
}
