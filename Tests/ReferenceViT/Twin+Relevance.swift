import VitrineModel

extension Twin {
    public struct Relevance: Sendable {
        /// By block: relevance at the attention, `[heads, tokens, tokens]`; last, where attention pools, the pool's, `[heads, tokens]`.
        public var attention: [[Double]]
        /// `[height, width]`.
        public var pixels: [Double]
        /// Total relevance entering the last block, then leaving each block downwards, then at the pixels.
        public var sums: [Double]
        /// At the same places, what linear outputs without a positive product have swallowed so far.
        public var lost: [Double]
    }

    /// Layer-wise relevance by the rules of Chefer et al. 2021, each product weighed by its sign.
    ///
    /// - Parameter epsilon: nil for the published residual addition, else the stabiliser of `chefer-stable`.
    public func relevance(_ pass: Pass, classIndex: Int, epsilon: Double?) -> Relevance {
        let c = configuration
        var result = Relevance(attention: Array(repeating: [], count: c.depth), pixels: [], sums: [], lost: [])
        var lost = 0.0
        var ofPool: [Double]?
        var r = relevanceOfHead(pass, classIndex, epsilon, &lost, &ofPool)
        result.sums.append(r.values.reduce(0, +))
        result.lost.append(lost)
        for l in (0..<c.depth).reversed() {
            let (block, s) = (blocks[l], pass.blocks[l])
            let (skip2, mlp) = add(r, s.middle, s.branch2, epsilon)
            var hidden = linear(block.fc2, s.hidden, mlp, &lost)
            if c.mlp == .swiGLU {
                let product = hidden
                hidden = Matrix(r.rows, 2 * c.hidden) { product[$0, $1 % c.hidden] / 2 }
            }
            let middle = clone(skip2, linear(block.fc1, s.norm2, hidden, &lost), s.middle)
            let (skip1, branch) = add(middle, s.input, s.branch1, epsilon)
            let (attention, qkv) = self.attention(s, linear(block.projection, s.read, branch, &lost), block)
            result.attention[l] = attention
            r = clone(skip1, linear(block.qkv, s.norm1, qkv, &lost), s.input)
            result.sums.append(r.values.reduce(0, +))
            result.lost.append(lost)
        }
        if let ofPool { result.attention.append(ofPool) }
        let tokens = c.hasPositionEmbedding ? add(r, pass.withoutPositions, positions, epsilon).0 : r
        result.pixels = pixels(pass, tokens)
        result.sums.append(result.pixels.reduce(0, +))
        result.lost.append(lost)
        return result
    }

    /// Transformer attribution: the readout row of `(E_L + I) ... (E_1 + I)`, `E_l = mean_h max(0, dA_l RA_l)`, at the patches,
    /// without what the identity alone gives.
    public func attribution(gradients: [[Double]], relevance: [[Double]]) -> [Double] {
        let n = prefix.rows + configuration.positionGrid.count
        var joint = Matrix(n, n) { $0 == $1 ? 1 : 0 }
        for (g, r) in zip(gradients, relevance).prefix(configuration.depth) {
            let e = Matrix(n, n) { i, j in
                (0..<configuration.heads).reduce(0) { sum, h in
                    let k = (h * n + i) * n + j
                    return sum + max(0, g[k] * r[k]) / Double(configuration.heads)
                } + (i == j ? 1 : 0)
            }
            let below = joint
            joint = Matrix(n, n) { i, j in (0..<n).reduce(0) { $0 + e[i, $1] * below[$1, j] } }
        }
        let first = prefix.rows
        if configuration.pooling == .attention {
            let (g, r, heads) = (gradients[configuration.depth], relevance[configuration.depth], configuration.pool.heads)
            let row = (0..<n).map { j in (0..<heads).reduce(0) { $0 + max(0, g[$1 * n + j] * r[$1 * n + j]) / Double(heads) } }
            return (first..<n).map { j in (0..<n).reduce(0) { $0 + row[$1] * joint[$1, j] } }
        }
        return (first..<n).map { j in
            guard configuration.pooling == .mean else { return joint[0, j] }
            return (first..<n).reduce(0) { $0 + joint[$1, j] - ($1 == j ? 1 : 0) } / Double(n - first)
        }
    }

    // MARK: Rules

    /// `a / (b + 1e-9)`, 0 where b is 0.
    private func divide(_ a: Double, _ b: Double) -> Double {
        if b == 0 { return 0 }
        return b + 1e-9 == 0 ? a / 1e-9 : a / (b + 1e-9)
    }

