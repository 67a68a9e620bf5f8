import VitrineTensor

/// Which row of a table of relative positions belongs to each pair of tokens (BEiT, https://arxiv.org/abs/2106.08254; Swin's index, with three
/// more rows for the class token).
///
/// For a grid of R x C patches: a patch at row i and column j that looks at (k, l) reads row `(i - k + R - 1)(2 C - 1) + j - l + C - 1`; the last
/// three rows are class token to patch, patch to class token, and class token to itself.
struct RelativePositions {
    let grid: PatchGrid
    let hasClassToken: Bool

    /// Rows of the table.
    var count: Int { (2 * grid.rows - 1) * (2 * grid.columns - 1) + (hasClassToken ? 3 : 0) }

    /// - Parameters:
    ///   - query: a patch's index; nil for the class token.
    ///   - key: likewise.
    func row(_ query: Int?, _ key: Int?) -> Int {
        switch (query, key) {
        case (nil, nil): count - 1
        case (nil, _): count - 3
        case (_, nil): count - 2
        case (let q?, let k?):
            (q / grid.columns - k / grid.columns + grid.rows - 1) * (2 * grid.columns - 1) + q % grid.columns - k % grid.columns
                + grid.columns - 1
        }
    }
}

extension ViTConfiguration {
    /// Rows of a block's table of relative positions.
    public var relativePositionCount: Int { RelativePositions(grid: positionGrid, hasClassToken: hasClassToken).count }
}

extension Pass {
    /// For each image, query and key the row of the table: `[B, N, N]`; `[1, N, N]` where all patches are there.
    private func tableRows(images: Int) -> [[Int]] {
        let positions = RelativePositions(grid: layout.grid, hasClassToken: configuration.hasClassToken)
        return (0..<(layout.kept == nil ? 1 : images)).map { b in
            let patches: [Int?] = (0..<layout.tokens).map { $0 < layout.prefix ? nil : layout.patch($0, of: b) }
            return patches.flatMap { query in patches.map { positions.row(query, $0) } }
        }
    }

    /// Adds the bias of relative positions to scores `[B, H, N, N]`.
    func addRelativeBias(_ table: Tensor, to scores: inout Tensor) {
        let (images, heads, n) = (scores.shape[0], configuration.heads, layout.tokens)
        let rows = tableRows(images: images)
        table.withSpan { table in
            scores.withMutableSpan { scores in
                for b in 0..<images {
                    let own = rows[rows.count == 1 ? 0 : b]
                    for h in 0..<heads {
                        let first = (b * heads + h) * n * n
                        for i in 0..<n * n { scores[first + i] += table[own[i] * heads + h] }
                    }
                }
            }
        }
    }

    /// The bias in Float64, of one image and head, by query and key.
    func relativeBias(_ table: Tensor, image b: Int, head h: Int) -> [Double] {
        let rows = tableRows(images: b + 1)
        let own = rows[rows.count == 1 ? 0 : b]
        return table.withSpan { table in own.map { Double(table[$0 * configuration.heads + h]) } }
    }

    /// Adds the gradient of a table.
    ///
    /// - Parameters:
    ///   - dProducts: by the products before their scale, `[B, H, N, N]`.
    ///   - scale: by which products became scores.
    func accumulateRelativeBias(_ gradient: inout Tensor?, dProducts: Tensor, scale: Float) {
        guard gradient != nil else { return }
        let (images, heads, n) = (dProducts.shape[0], configuration.heads, layout.tokens)
        let rows = tableRows(images: images)
        dProducts.withSpan { d in
            gradient!.withMutableSpan { table in
                for b in 0..<images {
                    let own = rows[rows.count == 1 ? 0 : b]
                    for h in 0..<heads {
                        let first = (b * heads + h) * n * n
                        for i in 0..<n * n { table[own[i] * heads + h] += d[first + i] / scale }
                    }
                }
            }
        }
    }
}
