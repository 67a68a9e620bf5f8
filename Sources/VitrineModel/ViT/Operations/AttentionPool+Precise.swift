import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One image's values of attention pooling in Float64; `AttentionPoolState` says what they are.
struct PrecisePool {
    var query: DoubleMatrix
    var mapped: DoubleMatrix
    /// `heads x patches`.
    var products: DoubleMatrix
    var attention: DoubleMatrix
    var context: DoubleMatrix
    var asked: DoubleMatrix
    var norm2: PreciseNorm
    var preActivation: DoubleMatrix
    var branch: DoubleMatrix
    var output: DoubleMatrix
}

extension Pass {
    /// `attentionPool` in Float64, of one image's tokens.
    func precisePool(_ pool: AttentionPool, _ x: DoubleMatrix) -> PrecisePool {
        let c = configuration
        let (d, width, heads, first) = (c.headWidth, c.width, c.heads, layout.prefix)
        let query = PreciseLinear(pool.query)(DoubleMatrix(pool.probe.reshaped([1, width])))
        let mapped = PreciseLinear(pool.keysValues)(x, threads: threads)
        let products = DoubleMatrix(rows: heads, columns: layout.patches) { h, row in
            for j in 0..<row.count { for e in h * d..<(h + 1) * d { row[j] += query[0, e] * mapped[first + j, e] } }
        }
        let scale = 1 / Double(d).squareRoot()
        let attention = DoubleMatrix(rows: heads, columns: layout.patches) { h, row in
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
        let norm2 = preciseNorm(pool.norm2, asked)
        let preActivation = PreciseLinear(pool.fc1)(norm2.output)
        let branch = PreciseLinear(pool.fc2)(activated(preActivation))
        let output = DoubleMatrix(rows: 1, columns: width) { _, row in for e in 0..<width { row[e] = asked[0, e] + branch[0, e] } }
        return PrecisePool(
            query: query, mapped: mapped, products: products, attention: attention, context: context, asked: asked, norm2: norm2,
            preActivation: preActivation, branch: branch, output: output)
    }

    /// A batch, each value rounded to Float32.
    func rounded(_ pools: [PrecisePool]) -> AttentionPoolState {
        let row: Shape = [pools.count, configuration.heads, 1, layout.patches]
        let norm = rounded(pools.map(\.asked), pools.map(\.norm2))
        let branch = rounded(pools.map(\.branch))
        return AttentionPoolState(
            query: rounded([pools[0].query]).reshaped([1, configuration.width]), mapped: rounded(pools.map(\.mapped)),
            products: rounded(pools.map(\.products)).reshaped(row), attention: rounded(pools.map(\.attention)).reshaped(row),
            context: rounded(pools.map(\.context)), asked: rounded(pools.map(\.asked)),
            mlp: MLPState(
                mean: norm.mean, inverseDeviation: norm.inverseDeviation, preActivation: rounded(pools.map(\.preActivation)),
                output: branch, branch: branch),
            output: rounded(pools.map(\.output)))
    }
}