    /// Relevance of an output is shared among its positive products; without one it is lost.
    private func linear(_ map: Map, _ x: Matrix, _ r: Matrix, _ lost: inout Double) -> Matrix {
        var result = Matrix(x.rows, x.columns) { _, _ in 0 }
        for t in 0..<x.rows {
            for o in 0..<map.weight.rows {
                var total = 0.0
                for i in 0..<x.columns { total += max(0, x[t, i] * map.weight[o, i]) }
                if total == 0 { lost += r[t, o] }
                let share = divide(r[t, o], total)
                for i in 0..<x.columns { result[t, i] += max(0, x[t, i] * map.weight[o, i]) * share }
            }
        }
        return result
    }

    private func add(_ r: Matrix, _ a: Matrix, _ b: Matrix, _ epsilon: Double?) -> (Matrix, Matrix) {
        let q = Matrix(r.rows, r.columns) { a[$0, $1] + b[$0, $1] }
        let count = Double(q.values.count)
        let mean = q.values.reduce(0, +) / count
        let variance = q.values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let s = Matrix(r.rows, r.columns) { i, j in
            guard let epsilon else { return divide(r[i, j], q[i, j]) }
            return r[i, j] * q[i, j] / (q[i, j] * q[i, j] + epsilon * epsilon * variance)
        }
        let toA = Matrix(r.rows, r.columns) { a[$0, $1] * s[$0, $1] }
        let toB = Matrix(r.rows, r.columns) { b[$0, $1] * s[$0, $1] }
        let (sumA, sumB, total) = (toA.values.reduce(0, +), toB.values.reduce(0, +), r.values.reduce(0, +))
        let factorA = divide(divide(abs(sumA), abs(sumA) + abs(sumB)) * total, sumA)
        let factorB = divide(divide(abs(sumB), abs(sumA) + abs(sumB)) * total, sumB)
        return (
            Matrix(r.rows, r.columns) { toA[$0, $1] * factorA },
            Matrix(r.rows, r.columns) { toB[$0, $1] * factorB }
        )
    }

    private func clone(_ r1: Matrix, _ r2: Matrix, _ x: Matrix) -> Matrix {
        Matrix(x.rows, x.columns) { x[$0, $1] * (divide(r1[$0, $1], x[$0, $1]) + divide(r2[$0, $1], x[$0, $1])) }
    }

    /// Through `A V`, the softmax and `Q K^T`: relevance at the attention, and at queries, keys and values.
    ///
    /// Positions that turn queries and keys: what multiplies a turned value is turned back and multiplies the value as it was.
    private func attention(_ s: BlockPass, _ r: Matrix, _ block: Block) -> ([Double], Matrix) {
        let n = r.rows
        let (d, width) = (configuration.headWidth, configuration.width)
        var atAttention: [Double] = []
        var qkv = Matrix(n, 3 * width) { _, _ in 0 }
        for h in 0..<configuration.heads {
            let query = { (i: Int, e: Int) in s.qkv[i, h * d + e] }
            let key = { (i: Int, e: Int) in s.qkv[i, width + h * d + e] }
            let value = { (i: Int, e: Int) in s.qkv[i, 2 * width + h * d + e] }
            let share = Matrix(n, d) { divide(r[$0, h * d + $1], s.context[$0, h * d + $1]) }
            let a = Matrix(n, n) { i, j in s.attention[h][i, j] * (0..<d).reduce(0) { $0 + share[i, $1] * value(j, $1) } / 2 }
            atAttention += a.values
            let scores = Matrix(n, n) { i, j in
                divide(a[i, j], (0..<d).reduce(0) { $0 + query(i, $1) * key(j, $1) })
            }
            for i in 0..<n {
                for e in 0..<d {
                    qkv[i, h * d + e] = (0..<n).reduce(0) { $0 + scores[i, $1] * key($1, e) } / 2
                    qkv[i, width + h * d + e] = (0..<n).reduce(0) { $0 + scores[$1, i] * query($1, e) } / 2
                    qkv[i, 2 * width + h * d + e] = (0..<n).reduce(0) { $0 + s.attention[h][$1, i] * share[$1, e] } / 2
                }
            }
        }
        let factors = turned(qkv, block, by: -1)
        return (atAttention, Matrix(n, 3 * width) { factors[$0, $1] * s.normed[$0, $1] })
    }

