import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One image's values of attention pooling in Float64; `AttentionPoolState` says what they are.
struct PrecisePool {
    var read: DoubleMatrix
    var keyNorm: PreciseNorm?
    var query: DoubleMatrix
    var mapped: DoubleMatrix
    /// `heads x tokens asked`.
    var products: DoubleMatrix
    var attention: DoubleMatrix
    var context: DoubleMatrix
    var asked: DoubleMatrix
    var norm2: PreciseNorm?
    var preActivation: DoubleMatrix?
    var branch: DoubleMatrix?
    var answer: DoubleMatrix
    var outputNorm: PreciseNorm?
    var output: DoubleMatrix { outputNorm?.output ?? answer }
}

extension Pass {
    /// `attentionPool` in Float64, of one image's tokens.
    func precisePool(_ pool: AttentionPool, _ x: DoubleMatrix) -> PrecisePool {
        let c = configuration.pool
        let windows = PoolWindows(c, layout)
        let (d, width, heads, first) = (c.width / c.heads, c.width, c.heads, windows.first)
        let query = PreciseLinear(pool.query)(DoubleMatrix(pool.probe.reshaped([1, width])))
        let keyNorm = pool.keyNorm.map { preciseNorm($0, x, epsilon: c.normEpsilon) }
        let mapped = PreciseLinear(pool.keysValues)(keyNorm?.output ?? x, threads: threads)
        let products = DoubleMatrix(rows: heads, columns: windows.count) { h, row in
            for j in 0..<row.count { for e in h * d..<(h + 1) * d { row[j] += query[0, e] * mapped[first + j, e] } }
        }
        let scale = 1 / Double(d).squareRoot()
        let attention = DoubleMatrix(rows: heads, columns: windows.count) { h, row in
            var (top, total) = (-Double.infinity, 0.0)
            for j in 0..<row.count { top = max(top, products[h, j]) }
            for j in 0..<row.count {
                row[j] = exp((products[h, j] - top) * scale)
                total += row[j]
            }
            for j in 0..<row.count { row[j] /= total }
        }
        let context = DoubleMatrix(rows: 1, columns: width) { _, row in
            for e in 0..<width { for j in 0..<attention.columns { row[e] += attention[e / d, j] * mapped[first + j, width + e] } }
        }
        let asked = PreciseLinear(pool.projection)(context)
        let norm2 = pool.mlp.map { preciseNorm($0.norm2, asked) }
        let preActivation = norm2.map { PreciseLinear(pool.mlp!.fc1)($0.output) }
        let branch = preActivation.map { PreciseLinear(pool.mlp!.fc2)(activated($0)) }
        let answer =
            branch.map { branch in
                DoubleMatrix(rows: 1, columns: width) { _, row in for e in 0..<width { row[e] = asked[0, e] + branch[0, e] } }
            } ?? asked
        return PrecisePool(
            read: x, keyNorm: keyNorm, query: query, mapped: mapped, products: products, attention: attention, context: context,
            asked: asked, norm2: norm2, preActivation: preActivation, branch: branch, answer: answer,
            outputNorm: pool.outputNorm.map { preciseNorm($0, answer, epsilon: c.normEpsilon) })
    }

    /// A batch, each value rounded to Float32.
    func rounded(_ pools: [PrecisePool]) -> AttentionPoolState {
        let c = configuration.pool
        let row: Shape = [pools.count, c.heads, 1, PoolWindows(c, layout).count]
        var mlp: MLPState?
        if pools[0].norm2 != nil {
            let norm = rounded(pools.map(\.asked), pools.map { $0.norm2! })
            let branch = rounded(pools.map { $0.branch! })
            mlp = MLPState(
                mean: norm.mean, inverseDeviation: norm.inverseDeviation, preActivation: rounded(pools.map { $0.preActivation! }),
                output: branch, branch: branch)
        }
        return AttentionPoolState(
            keyNorm: pools[0].keyNorm == nil ? nil : rounded(pools.map(\.read), pools.map { $0.keyNorm! }),
            query: rounded([pools[0].query]).reshaped([1, c.width]), mapped: rounded(pools.map(\.mapped)),
            products: rounded(pools.map(\.products)).reshaped(row), attention: rounded(pools.map(\.attention)).reshaped(row),
            context: rounded(pools.map(\.context)), asked: rounded(pools.map(\.asked)), mlp: mlp, answer: rounded(pools.map(\.answer)),
            outputNorm: pools[0].outputNorm == nil ? nil : rounded(pools.map(\.answer), pools.map { $0.outputNorm! }))
    }
}
