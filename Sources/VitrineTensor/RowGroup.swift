import CVitrineKernels

/// Groups of rows whose products do not depend on what stands in the other groups.
///
/// OpenBLAS takes the rows of `x` twelve at a time (AVX2 kernels, 4 x 3 columns of its column-major view), and the last bits of a row
/// depend on its place among them. Images whose rows are padded to whole groups can therefore share one product, which packs the
/// weights once, and still come out as they would alone.
public enum RowGroup {
    public static let size = 12

    /// The next multiple of `size`.
    public static func padded(_ rows: Int) -> Int { (rows + size - 1) / size * size }

    /// Whether this holds for OpenBLAS's kernels on this processor; found out once, by comparing products.
    static let areIndependent =
        sharesBits(images: 3, rows: 204, inner: 1536, columns: 80) && sharesBits(images: 17, rows: 12, inner: 768, columns: 80)
        && sharesBits(images: 100, rows: 24, inner: 24, columns: 24)

    /// Columns that OpenBLAS takes at a time (AVX2 kernels): within such a block, its last tile is summed in another order.
    static let columnBlock = 320

    /// Whether columns cut between two blocks come out as they do in the whole product; found out once.
    static let columnsAreIndependent = [197, 204].allSatisfy { rows in
        let x = noise([rows, 800], "columns-x")
        let weight = noise([768, 800], "columns-w")
        var whole = Tensor([rows, 768])
        multiply(x.matrix, weight.matrix.transposed, into: &whole)
        var pieces = Tensor([rows, 768])
        for range in columnPieces(768, threads: 2) {
            multiply(
                x.matrix, weight.matrix.transposed.columns(range), into: &pieces,
                window: MatrixWindow(start: range.lowerBound, rows: rows, columns: range.count, stride: 768))
        }
        return whole.values == pieces.values
    }

    /// Pieces of nearly equal size, cut where a whole product starts a block too: the last piece is longer than one, since OpenBLAS
    /// halves what is left of less than two.
    static func columnPieces(_ columns: Int, threads: Int) -> [Range<Int>] {
        var cuts = [0]
        for k in 1..<max(1, threads) {
            let cut = (columns * k / threads + columnBlock / 2) / columnBlock * columnBlock
            if cut > cuts.last!, columns - cut > columnBlock { cuts.append(cut) }
        }
        return zip(cuts, cuts.dropFirst() + [columns]).map { $0..<$1 }
    }

    private static func noise(_ shape: Shape, _ name: String) -> Tensor {
        var random = Philox(seed: 0, name: name)
        return Tensor(shape, (0..<shape.count).map { _ in Float(random.below(1 << 20)) / 1_048_576 - 0.5 })
    }

    /// Whether images in one product give, bit for bit, what each gives in a product of its own.
    static func sharesBits(images: Int, rows: Int, inner: Int, columns: Int) -> Bool {
        let x = noise([images, rows, inner], "rows-x")
        let weight = noise([columns, inner], "rows-w")
        for isTransposed in [true, false] {
            let m = isTransposed ? weight.matrix.transposed : weight.reshaped([inner, columns]).matrix
            var together = Tensor([images, rows, columns])
            multiply(x.matrix, m, into: &together)
            for b in 0..<images {
                var alone = Tensor([rows, columns])
                multiply(x[b].matrix, m, into: &alone)
                guard alone.values == together[b].values else { return false }
            }
        }
        return true
    }
}

/// `y = x m`, or `x m + bias`, for the rows of every image, `x` `[B, rows, inner]`.
///
/// One product for the batch where rows are whole groups and groups are independent, one per image otherwise: a batch gives what
/// single images give, bit for bit. Relevance amplifies rounding, so nothing less would do.
///
/// - Parameters:
///   - bias: `[columns of m]`, added to every row.
///   - threads: share the columns of the result, and change no bit of it.
public func multiplyRows(_ x: Tensor, _ m: Matrix, bias: Tensor? = nil, into y: inout Tensor, threads: Int = 1) {
    let batch = x.shape[0]
    let rows = m.rows == 0 || batch == 0 ? 0 : x.count / batch / m.rows
    requireCount(batch * rows * m.rows, x.count)
    requireCount(batch * rows * m.columns, y.count)
    requireCount(m.columns, bias?.count ?? m.columns)
    let isOne = batch == 1 || (rows % RowGroup.size == 0 && RowGroup.areIndependent)
    let (products, height) = isOne ? (1, batch * rows) : (batch, rows)
    BLAS.prepare()
    // SAFETY: counts were checked above; threads write different columns.
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    let pieces = threads > 1 && RowGroup.columnsAreIndependent ? RowGroup.columnPieces(m.columns, threads: threads) : [0..<m.columns]
    share(pieces.count, among: pieces.count) { indices in
        let columns = pieces[indices.lowerBound]
        let part = m.columns(columns)
        if let bias {
            // Products then add to the bias: one pass over y less than adding it afterwards.
            unsafe vk_fill_rows(
                bias.pointer + columns.lowerBound, batch * rows, columns.count, m.columns, target.pointer + columns.lowerBound)
        }
        for i in 0..<products {
            let window = MatrixWindow(
                start: i * height * m.columns + columns.lowerBound, rows: height, columns: columns.count, stride: m.columns)
            let left = x.matrix(MatrixWindow(start: i * height * m.rows, rows: height, columns: m.rows, stride: m.rows))
            unsafe product(left, part, target.pointer, window, alpha: 1, beta: bias == nil ? 0 : 1)
        }
    }
}
