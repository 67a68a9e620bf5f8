import CVitrineKernels
import Synchronization

/// A matrix inside a tensor, read-only: rows of `columns` consecutive floats, `stride` apart; perhaps seen transposed.
public struct Matrix: Sendable {
    let tensor: Tensor
    let start: Int
    let storedRows: Int
    let storedColumns: Int
    let stride: Int
    let isTransposed: Bool
    /// What a product takes of each element.
    fileprivate(set) var part = VK_ALL
    /// 0, or the width of the panels in which the matrix is stored; `stride` is then a panel's number of rows.
    var panel = 0

    public var rows: Int { isTransposed ? storedColumns : storedRows }
    public var columns: Int { isTransposed ? storedRows : storedColumns }
    public var transposed: Matrix {
        Matrix(
            tensor: tensor, start: start, storedRows: storedRows, storedColumns: storedColumns, stride: stride,
            isTransposed: !isTransposed, part: part, panel: panel)
    }
    /// `|x|` of every element, taken as a product reads it; no copy.
    public var magnitudes: Matrix { taking(VK_MAGNITUDE) }
    /// `max(x, 0)` of every element, likewise.
    public var positives: Matrix { taking(VK_POSITIVE) }
    /// `min(x, 0)` of every element, likewise.
    public var negatives: Matrix { taking(VK_NEGATIVE) }

