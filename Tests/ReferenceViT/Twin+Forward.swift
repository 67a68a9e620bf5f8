import Foundation
import VitrineModel
import VitrineTensor

/// One inner value of the network, to be moved a little.
public enum InnerValue: Sendable {
    case attention(block: Int, head: Int, row: Int, column: Int)
    case norm1(block: Int, token: Int, channel: Int)
    case pixel(Int)
}

extension Twin {
    public struct BlockPass: Sendable {
        public var input: Matrix
        public var norm1: Matrix
        /// `tokens x 3 width`: with norms on queries and keys, before and behind the rotation.
        var normed: Matrix
        var qkv: Matrix
        /// By head: `tokens x tokens`.
        public var attention: [Matrix]
        var context: Matrix
        /// What the projection reads.
        var read: Matrix
        /// Attention branch, LayerScale included.
        var branch1: Matrix
        var middle: Matrix
        var norm2: Matrix
        var hidden: Matrix
        /// MLP branch, LayerScale included.
        var branch2: Matrix
    }

    /// Inside attention pooling; one row each, but for keys and values.
    public struct PoolPass: Sendable {
        var query: Matrix
        /// What keys and values are maps of, `tokens asked x width`.
        var read: Matrix
        var keys: Matrix
        var values: Matrix
        /// `heads x patches`.
        var products: Matrix
        public var attention: Matrix
        var context: Matrix
        var asked: Matrix
        /// Nil where the answer is what was asked.
        var mlp: (norm: Matrix, hidden: Matrix, branch: Matrix)?

        var answer: Matrix { Matrix(1, asked.columns) { asked[$0, $1] + (mlp?.branch[$0, $1] ?? 0) } }
    }

    public struct Pass: Sendable {
        var patches: Matrix
        var withoutPositions: Matrix
        public var blocks: [BlockPass]
        var tokens: Matrix
        var normed: Matrix
        /// Before the norm of an `afterPooling` model, else as the head reads it.
        var rawPooled: [Double]
        public var pool: PoolPass?
        /// Projected, not yet scaled to length 1; what is pooled where there is no projection.
        var beforeProjection: [Double]
        public var pooled: [Double]
        public var logits: [Double]
    }

    /// - Parameter image: `channels x height x width`, the size of the position grid.
    /// - Parameter nudge: an inner value and what is added to it.
    public func forward(_ image: [Double], nudge: (site: InnerValue, amount: Double)? = nil) -> Pass {
        let c = configuration
        var image = image
        if let nudge, case .pixel(let i) = nudge.site { image[i] += nudge.amount }
        let patches = cut(image)
        let embedded = patchEmbedding(patches)
        let bare = Matrix(prefix.rows + patches.rows, c.width) { t, d in t < prefix.rows ? prefix[t, d] : embedded[t - prefix.rows, d] }
        return pass(
            from: Matrix(bare.rows, c.width) { bare[$0, $1] + positions[$0, $1] }, patches: patches, withoutPositions: bare, nudge: nudge)
    }

    /// Tokens behind the norm in front of the blocks; themselves where there is none.
    public func behindInputNorm(_ tokens: Matrix) -> Matrix { inputNorm.map { layerNorm(tokens, $0) } ?? tokens }

    /// The logits of embedded tokens, prefix first: any patches of the grid, by their places.
    public func logits(fromTokens z: Matrix, places: [Int]) -> [Double] {
        pass(from: z, patches: z, withoutPositions: z, nudge: nil, places: places, isEmbedded: true).logits
    }

