import COpenBLAS

/// A matrix inside a tensor, read-only: rows of `columns` consecutive floats, `stride` apart; perhaps seen transposed.
public struct Matrix: Sendable {
    let tensor: Tensor
    let start: Int
    let storedRows: Int
    let storedColumns: Int
    let stride: Int
    let isTransposed: Bool

    public var rows: Int { isTransposed ? storedColumns : storedRows }
    public var columns: Int { isTransposed ? storedRows : storedColumns }
    public var transposed: Matrix {
        Matrix(
            tensor: tensor, start: start, storedRows: storedRows, storedColumns: storedColumns, stride: stride,
            isTransposed: !isTransposed)
    }
}

/// Where in a tensor a product is written: rows of `columns` consecutive floats, `stride` apart, from flat position `start`.
public struct MatrixWindow: Sendable {
    public var start: Int
    public var rows: Int
    public var columns: Int
    public var stride: Int

    public init(start: Int, rows: Int, columns: Int, stride: Int) {
        self.start = start
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    func fits(_ count: Int) -> Bool {
        start >= 0 && rows >= 0 && columns >= 0 && stride >= columns
            && (rows == 0 || start + (rows - 1) * stride + columns <= count)
    }
}

extension Tensor {
    /// The tensor as a matrix: the last dimension gives the columns, all others together the rows.
    public var matrix: Matrix {
        let columns = shape.last
        return Matrix(
            tensor: self, start: 0, storedRows: columns == 0 ? 0 : count / columns, storedColumns: columns, stride: columns,
            isTransposed: false)
    }

    /// A strided matrix inside the tensor.
    public func matrix(_ window: MatrixWindow) -> Matrix {
        precondition(window.fits(count), "a matrix must lie inside its tensor")
        return Matrix(
            tensor: self, start: window.start, storedRows: window.rows, storedColumns: window.columns,
            stride: window.stride, isTransposed: false)
    }
}

/// `c = alpha * a b + beta * c`, by OpenBLAS on one thread.
///
/// - Parameters:
///   - c: receives the product, in `window` (default: all of it, as `c.matrix`).
///   - beta: 0 overwrites whatever stood there, NaN included.
/// - Complexity: O(rows * columns * inner).
public func multiply(
    _ a: Matrix, _ b: Matrix, into c: inout Tensor, window: MatrixWindow? = nil, alpha: Float = 1, beta: Float = 0
) {
    let columns = c.shape.last
    let w =
        window
        ?? MatrixWindow(start: 0, rows: columns == 0 ? 0 : c.count / columns, columns: columns, stride: columns)
    precondition(a.columns == b.rows, "inner sizes of a product differ: \(a.columns) and \(b.rows)")
    precondition(a.rows == w.rows && b.columns == w.columns, "a product of \(a.rows)x\(b.columns) into \(w.rows)x\(w.columns)")
    precondition(w.fits(c.count), "a product must lie inside its tensor")
    BLAS.prepare()
    unsafe product(a, b, c.mutablePointer(), w, alpha: alpha, beta: beta)
}

/// Products of windows that do not overlap in `c`, shared among threads: `c_i = alpha * a_i b_i` for every index below `count`.
///
/// - Parameter factors: the two factors of a product and where it is written.
public func multiplyEach(
    _ count: Int, into c: inout Tensor, alpha: Float = 1, threads: Int = 1, factors: (Int) -> (Matrix, Matrix, MatrixWindow)
) {
    let products = (0..<count).map { i in
        let (a, b, w) = factors(i)
        precondition(a.columns == b.rows, "inner sizes of a product differ: \(a.columns) and \(b.rows)")
        precondition(a.rows == w.rows && b.columns == w.columns, "a product of \(a.rows)x\(b.columns) into \(w.rows)x\(w.columns)")
        precondition(w.fits(c.count), "a product must lie inside its tensor")
        return (a, b, w)
    }
    BLAS.prepare()
    // SAFETY: each window was checked above; the caller's windows are disjoint, so no two threads write the same float.
    let target = unsafe SharedFloats(pointer: c.mutablePointer())
    share(count, among: threads) { range in
        for i in range { unsafe product(products[i].0, products[i].1, target.pointer, products[i].2, alpha: alpha, beta: 0) }
    }
}

/// SAFETY: sizes and windows were checked by the caller.
@unsafe func product(
    _ a: Matrix, _ b: Matrix, _ c: UnsafeMutablePointer<Float>, _ w: MatrixWindow, alpha: Float, beta: Float
) {
    guard w.rows > 0 && w.columns > 0 else { return }
    // SAFETY: windows of a, b and c lie inside their tensors; the caller made c distinct.
    unsafe cblas_sgemm(
        CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans, b.isTransposed ? CblasTrans : CblasNoTrans,
        CInt(w.rows), CInt(w.columns), CInt(a.columns), alpha, a.tensor.pointer + a.start, CInt(max(a.stride, 1)),
        b.tensor.pointer + b.start, CInt(max(b.stride, 1)), beta, c + w.start, CInt(w.stride))
}

extension Matrix {
    /// Some columns of the matrix; no copy.
    func columns(_ range: Range<Int>) -> Matrix {
        isTransposed
            ? Matrix(
                tensor: tensor, start: start + range.lowerBound * stride, storedRows: range.count, storedColumns: storedColumns,
                stride: stride, isTransposed: true)
            : Matrix(
                tensor: tensor, start: start + range.lowerBound, storedRows: storedRows, storedColumns: range.count, stride: stride,
                isTransposed: false)
    }
}