    /// One-hot at the logits, down to the tokens that leave the last block; norms pass relevance unchanged.
    private func relevanceOfHead(
        _ pass: Pass, _ classIndex: Int, _ epsilon: Double?, _ lost: inout Double, _ ofPool: inout [Double]?
    ) -> Matrix {
        let c = configuration
        let (n, r, width) = (pass.tokens.rows, prefix.rows, c.width)
        let start = Matrix(1, c.classes) { $1 == classIndex ? (c.pooling == .distilled ? 0.5 : 1) : 0 }
        var pooled = linear(head!, Matrix(1, pass.pooled.count) { pass.pooled[$1] }, start, &lost)
        if let projection {
            pooled = linear(projection, Matrix(1, pass.beforeProjection.count) { pass.beforeProjection[$1] }, pooled, &lost)
        }
        let source = c.normPlacement != .afterPooling ? pass.normed : pass.tokens
        if let pool, let asked = pass.pool {
            let (attention, patches) = relevance(pool, asked, source, pooled, epsilon, &lost)
            ofPool = attention
            let first = n - patches.rows
            return Matrix(n, width) { t, d in t < first ? 0 : patches[t - first, d] }
        }
        var second: Matrix?
        if let distillationHead { second = linear(distillationHead, Matrix(1, width) { pass.normed[1, $1] }, start, &lost) }
        return Matrix(n, width) { t, d in
            let ofClass = t == 0 ? source[t, d] * divide(pooled[0, d], pass.rawPooled[d]) : 0
            let ofMean = { (i: Int) in
                t < r ? 0 : source[t, d] / Double(n - r) * divide(pooled[0, i], pass.rawPooled[i])
            }
            switch c.pooling {
            case .attention: preconditionFailure("the pool shares out")
            case .classToken: return ofClass
            case .mean: return ofMean(d)
            case .classAndMean: return ofClass + ofMean(width + d)
            case .distilled: return t == 0 ? ofClass : t == 1 ? second![0, d] : 0
            }
        }
    }

    /// Through attention pooling: at its attention `[heads, tokens]`, and at the patches it read. The query is a weight.
    private func relevance(
        _ pool: Pool, _ s: PoolPass, _ source: Matrix, _ pooled: Matrix, _ epsilon: Double?, _ lost: inout Double
    ) -> ([Double], Matrix) {
        let c = configuration.pool
        let (r, width, d, heads) = (c.readsPrefix ? 0 : prefix.rows, c.width, c.width / c.heads, c.heads)
        let count = s.keys.rows
        var asked = pooled
        if let mlp = pool.mlp, let values = s.mlp {
            let (skip, branch) = add(pooled, s.asked, values.branch, epsilon)
            asked = clone(skip, linear(mlp.fc1, values.norm, linear(mlp.fc2, values.hidden, branch, &lost), &lost), s.asked)
        }
        let context = linear(pool.projection, s.context, asked, &lost)
        let share = (0..<width).map { divide(context[0, $0], s.context[0, $0]) }
        let attention = Matrix(heads, count) { h, j in
            s.attention[h, j] * (h * d..<(h + 1) * d).reduce(0) { $0 + share[$1] * s.values[j, $1] } / 2
        }
        let both = Matrix(count, 2 * width) { j, i in
            let e = i % width
            if i >= width { return s.values[j, e] * s.attention[e / d, j] * share[e] / 2 }
            return s.keys[j, e] * s.query[0, e] * divide(attention[e / d, j], s.products[e / d, j])
        }
        // Norms pass relevance unchanged: it stands at what they gave.
        let patches = pool.keyNorm == nil ? Matrix(count, configuration.width) { source[r + $0, $1] } : s.read
        let all = (0..<heads).flatMap { h in [Double](repeating: 0, count: r) + attention.row(h) }
        return (all, linear(pool.keysValues, patches, both, &lost))
    }

    /// The z^B rule with the image's own extremes; channels are summed.
    private func pixels(_ pass: Pass, _ r: Matrix) -> [Double] {
        let (p, grid) = (configuration.patchSize, configuration.positionGrid)
        let (low, high) = (pass.patches.values.min()!, pass.patches.values.max()!)
        let w = patchEmbedding.weight
        var result = [Double](repeating: 0, count: grid.count * p * p)
        for t in 0..<grid.count {
            for o in 0..<w.rows {
                let part = { (i: Int) in
                    pass.patches[t, i] * w[o, i] - low * max(w[o, i], 0) - high * min(w[o, i], 0)
                }
                let total = (0..<w.columns).reduce(0) { $0 + part($1) }
                let share = r[prefix.rows + t, o] / (total + 1e-9)
                for i in 0..<w.columns {
                    let (y, x) = (t / grid.columns * p + i / p % p, t % grid.columns * p + i % p)
                    result[y * grid.columns * p + x] += part(i) * share
                }
            }
        }
        return result
    }
}