    private func pass(
        from embedded: Matrix, patches: Matrix, withoutPositions: Matrix, nudge: (site: InnerValue, amount: Double)?,
        places: [Int]? = nil, isEmbedded: Bool = false
    ) -> Pass {
        let c = configuration
        var z = isEmbedded ? embedded : inputNorm.map { layerNorm(embedded, $0) } ?? embedded
        var passes: [BlockPass] = []
        for l in 0..<c.depth {
            let (pass, output) = run(l, z, nudge, places ?? Array(0..<c.positionGrid.count))
            passes.append(pass)
            z = output
        }
        let normed = c.normPlacement == .beforePooling ? layerNorm(z, norm) : z
        let asked = pool.map { ask($0, normed, nudge) }
        let given = asked.map { pass in pool?.outputNorm.map { layerNorm(pass.answer, $0, epsilon: c.pool.normEpsilon) } ?? pass.answer }
        let raw = given?.values ?? pool(normed)
        let before = c.normPlacement == .afterPooling ? layerNorm(Matrix(1, raw.count) { raw[$1] }, norm).values : raw
        var pooled = projection.map { $0(Matrix(1, before.count) { before[$1] }).values } ?? before
        if c.hasUnitFeatures {
            let length = pooled.reduce(0) { $0 + $1 * $1 }.squareRoot()
            pooled = pooled.map { $0 / length }
        }
        var logits = head.map { $0(Matrix(1, pooled.count) { pooled[$1] }).values } ?? []
        if c.pooling == .distilled, let distillationHead {
            let second = distillationHead(Matrix(1, c.width) { normed[1, $1] }).values
            for i in logits.indices { logits[i] = (logits[i] + second[i]) / 2 }
        }
        return Pass(
            patches: patches, withoutPositions: withoutPositions, blocks: passes, tokens: z, normed: normed, rawPooled: raw, pool: asked,
            beforeProjection: before, pooled: pooled, logits: logits)
    }

    private func run(
        _ l: Int, _ z: Matrix, _ nudge: (site: InnerValue, amount: Double)?, _ places: [Int]
    ) -> (BlockPass, Matrix) {
        let block = blocks[l]
        let n = z.rows
        let (heads, d, width) = (configuration.heads, configuration.headWidth, configuration.width)
        var u = layerNorm(z, block.norm1)
        if let nudge, case .norm1(l, let token, let channel) = nudge.site { u[token, channel] += nudge.amount }
        let normed = normedHeads(block, block.qkv(u))
        let qkv = turned(normed, block, places: places)
        var attention: [Matrix] = []
        for h in 0..<heads {
            let scores = Matrix(n, n) { i, j in
                (0..<d).reduce(0) { $0 + qkv[i, h * d + $1] * qkv[j, width + h * d + $1] } / Double(d).squareRoot()
                    + relativeBias(block, i, j, h, places)
            }
            let top = (0..<n).map { scores.row($0).max()! }
            let total = (0..<n).map { i in scores.row(i).reduce(0) { $0 + exp($1 - top[i]) } }
            attention.append(Matrix(n, n) { i, j in exp(scores[i, j] - top[i]) / total[i] })
        }
        if let nudge, case .attention(l, let head, let row, let column) = nudge.site { attention[head][row, column] += nudge.amount }
        let context = Matrix(n, width) { i, e in
            (0..<n).reduce(0) { $0 + attention[e / d][i, $1] * qkv[$1, 2 * width + e] }
        }
        let read = block.contextNorm.map { layerNorm(context, $0) } ?? context
        let projected = block.projection(read)
        let branch1 = Matrix(n, width) { projected[$0, $1] * (block.scale1?[$1] ?? 1) }
        let middle = Matrix(n, width) { z[$0, $1] + branch1[$0, $1] }
        let w = layerNorm(middle, block.norm2)
        let before = block.fc1(w)
        let inner = configuration.hidden
        let activated = Matrix(n, inner) { t, i in
            switch configuration.mlp {
            case .activation(let kind): Self.activation(kind, before[t, i])
            case .swiGLU: before[t, i] / (1 + exp(-before[t, i])) * before[t, inner + i]
            }
        }
        let hidden = block.hiddenNorm.map { layerNorm(activated, $0) } ?? activated
        let mlp = block.fc2(hidden)
        let branch2 = Matrix(n, width) { mlp[$0, $1] * (block.scale2?[$1] ?? 1) }
        let pass = BlockPass(
            input: z, norm1: u, normed: normed, qkv: qkv, attention: attention, context: context, read: read, branch1: branch1,
            middle: middle, norm2: w,
            hidden: hidden, branch2: branch2)
        return (pass, Matrix(n, width) { middle[$0, $1] + branch2[$0, $1] })
    }