    private func taking(_ part: vk_part) -> Matrix {
        var result = self
        result.part = part
        return result
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

/// `c = alpha * a b + beta * c`.
///
/// The bits of an element depend on its row of `a` and its column of `b` alone: a product of some of the rows or columns gives them too.
///
/// - Parameters:
///   - c: receives the product, in `window` (default: all of it, as `c.matrix`).
///   - beta: 0 overwrites whatever stood there, NaN included.
///   - threads: share the columns of the result, and change no bit of it.
/// - Complexity: O(rows * columns * inner).
public func multiply(
    _ a: Matrix, _ b: Matrix, into c: inout Tensor, window: MatrixWindow? = nil, alpha: Float = 1, beta: Float = 0, threads: Int = 1
) {
    multiply(a, b, into: &c, window: window, alpha: alpha, beta: beta, threads: threads, path: vk_cpu_path())
}

/// The same by the machine code of a path (`vk_cpu_path`) that this processor has.
func multiply(
    _ a: Matrix, _ b: Matrix, into c: inout Tensor, window: MatrixWindow? = nil, alpha: Float = 1, beta: Float = 0, threads: Int = 1,
    path: CInt
) {
    let columns = c.shape.last
    let whole = MatrixWindow(start: 0, rows: columns == 0 ? 0 : c.count / columns, columns: columns, stride: columns)
    let w = window ?? whole
    requireFit(a, b, w, count: c.count)
    // SAFETY: sizes and windows were checked; `mutablePointer` makes c distinct from both factors; threads write different columns.
    let target = unsafe SharedFloats(pointer: c.mutablePointer())
    share(w.columns, among: threads, unit: columnUnit) { columns in
        let part = MatrixWindow(start: w.start + columns.lowerBound, rows: w.rows, columns: columns.count, stride: w.stride)
        unsafe product(a, b.columns(columns), target.pointer, part, alpha: alpha, beta: beta, path: path)
    }
}

/// Products of windows that do not overlap in `c`, shared among threads: `c_i = alpha * a_i b_i` for every index below `count`.
///
/// - Parameter factors: the two factors of a product and where it is written.
public func multiplyEach(
    _ count: Int, into c: inout Tensor, alpha: Float = 1, threads: Int = 1, factors: @Sendable (Int) -> (Matrix, Matrix, MatrixWindow)
) {
    let size = c.count
    // SAFETY: each window is checked below; the caller's windows are disjoint, so no two threads write the same float.
    let target = unsafe SharedFloats(pointer: c.mutablePointer())
    share(count, among: threads) { range in
        for i in range {
            let (a, b, w) = factors(i)
            requireFit(a, b, w, count: size)
            unsafe product(a, b, target.pointer, w, alpha: alpha, beta: 0)
        }
    }
}

/// `y = x m`, or `x m + bias`: one product for all rows of a batch.
///
/// - Parameters:
///   - x: rows of `m.rows` values, whatever its shape.
///   - bias: `[m.columns]`, added to every row.
///   - y: as many rows of `m.columns` values.
///   - threads: share the columns of the result, and change no bit of it.
public func multiplyRows(_ x: Tensor, _ m: Matrix, bias: Tensor? = nil, into y: inout Tensor, threads: Int = 1) {
    multiplyRows(x.matrix, m, bias: bias, into: &y, threads: threads)
}

/// The same for rows that are seen through a `Matrix`.
public func multiplyRows(_ x: Matrix, _ m: Matrix, bias: Tensor? = nil, into y: inout Tensor, threads: Int = 1) {
    multiplyRows(x, m, bias: bias, chooser: nil, into: &y, threads: threads)
}

/// `y = x m+` where the chooser is above 0 and `x m-` elsewhere, with `m+ = max(m, 0)` and `m- = min(m, 0)`: the bits of two products in
/// little more than the time of one on processors that choose beside their products.
///
/// - Parameters:
///   - m: all of its values; this product takes their parts itself.
///   - chooser: a value for each of y's.
public func multiplyRows(_ x: Tensor, _ m: Matrix, choosingBy chooser: Tensor, into y: inout Tensor, threads: Int = 1) {
    multiplyRows(x.matrix, m, bias: nil, chooser: chooser, into: &y, threads: threads)
}

/// Both by the machine code of a path (`vk_cpu_path`) that this processor has.
func multiplyRows(
    _ x: Matrix, _ m: Matrix, bias: Tensor?, chooser: Tensor?, into y: inout Tensor, threads: Int, path: CInt = vk_cpu_path()
) {
    precondition(chooser == nil || m.part == VK_ALL, "a product that chooses takes the parts of its factor itself")
    requireCount(y.count, chooser?.count ?? y.count)
    let whole = MatrixWindow(start: 0, rows: x.rows, columns: m.columns, stride: m.columns)
    requireFit(x, m, whole, count: y.count)
    requireCount(x.rows * m.columns, y.count)
    requireCount(m.columns, bias?.count ?? m.columns)
    // SAFETY: sizes were checked above; `mutablePointer` makes y distinct from the chooser too; threads write different columns.
    let target = unsafe SharedFloats(pointer: y.mutablePointer())
    share(m.columns, among: threads, unit: columnUnit) { columns in
        let window = MatrixWindow(start: columns.lowerBound, rows: x.rows, columns: columns.count, stride: m.columns)
        unsafe product(
            x, m.columns(columns), target.pointer, window, alpha: 1, beta: 0, bias: bias, chooser: chooser, firstColumn: columns.lowerBound,
            path: path)
    }
}

/// Pieces of a product that threads share begin at its multiples: whole panels of the kernel, on every kind of processor.
private let columnUnit = 32

private func requireFit(_ a: Matrix, _ b: Matrix, _ w: MatrixWindow, count: Int) {
    precondition(a.columns == b.rows, "inner sizes of a product differ: \(a.columns) and \(b.rows)")
    precondition(a.rows == w.rows && b.columns == w.columns, "a product of \(a.rows)x\(b.columns) into \(w.rows)x\(w.columns)")
    precondition(w.fits(count), "a product must lie inside its tensor")
    precondition(a.panel == 0, "only the second factor of a product may be packed")
}

/// SAFETY: sizes and windows were checked by the caller, who made c distinct from both factors.
@unsafe private func product(
    _ a: Matrix, _ b: Matrix, _ c: UnsafeMutablePointer<Float>, _ w: MatrixWindow, alpha: Float, beta: Float, bias: Tensor? = nil,
    chooser: Tensor? = nil, firstColumn: Int = 0, path: CInt = vk_cpu_path()
) {
    guard w.rows > 0 && w.columns > 0 else { return }
    ProductScratch.with { scratch in
        // SAFETY: windows of a, b and c lie inside their tensors; bias has a value per column, the chooser one for each of c's; the scratch
        // has the size the kernel asks for.
        var factors = unsafe vk_factors(
            rows: w.rows, columns: w.columns, terms: a.columns, alpha: alpha, beta: beta, a: a.factor, b: b.factor,
            bias: bias.map { unsafe $0.pointer + firstColumn }, chooser: chooser.map { unsafe $0.pointer + firstColumn },
            chooser_stride: w.stride)
        unsafe vk_product(path, &factors, c + w.start, w.stride, scratch.pointer)
    }
}

/// Memory into which the kernel copies pieces of its factors; one for each product that runs at the same time, kept for the next.
private enum ProductScratch {
    private static let free = Mutex<[SharedFloats]>([])

    static func with(_ body: (SharedFloats) -> Void) {
        let scratch = free.withLock { $0.popLast() } ?? allocated()
        body(scratch)
        free.withLock { $0.append(scratch) }
    }

    private static func allocated() -> SharedFloats {
        // SAFETY: never released; each is held by one product at a time.
        unsafe SharedFloats(pointer: TensorStorage.allocate(vk_product_scratch()))
    }
}

extension Matrix {
    /// SAFETY: the pointer is valid while the tensor is.
    @unsafe var factor: vk_factor {
        unsafe vk_factor(
            values: tensor.pointer + start, stride: stride, is_transposed: isTransposed ? 1 : 0, part: part, panel: panel)
    }
}

extension Matrix {
    /// Some columns of the matrix; no copy. Of a packed one, whole panels but for the last.
    func columns(_ range: Range<Int>) -> Matrix {
        precondition(panel == 0 || isTransposed || range.lowerBound % panel == 0, "a packed matrix is cut between its panels")
        let (row, column) = panel == 0 ? (stride, 1) : (panel, stride)
        return isTransposed
            ? Matrix(
                tensor: tensor, start: start + range.lowerBound * row, storedRows: range.count, storedColumns: storedColumns,
                stride: stride, isTransposed: true, part: part, panel: panel)
            : Matrix(
                tensor: tensor, start: start + range.lowerBound * column, storedRows: storedRows, storedColumns: range.count,
                stride: stride, isTransposed: false, part: part, panel: panel)
    }
}
