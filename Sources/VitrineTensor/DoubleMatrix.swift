import COpenBLAS

/// A dense row-major matrix of Float64 with value semantics, for the passes whose last bits matter more than their time.
///
/// No bit depends on the number of threads.
public struct DoubleMatrix: Sendable {
    public let rows: Int
    public let columns: Int
    /// Row-major.
    public private(set) var values: [Double]

    /// The values of a tensor; its last dimension gives the columns, all others together the rows.
    public init(_ tensor: Tensor) {
        columns = tensor.shape.last
        rows = tensor.rowCount
        values = tensor.values.map(Double.init)
    }

    /// Row by row, shared among threads.
    ///
    /// - Parameter fill: is given a row's index and its zeros to overwrite.
    public init(rows: Int, columns: Int, threads: Int = 1, _ fill: @Sendable (_ row: Int, _ values: inout MutableSpan<Double>) -> Void) {
        self.rows = rows
        self.columns = columns
        values = [Double](repeating: 0, count: rows * columns)
        guard !values.isEmpty else { return }
        unsafe values.withUnsafeMutableBufferPointer { buffer in
            // SAFETY: `rows * columns` values, of which every thread is given whole rows of its own.
            let target = unsafe SharedDoubles(pointer: buffer.baseAddress!)
            share(rows, among: threads) { range in
                for i in range {
                    var row = unsafe MutableSpan(_unsafeStart: target.pointer + i * columns, count: columns)
                    fill(i, &row)
                }
            }
        }
    }

    public subscript(_ row: Int, _ column: Int) -> Double { values[row * columns + column] }

    public func slice(columns range: Range<Int>) -> DoubleMatrix {
        let first = range.lowerBound
        return DoubleMatrix(rows: rows, columns: range.count) { i, row in for j in 0..<row.count { row[j] = self[i, first + j] } }
    }

    public func slice(rows range: Range<Int>) -> DoubleMatrix {
        let first = range.lowerBound
        return DoubleMatrix(rows: range.count, columns: columns) { i, row in for j in 0..<row.count { row[j] = self[first + i, j] } }
    }

    /// `self other` or `self other^T`, plus a bias on every row.
    ///
    /// - Parameters:
    ///   - bias: one value per column of the product; nil for none.
    ///   - threads: share the columns.
    public func times(_ other: DoubleMatrix, transposed: Bool = false, bias: [Double]? = nil, threads: Int = 1) -> DoubleMatrix {
        let (m, k, n) = (rows, columns, transposed ? other.rows : other.columns)
        precondition(k == (transposed ? other.columns : other.rows), "a product of \(m) x \(k) with \(other.rows) x \(other.columns)")
        precondition(bias == nil || bias!.count == n, "a bias has one value per column")
        var result = DoubleMatrix(rows: m, columns: n) { _, row in
            if let bias { for j in 0..<n { row[j] = bias[j] } }
        }
        guard m * k * n > 0 else { return result }
        BLAS.prepare()
        let strideB = CInt(other.columns)
        unsafe values.withUnsafeBufferPointer { a in
            unsafe other.values.withUnsafeBufferPointer { b in
                unsafe result.values.withUnsafeMutableBufferPointer { c in
                    // SAFETY: each matrix holds rows x columns values, which the preconditions made agree; every piece writes columns of its own.
                    let (left, right) = unsafe (SharedOperand(pointer: a.baseAddress!), SharedOperand(pointer: b.baseAddress!))
                    let target = unsafe SharedDoubles(pointer: c.baseAddress!)
                    // Pieces of one width whatever the number of threads, so that a library that treats edges apart does so always at the same.
                    let width = 128
                    HelperThreads.run((n + width - 1) / width, threads: threads) { piece in
                        let first = piece * width
                        unsafe cblas_dgemm(
                            CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, CInt(m), CInt(min(width, n - first)),
                            CInt(k),
                            1, left.pointer, CInt(k), right.pointer + (transposed ? first * k : first), strideB, 1, target.pointer + first,
                            CInt(n))
                    }
                }
            }
        }
        return result
    }
}

/// Writes matrices one behind the other, each value rounded to the nearest Float32.
public func round(_ matrices: [DoubleMatrix], into tensor: inout Tensor) {
    requireCount(matrices.reduce(0) { $0 + $1.values.count }, tensor.count)
    tensor.withMutableSpan { span in
        var position = 0
        for matrix in matrices {
            for value in matrix.values {
                span[position] = Float(value)
                position += 1
            }
        }
    }
}

/// Memory that several threads write, each in places of its own.
///
/// SAFETY: whoever makes one sees to it that no two threads touch the same value and that the memory outlives them.
@safe private struct SharedDoubles: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Double>
}

/// Memory that several threads read.
///
/// SAFETY: whoever makes one sees to it that nobody writes and that the memory outlives them.
@safe private struct SharedOperand: @unchecked Sendable {
    let pointer: UnsafePointer<Double>
}