    /// The probe's question to all patches, by its definition.
    private func ask(_ pool: Pool, _ tokens: Matrix, _ nudge: (site: InnerValue, amount: Double)?) -> PoolPass {
        let c = configuration.pool
        let (r, width, d, heads) = (c.readsPrefix ? 0 : prefix.rows, c.width, c.width / c.heads, c.heads)
        let bare = Matrix(tokens.rows - r, configuration.width) { tokens[r + $0, $1] }
        let patches = pool.keyNorm.map { layerNorm(bare, $0, epsilon: c.normEpsilon) } ?? bare
        let query = pool.query(pool.probe)
        let both = pool.keysValues(patches)
        let keys = Matrix(patches.rows, width) { both[$0, $1] }
        let values = Matrix(patches.rows, width) { both[$0, width + $1] }
        let products = Matrix(heads, patches.rows) { h, j in (h * d..<(h + 1) * d).reduce(0) { $0 + query[0, $1] * keys[j, $1] } }
        let scale = 1 / Double(d).squareRoot()
        var attention = Matrix(heads, patches.rows) { h, j in
            exp(products[h, j] * scale) / products.row(h).reduce(0) { $0 + exp($1 * scale) }
        }
        if let nudge, case .attention(configuration.depth, let head, _, let column) = nudge.site, column >= r {
            attention[head, column - r] += nudge.amount
        }
        let context = Matrix(1, width) { _, e in (0..<patches.rows).reduce(0) { $0 + attention[e / d, $1] * values[$1, e] } }
        let asked = pool.projection(context)
        guard let mlp = pool.mlp else {
            return PoolPass(
                query: query, read: patches, keys: keys, values: values, products: products, attention: attention, context: context,
                asked: asked)
        }
        let norm = layerNorm(asked, mlp.norm)
        let before = mlp.fc1(norm)
        guard case .activation(let kind) = configuration.mlp else { preconditionFailure("pools have plain MLPs") }
        let hidden = Matrix(1, before.columns) { Self.activation(kind, before[$0, $1]) }
        return PoolPass(
            query: query, read: patches, keys: keys, values: values, products: products, attention: attention, context: context,
            asked: asked, mlp: (norm, hidden, mlp.fc2(hidden)))
    }

    private func normedHeads(_ block: Block, _ qkv: Matrix) -> Matrix {
        guard let queryNorm = block.queryNorm, let keyNorm = block.keyNorm else { return qkv }
        let (d, width) = (configuration.headWidth, configuration.width)
        var result = qkv
        for part in 0..<2 {
            for first in stride(from: part * width, to: (part + 1) * width, by: d) {
                let rows = layerNorm(Matrix(qkv.rows, d) { qkv[$0, first + $1] }, part == 0 ? queryNorm : keyNorm)
                for t in 0..<qkv.rows { for e in 0..<d { result[t, first + e] = rows[t, e] } }
            }
        }
        return result
    }

    /// Queries and keys of all patches, each pair of channels turned by its angle.
    func turned(_ qkv: Matrix, _ block: Block, places: [Int]? = nil, by direction: Double = 1) -> Matrix {
        guard let rotary = configuration.rotary else { return qkv }
        let (d, width, grid) = (configuration.headWidth, configuration.width, configuration.positionGrid)
        var result = qkv
        for t in prefix.rows..<qkv.rows {
            let patch = places?[t - prefix.rows] ?? t - prefix.rows
            func place(_ index: Int, _ count: Int, _ reference: Int) -> Double {
                switch rotary.coordinates {
                case .centred: (Double(index) + 0.5) / Double(count) * 2 - 1
                case .scaled: Double(index * reference) / Double(count)
                case .index: Double(index)
                }
            }
            let reference = if case .scaled(let to) = rotary.coordinates { to } else { grid }
            let row = place(patch / grid.columns, grid.rows, reference.rows)
            let column = place(patch % grid.columns, grid.columns, reference.columns)
            let (one, two) = rotary.columnsFirst ? (column, row) : (row, column)
            for part in 0..<2 * configuration.heads {
                for m in 0..<d / 2 {
                    var angle: Double
                    switch rotary.frequencies {
                    case .axial(let f): angle = m < d / 4 ? one * Double(f[m]) : two * Double(f[m - d / 4])
                    case .learned:
                        let i = part % configuration.heads * (d / 2) + m
                        angle = one * block.frequencies![0, i] + two * block.frequencies![1, i]
                    }
                    angle *= direction
                    let first = part / configuration.heads * width + part % configuration.heads * d
                    let (i, j) = rotary.pairing == .halves ? (first + m, first + m + d / 2) : (first + 2 * m, first + 2 * m + 1)
                    result[t, i] = qkv[t, i] * cos(angle) - qkv[t, j] * sin(angle)
                    result[t, j] = qkv[t, j] * cos(angle) + qkv[t, i] * sin(angle)
                }
            }
        }
        return result
    }

