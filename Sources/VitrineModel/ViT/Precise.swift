import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Pass {
    /// The forward pass in Float64; every value that a relevance reads is then rounded to Float32, once.
    ///
    /// Relevance divides by sums that nearly cancel: the residual stream, contexts, products of queries and keys. In Float32 such a sum is
    /// what is left of the rounding of the whole pass, and of its rounded parts it cannot be had again. Here each is the Float32 nearest to
    /// the exact one, and Float32 is enough for all that follows.
    ///
    /// - Complexity: as the forward pass, in Float64.
    func preciseForward(_ input: NetworkInput, grid: PatchGrid, firstKept: Int) -> ForwardState {
        let c = configuration
        var z: [DoubleMatrix]
        var entered: Tensor
        var images: Tensor?
        var firstBlock = 0
        var norm1: Tensor?
        var inputNorm: NormState?
        switch input {
        case .images(let all):
            images = all
            z = preciseEmbedding(all, grid: grid)
            if let norm = model.inputNorm {
                let norms = z.map { preciseNorm(norm, $0) }
                inputNorm = rounded(z, norms)
                z = norms.map(\.output)
            }
            entered = rounded(z)
        case .tokens(let tokens, _, _, let block):
            firstBlock = block
            entered = block == c.depth ? firstRows(tokens, layout.lastRows) : tokens
            z = (0..<entered.shape[0]).map { DoubleMatrix(entered[$0]) }
        case .normed(let tokens, let values, _, let block):
            firstBlock = block
            entered = tokens
            norm1 = values
            z = (0..<entered.shape[0]).map { DoubleMatrix(entered[$0]) }
        case .masked: preconditionFailure("relevance is refused where patches are hidden")
        }
        var blocks = [BlockState?](repeating: nil, count: c.depth)
        for l in firstBlock..<c.depth {
            let weights = PreciseBlock(model.blocks[l])
            let values = z.indices.map { b in
                preciseBlock(l, weights, z[b], image: b, norm1: l == firstBlock ? norm1.map { DoubleMatrix($0[b]) } : nil)
            }
            z = values.map(\.output)
            if l >= firstKept { blocks[l] = rounded(values, model.blocks[l]) }
        }
        return ForwardState(
            images: images, grid: grid, firstBlock: firstBlock, entered: entered, inputNorm: inputNorm, blocks: blocks,
            readout: preciseReadout(z))
    }

    /// z_0 of every image.
    private func preciseEmbedding(_ images: Tensor, grid: PatchGrid) -> [DoubleMatrix] {
        let r = layout.prefix
        let map = PreciseLinear(model.patchEmbedding)
        let positions = positionTable(grid: grid).values
        var prefix = [model.classToken, model.distillationToken].compactMap { $0?.values }
        if let registers = model.registerTokens { prefix += (0..<registers.shape[0]).map { registers[$0].values } }
        var patches = workspace.tensor([grid.count, model.patchEmbedding.inputs])
        return (0..<images.shape[0]).map { b in
            im2patches(images[b], patch: configuration.patchSize, into: &patches)
            let embedded = map(DoubleMatrix(patches), threads: threads)
            return DoubleMatrix(rows: r + grid.count, columns: embedded.columns) { [prefix] i, row in
                for d in 0..<row.count {
                    row[d] = (i < r ? Double(prefix[i][d]) : embedded[i - r, d]) + Double(positions[i * row.count + d])
                }
            }
        }
    }

    private func preciseBlock(
        _ l: Int, _ weights: PreciseBlock, _ z: DoubleMatrix, image b: Int, norm1: DoubleMatrix?
    ) -> PreciseValues {
        let (c, block) = (configuration, model.blocks[l])
        let (n, d, outputRows) = (z.rows, c.headWidth, headLayout(l).outputRows)
        var norm = preciseNorm(model.blocks[l].norm1, z)
        if let norm1 { norm.output = norm1 }
        let mapped = weights.qkv(norm.output, threads: threads)
        let normed = preciseNormedHeads(block, mapped)
        let qkv = rotated(normed, block: l, image: b)
        let scale = 1 / Double(d).squareRoot()
        var products: [DoubleMatrix] = []
        var attention: [DoubleMatrix] = []
        var contexts: [DoubleMatrix] = []
        for h in 0..<c.heads {
            func part(_ i: Int) -> DoubleMatrix { qkv.slice(columns: i * c.width + h * d..<i * c.width + (h + 1) * d) }
            let product = part(0).times(part(1), transposed: true, threads: threads)
            // In units of the products, so that one factor scales both.
            let bias = block.relativePositions.map { relativeBias($0, image: b, head: h).map { $0 / scale } }
            let sums = bias.map { bias in
                DoubleMatrix(rows: n, columns: n) { i, row in for j in 0..<n { row[j] = product[i, j] + bias[i * n + j] } }
            }
            let scores = sums ?? product
            let softmax = DoubleMatrix(rows: n, columns: n, threads: threads) { i, row in
                var (top, total) = (-Double.infinity, 0.0)
                for j in 0..<n { top = max(top, scores[i, j]) }
                for j in 0..<n {
                    row[j] = exp((scores[i, j] - top) * scale)
                    total += row[j]
                }
                for j in 0..<n { row[j] /= total }
            }
            products.append(product)
            attention.append(softmax)
            contexts.append(softmax.slice(rows: 0..<outputRows).times(part(2), threads: threads))
        }
        let context = DoubleMatrix(rows: outputRows, columns: c.width) { [contexts] i, row in
            for e in 0..<row.count { row[e] = contexts[e / d][i, e % d] }
        }
        let contextNorm = block.contextNorm.map { preciseNorm($0, context) }
        let projected = weights.projection(contextNorm?.output ?? context, threads: threads)
        let branch1 = scaled(projected, by: weights.scale1)
        let middle = sum(z.slice(rows: 0..<outputRows), branch1)
        let norm2 = preciseNorm(block.norm2, middle)
        let preActivation = weights.fc1(norm2.output, threads: threads)
        let activation = activated(preActivation)
        let mlp = weights.fc2(block.hiddenNorm.map { preciseNorm($0, activation).output } ?? activation, threads: threads)
        let branch2 = scaled(mlp, by: weights.scale2)
        return PreciseValues(
            input: z, norm1: norm, mapped: mapped, normed: normed, qkv: qkv, products: products, attention: attention, context: context,
            contextNorm: contextNorm, projected: projected, branch1: branch1, middle: middle, norm2: norm2, preActivation: preActivation,
            mlp: mlp, branch2: branch2,
            output: sum(middle, branch2))
    }

    private func preciseReadout(_ z: [DoubleMatrix]) -> ReadoutState {
        let isBefore = configuration.normPlacement != .afterPooling
        var pools: [PrecisePool] = []
        func pool(_ x: DoubleMatrix) -> DoubleMatrix {
            guard let pool = model.attentionPool else { return self.pooled(x) }
            pools.append(precisePool(pool, x))
            return pools[pools.count - 1].output
        }
        let read = z.map { isBefore ? $0 : pool($0) }
        let norms = read.map { preciseLastNorm($0) }
        let pooled = norms.map { isBefore ? pool($0.output) : $0.output }
        let width = configuration.pooledWidth
        func vectors(_ rows: [DoubleMatrix]) -> Tensor { rounded(rows).reshaped([rows.count, rows[0].values.count]) }
        var norm = rounded(read, norms)
        if !isBefore {
            norm.input = norm.input.reshaped([z.count, width])
            norm.output = norm.output.reshaped([z.count, width])
        }
        let projected = model.visualProjection.map(PreciseLinear.init).map { projection in pooled.map { projection($0) } } ?? pooled
        let heads = configuration.hasUnitFeatures ? projected.map { preciseUnit($0) } : projected
        var state = ReadoutState(
            tokens: rounded(z), pooling: .own, norm: norm, pooled: vectors(pooled), attentionPool: pools.isEmpty ? nil : rounded(pools),
            features: FeatureState(projected: vectors(projected), output: vectors(heads)))
        guard let head = model.head.map(PreciseLinear.init) else { return state }
        var logits = heads.map { head($0) }
        if configuration.pooling == .distilled, let second = model.distillationHead.map(PreciseLinear.init) {
            let tokens = norms.map { $0.output.slice(rows: 1..<2) }
            logits = zip(logits, tokens).map { scaled(sum($0, second($1)), by: [Double](repeating: 0.5, count: $0.columns)) }
            state.distilled = vectors(tokens)
        }
        state.logits = vectors(logits)
        return state
    }

    // MARK: Parts

    private func preciseLastNorm(_ x: DoubleMatrix) -> PreciseNorm {
        guard configuration.normPlacement == .absent else { return preciseNorm(model.norm, x) }
        let nothing = DoubleMatrix(rows: x.rows, columns: 1) { _, _ in }
        return PreciseNorm(output: x, mean: nothing, inverseDeviation: nothing)
    }

    /// A vector scaled to length 1.
    private func preciseUnit(_ x: DoubleMatrix) -> DoubleMatrix {
        let length = max(x.values.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
        return DoubleMatrix(rows: 1, columns: x.columns) { _, row in for j in 0..<row.count { row[j] = x[0, j] / length } }
    }

    func preciseNorm(_ norm: LayerNorm, _ x: DoubleMatrix, epsilon: Float? = nil) -> PreciseNorm {
        let (weight, bias) = (norm.weight.values, norm.bias.values)
        let epsilon = Double(epsilon ?? configuration.normEpsilon)
        // Mean and inverse deviation of each row.
        let statistics = DoubleMatrix(rows: x.rows, columns: 2) { i, row in
            var (mean, variance) = (0.0, 0.0)
            for d in 0..<x.columns { mean += x[i, d] }
            mean /= Double(x.columns)
            for d in 0..<x.columns { variance += (x[i, d] - mean) * (x[i, d] - mean) }
            (row[0], row[1]) = (mean, 1 / (variance / Double(x.columns) + epsilon).squareRoot())
        }
        let output = DoubleMatrix(rows: x.rows, columns: x.columns, threads: threads) { i, row in
            for d in 0..<row.count { row[d] = (x[i, d] - statistics[i, 0]) * statistics[i, 1] * Double(weight[d]) + Double(bias[d]) }
        }
        return PreciseNorm(output: output, mean: statistics.slice(columns: 0..<1), inverseDeviation: statistics.slice(columns: 1..<2))
    }

    /// Queries and keys of `[N, 3 D]` normed by head, where the network does so.
    private func preciseNormedHeads(_ block: ViTBlock, _ mapped: DoubleMatrix) -> DoubleMatrix {
        guard let queryNorm = block.queryNorm, let keyNorm = block.keyNorm else { return mapped }
        let (d, heads) = (configuration.headWidth, configuration.heads)
        let norms = (0..<2 * heads).map { i in
            preciseNorm(i < heads ? queryNorm : keyNorm, mapped.slice(columns: i * d..<(i + 1) * d)).output
        }
        return DoubleMatrix(rows: mapped.rows, columns: mapped.columns) { t, row in
            for j in 0..<row.count { row[j] = j < 2 * heads * d ? norms[j / d][t, j % d] : mapped[t, j] }
        }
    }

    func activated(_ x: DoubleMatrix) -> DoubleMatrix {
        let kind = configuration.mlp
        let hidden = kind == .swiGLU ? x.columns / 2 : x.columns
        return DoubleMatrix(rows: x.rows, columns: hidden, threads: threads) { i, row in
            for j in 0..<hidden {
                let value = x[i, j]
                row[j] =
                    switch kind {
                    // The complement keeps its digits where the sum 1 + erf would cancel; so does the sigmoid for 1 + tanh.
                    case .activation(.gelu): value / 2 * erfc(-value * 0.5.squareRoot())
                    case .activation(.geluTanh):
                        value / (1 + exp(-2 * (2 / Double.pi).squareRoot() * (value + 0.044715 * value * value * value)))
                    case .activation(.quickGelu): value / (1 + exp(-1.702 * value))
                    case .swiGLU: value / (1 + exp(-value)) * x[i, hidden + j]
                    }
            }
        }
    }

    private func sum(_ a: DoubleMatrix, _ b: DoubleMatrix) -> DoubleMatrix {
        DoubleMatrix(rows: a.rows, columns: a.columns) { i, row in for j in 0..<row.count { row[j] = a[i, j] + b[i, j] } }
    }

    private func scaled(_ x: DoubleMatrix, by factors: [Double]?) -> DoubleMatrix {
        guard let factors else { return x }
        return DoubleMatrix(rows: x.rows, columns: x.columns) { i, row in for j in 0..<row.count { row[j] = x[i, j] * factors[j] } }
    }

    /// What the head reads of an image's tokens, `1 x pooledWidth`.
    private func pooled(_ x: DoubleMatrix) -> DoubleMatrix {
        let (first, d) = (layout.prefix, x.columns)
        let means = DoubleMatrix(rows: 1, columns: d) { _, row in
            for t in first..<max(first, x.rows) { for j in 0..<d { row[j] += x[t, j] } }
            for j in 0..<d { row[j] /= Double(x.rows - first) }
        }
        switch configuration.pooling {
        case .classToken, .distilled: return x.slice(rows: 0..<1)
        case .attention: preconditionFailure("attention pools by its weights")
        case .mean: return means
        case .classAndMean:
            return DoubleMatrix(rows: 1, columns: 2 * d) { _, row in
                for j in 0..<2 * d { row[j] = j < d ? x[0, j] : means[0, j - d] }
            }
        }
    }

    // MARK: Rounding

    /// One matrix per image: `[B, rows, columns]`.
    func rounded(_ matrices: [DoubleMatrix]) -> Tensor {
        var tensor = workspace.tensor([matrices.count, matrices[0].rows, matrices[0].columns])
        round(matrices, into: &tensor)
        return tensor
    }

    func rounded(_ inputs: [DoubleMatrix], _ norms: [PreciseNorm]) -> NormState {
        let rows: Shape = [norms.reduce(0) { $0 + $1.mean.rows }]
        return NormState(
            input: rounded(inputs), output: rounded(norms.map(\.output)), mean: rounded(norms.map(\.mean)).reshaped(rows),
            inverseDeviation: rounded(norms.map(\.inverseDeviation)).reshaped(rows))
    }

    private func rounded(_ images: [PreciseValues], _ block: ViTBlock) -> BlockState {
        func heads(_ part: (PreciseValues) -> [DoubleMatrix]) -> Tensor {
            let n = images[0].input.rows
            return rounded(images.flatMap(part)).reshaped([images.count, configuration.heads, n, n])
        }
        let input = rounded(images.map(\.input))
        let projected = rounded(images.map(\.projected))
        let mlp = rounded(images.map(\.mlp))
        let middle = rounded(images.map(\.middle))
        let norm2 = rounded(images.map(\.middle), images.map(\.norm2))
        let mapped = rounded(images.map(\.mapped))
        let normed = block.queryNorm == nil ? mapped : rounded(images.map(\.normed))
        let contexts = images.map(\.context)
        return BlockState(
            input: input,
            attention: AttentionState(
                norm: rounded(images.map(\.input), images.map(\.norm1)), mapped: mapped, normed: normed,
                qkv: configuration.rotary == nil ? normed : rounded(images.map(\.qkv)), products: heads(\.products),
                attention: heads(\.attention), context: rounded(contexts),
                contextNorm: block.contextNorm == nil ? nil : rounded(contexts, images.map { $0.contextNorm! }), projected: projected,
                branch: block.scale1 == nil ? projected : rounded(images.map(\.branch1))),
            skipped: firstRows(input, images[0].middle.rows), middle: middle,
            mlp: MLPState(
                mean: norm2.mean, inverseDeviation: norm2.inverseDeviation, preActivation: rounded(images.map(\.preActivation)),
                output: mlp,
                branch: block.scale2 == nil ? mlp : rounded(images.map(\.branch2))),
            output: rounded(images.map(\.output)))
    }
}

/// `y = x W^T + b` with weights in Float64.
struct PreciseLinear {
    let weight: DoubleMatrix
    let bias: [Double]?

    init(_ linear: Linear) {
        weight = DoubleMatrix(linear.weight)
        bias = linear.bias.map { $0.values.map(Double.init) }
    }

    func callAsFunction(_ x: DoubleMatrix, threads: Int = 1) -> DoubleMatrix {
        x.times(weight, transposed: true, bias: bias, threads: threads)
    }
}

/// A block's weights in Float64, for as long as the pass is at it.
private struct PreciseBlock {
    let qkv: PreciseLinear
    let projection: PreciseLinear
    let scale1: [Double]?
    let fc1: PreciseLinear
    let fc2: PreciseLinear
    let scale2: [Double]?

    init(_ block: ViTBlock) {
        qkv = PreciseLinear(block.qkv)
        projection = PreciseLinear(block.projection)
        scale1 = block.scale1.map { $0.values.map(Double.init) }
        fc1 = PreciseLinear(block.fc1)
        fc2 = PreciseLinear(block.fc2)
        scale2 = block.scale2.map { $0.values.map(Double.init) }
    }
}

struct PreciseNorm {
    var output: DoubleMatrix
    /// One value per row each.
    var mean: DoubleMatrix
    var inverseDeviation: DoubleMatrix
}

/// One image's values in a block; `BlockState` says what they are. Of products and attention one matrix per head.
private struct PreciseValues {
    var input: DoubleMatrix
    var norm1: PreciseNorm
    var mapped: DoubleMatrix
    var normed: DoubleMatrix
    var qkv: DoubleMatrix
    var products: [DoubleMatrix]
    var attention: [DoubleMatrix]
    var context: DoubleMatrix
    var contextNorm: PreciseNorm?
    var projected: DoubleMatrix
    var branch1: DoubleMatrix
    var middle: DoubleMatrix
    var norm2: PreciseNorm
    var preActivation: DoubleMatrix
    var mlp: DoubleMatrix
    var branch2: DoubleMatrix
    var output: DoubleMatrix
}
