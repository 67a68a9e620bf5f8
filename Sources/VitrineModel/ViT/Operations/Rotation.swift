import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Cosine and sine of every angle by which queries and keys of a model turn on one grid.
struct Rotation: Sendable {
    let positions: RotaryPositions
    let grid: PatchGrid
    /// d/2.
    let pairs: Int
    /// 0 where all blocks and heads share one table.
    private let heads: Int
    /// `[tables, patches, pairs]`, a table for each block and head or one for all.
    let cosines: [Double]
    let sines: [Double]
    /// The same in Float32, for the pass that computes in it.
    let singleCosines: [Float]
    let singleSines: [Float]

    /// Nil for a model without rotary positions.
    init?(_ model: VisionTransformer, grid: PatchGrid) {
        let c = model.configuration
        guard let positions = c.rotary else { return nil }
        self.positions = positions
        self.grid = grid
        pairs = c.headWidth / 2
        let coordinates = positions.coordinates(of: grid)
        var angles: [Double] = []
        func append(_ first: [Double], _ second: [Double]) {
            for patch in 0..<grid.count {
                let (i, j) = positions.place(patch, of: grid)
                for m in first.indices { angles.append(coordinates[0][i] * first[m] + coordinates[1][j] * second[m]) }
            }
        }
        switch positions.frequencies {
        case .axial(let frequencies):
            heads = 0
            let (own, other) = (frequencies.map(Double.init), [Double](repeating: 0, count: frequencies.count))
            append(own + other, other + own)
        case .learned:
            heads = c.heads
            for block in model.blocks {
                let frequencies = block.rotaryFrequencies!.values.map(Double.init)
                let half = frequencies.count / 2
                for h in 0..<c.heads {
                    append(Array(frequencies[h * pairs..<(h + 1) * pairs]), Array(frequencies[half + h * pairs..<half + (h + 1) * pairs]))
                }
            }
        }
        cosines = angles.map { cos($0) }
        sines = angles.map { sin($0) }
        singleCosines = cosines.map { Float($0) }
        singleSines = sines.map { Float($0) }
    }

    /// Where a patch's angles stand in the tables.
    func start(block: Int, head: Int, patch: Int) -> Int {
        (heads == 0 ? patch : (block * heads + head) * grid.count + patch) * pairs
    }

    /// The m-th pair's first channel is `m * step`, and its second stands `distance` behind.
    var step: Int { positions.pairing == .halves ? 1 : 2 }
    var distance: Int { positions.pairing == .halves ? pairs : 1 }
}

extension Pass {
    /// Queries and keys of `[B, N, 3 D]`, turned; values and prefix tokens as they are. Nothing to do for a model without rotary positions.
    ///
    /// - Parameter backwards: turns back, which is also what a gradient by the turned values needs: a rotation's transpose.
    func rotated(_ qkv: Tensor, block l: Int, backwards: Bool = false) -> Tensor {
        guard let rotation else { return qkv }
        var result = workspace.tensor(qkv.shape)
        result.replace(from: 0, with: qkv)
        let c = configuration
        let (d, width, sign) = (c.headWidth, c.width, Float(backwards ? -1 : 1))
        let (pairs, step, distance) = (rotation.pairs, rotation.step, rotation.distance)
        let (cosines, sines) = (rotation.singleCosines, rotation.singleSines)
        result.withMutableSpan { values in
            for b in 0..<qkv.shape[0] {
                for t in layout.prefix..<layout.tokens {
                    let patch = layout.patch(t, of: b)
                    for i in 0..<2 * c.heads {
                        let table = rotation.start(block: l, head: i % c.heads, patch: patch)
                        let first = (b * layout.tokens + t) * 3 * width + i / c.heads * width + i % c.heads * d
                        for m in 0..<pairs {
                            let (cosine, sine) = (cosines[table + m], sign * sines[table + m])
                            let (x, y) = (values[first + m * step], values[first + m * step + distance])
                            values[first + m * step] = x * cosine - y * sine
                            values[first + m * step + distance] = y * cosine + x * sine
                        }
                    }
                }
            }
        }
        return result
    }

    /// The same in Float64, of one image's `[N, 3 D]`.
    func rotated(_ qkv: DoubleMatrix, block l: Int, image b: Int) -> DoubleMatrix {
        guard let rotation else { return qkv }
        let c = configuration
        let d = c.headWidth
        let (pairs, step, distance) = (rotation.pairs, rotation.step, rotation.distance)
        return DoubleMatrix(rows: qkv.rows, columns: qkv.columns) { t, row in
            for j in 0..<row.count { row[j] = qkv[t, j] }
            guard t >= layout.prefix else { return }
            for i in 0..<2 * c.heads {
                let table = rotation.start(block: l, head: i % c.heads, patch: layout.patch(t, of: b))
                let first = i / c.heads * c.width + i % c.heads * d
                for m in 0..<pairs {
                    let (cosine, sine) = (rotation.cosines[table + m], rotation.sines[table + m])
                    let (x, y) = (row[first + m * step], row[first + m * step + distance])
                    row[first + m * step] = x * cosine - y * sine
                    row[first + m * step + distance] = y * cosine + x * sine
                }
            }
        }
    }

    /// Adds the gradient of learnt frequencies: an angle's is `y1 dy2 - y2 dy1` of the pair (y1, y2) that it turned.
    ///
    /// - Parameters:
    ///   - frequencies: of the block, `[2, heads, pairs]`; nil where they are not learnt.
    ///   - qkv: turned, `[B, N, 3 D]`.
    ///   - dQKV: by `qkv`.
    func accumulateFrequencies(_ frequencies: inout Tensor?, _ qkv: Tensor, _ dQKV: Tensor) {
        guard let rotation, frequencies != nil else { return }
        let c = configuration
        let (d, pairs, step, distance) = (c.headWidth, rotation.pairs, rotation.step, rotation.distance)
        let coordinates = rotation.positions.coordinates(of: rotation.grid)
        var sums = [Double](repeating: 0, count: 2 * c.heads * pairs)
        qkv.withSpan { y in
            dQKV.withSpan { dy in
                for b in 0..<qkv.shape[0] {
                    for t in layout.prefix..<layout.tokens {
                        let (u, v) = rotation.positions.place(layout.patch(t, of: b), of: rotation.grid)
                        for i in 0..<2 * c.heads {
                            let first = (b * layout.tokens + t) * 3 * c.width + i / c.heads * c.width + i % c.heads * d
                            for m in 0..<pairs {
                                let (one, two) = (first + m * step, first + m * step + distance)
                                let slope = Double(y[one]) * Double(dy[two]) - Double(y[two]) * Double(dy[one])
                                let place = i % c.heads * pairs + m
                                sums[place] += coordinates[0][u] * slope
                                sums[c.heads * pairs + place] += coordinates[1][v] * slope
                            }
                        }
                    }
                }
            }
        }
        frequencies!.withMutableSpan { f in for i in 0..<f.count { f[i] += Float(sums[i]) } }
    }
}