    /// By counting: how many rows and columns the key is behind the query.
    private func relativeBias(_ block: Block, _ query: Int, _ key: Int, _ head: Int, _ places: [Int]) -> Double {
        guard let table = block.relativePositions else { return 0 }
        let (grid, r) = (configuration.positionGrid, prefix.rows)
        if query < r || key < r { return table[table.rows - (query < r ? (key < r ? 1 : 3) : 2), head] }
        let (from, to) = (places[query - r], places[key - r])
        let down = from / grid.columns - to / grid.columns
        let right = from % grid.columns - to % grid.columns
        return table[(down + grid.rows - 1) * (2 * grid.columns - 1) + right + grid.columns - 1, head]
    }

    static func activation(_ kind: Activation, _ x: Double) -> Double {
        switch kind {
        case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
        case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .quickGelu: x / (1 + exp(-1.702 * x))
        }
    }

    private func layerNorm(_ x: Matrix, _ scale: Scale, epsilon: Float? = nil) -> Matrix {
        let n = Double(x.columns)
        let means = (0..<x.rows).map { x.row($0).reduce(0, +) / n }
        let variances = (0..<x.rows).map { t in x.row(t).reduce(0) { $0 + ($1 - means[t]) * ($1 - means[t]) } / n }
        return Matrix(x.rows, x.columns) { t, d in
            (x[t, d] - means[t]) / (variances[t] + Double(epsilon ?? configuration.normEpsilon)).squareRoot() * scale.weight[d]
                + scale.bias[d]
        }
    }

    /// Patches in row-major order; a patch's values by channel, row, column.
    func cut(_ image: [Double]) -> Matrix {
        let (p, grid) = (configuration.patchSize, configuration.positionGrid)
        let (height, width) = (grid.rows * p, grid.columns * p)
        return Matrix(grid.count, configuration.channels * p * p) { t, i in
            let (channel, y, x) = (i / (p * p), i / p % p, i % p)
            return image[(channel * height + t / grid.columns * p + y) * width + t % grid.columns * p + x]
        }
    }

    private func pool(_ tokens: Matrix) -> [Double] {
        let r = prefix.rows
        let mean = (0..<tokens.columns).map { d in
            (r..<tokens.rows).reduce(0) { $0 + tokens[$1, d] } / Double(tokens.rows - r)
        }
        switch configuration.pooling {
        case .classToken, .distilled: return tokens.row(0)
        case .attention: preconditionFailure("the pool asks")
        case .mean: return mean
        case .classAndMean: return tokens.row(0) + mean
        }
    }

    /// The target's value: a logit, a probability or a difference of logits.
    public func value(_ target: Target, logits: [Double]) -> Double {
        switch target {
        case .logit(let k): return logits[k]
        case .contrast(let k, let j): return logits[k] - logits[j]
        case .linear(let terms): return terms.reduce(0) { $0 + Double($1.weight) * logits[$1.classIndex] }
        case .sigmoid(let k): return 1 / (1 + exp(-logits[k]))
        case .probability(let k): return 1 / logits.reduce(0) { $0 + exp($1 - logits[k]) }
        case .boundedProbability(let k):
            guard logits.count > 1 else { return 1 / (1 + exp(-tanh(logits[0]))) }
            return 1 / logits.reduce(0) { $0 + exp(tanh($1) - tanh(logits[k])) }
        }
    }

    /// The derivative of the target by inner values: central differences with step `h`, whose error is of order h^2.
    public func gradient(_ image: [Double], _ target: Target, by sites: [InnerValue], h: Double = 1e-5) -> [Double] {
        sites.map { site in
            let up = value(target, logits: forward(image, nudge: (site, h)).logits)
            let down = value(target, logits: forward(image, nudge: (site, -h)).logits)
            return (up - down) / (2 * h)
        }
    }

    /// Every attention weight of a block, in the order `[heads, tokens, tokens]`; of the pool `[heads, tokens]`.
    public func attentionSites(_ block: Int) -> [InnerValue] {
        let n = prefix.rows + configuration.positionGrid.count
        if block == configuration.depth {
            return (0..<configuration.pool.heads * n).map { .attention(block: block, head: $0 / n, row: 0, column: $0 % n) }
        }
        return (0..<configuration.heads * n * n).map {
            .attention(block: block, head: $0 / (n * n), row: $0 / n % n, column: $0 % n)
        }
    }

    /// Every value of a block's first LayerNorm, in the order `[tokens, width]`.
    public func norm1Sites(_ block: Int) -> [InnerValue] {
        let (n, width) = (prefix.rows + configuration.positionGrid.count, configuration.width)
        return (0..<n * width).map { .norm1(block: block, token: $0 / width, channel: $0 % width) }
    }
}
