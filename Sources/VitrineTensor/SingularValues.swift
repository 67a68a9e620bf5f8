import COpenBLAS

/// The leading right singular vector of a matrix, with the sign that LAPACK happens to return.
///
/// A singular vector's sign carries no information; this function exists to reproduce implementations that use it as it
/// comes. Runs `sgesdd` with job "S" on the matrix in column-major order, as NumPy's `linalg.svd` does, so that the
/// sign agrees with NumPy's on the same LAPACK (methods.md §4).
///
/// - Parameter x: `[rows, columns]`, finite.
/// - Returns: `columns` values of unit norm, or nil when LAPACK did not converge.
/// - Complexity: O(rows * columns * min(rows, columns)).
public func leadingRightSingularVector(_ x: Tensor) -> [Float]? {
    precondition(x.shape.rank == 2 && x.count > 0, "a singular value decomposition needs a matrix")
    BLAS.prepare()
    let (m, n) = (x.shape[0], x.shape[1])
    let k = min(m, n)
    var a = [Float](repeating: 0, count: m * n)
    x.withSpan { span in
        for i in 0..<m {
            for j in 0..<n { a[j * m + i] = span[i * n + j] }
        }
    }
    var s = [Float](repeating: 0, count: k)
    var u = [Float](repeating: 0, count: m * k)
    var vt = [Float](repeating: 0, count: k * n)
    var integers = [CInt](repeating: 0, count: 8 * k)
    var (rows, columns, inner, info) = (CInt(m), CInt(n), CInt(k), CInt(0))
    var length: CInt = -1
    var needed: Float = 0
    // SAFETY: the first call only asks for the workspace's size; arrays have the extents that LAPACK's documentation
    // demands for job "S" (u: m x k, vt: k x n, iwork: 8 k).
    unsafe sgesdd_("S", &rows, &columns, &a, &rows, &s, &u, &rows, &vt, &inner, &needed, &length, &integers, &info)
    guard info == 0 else { return nil }
    length = CInt(needed)
    var work = [Float](repeating: 0, count: max(1, Int(needed)))
    // SAFETY: as above, with the workspace of the size that was asked for.
    unsafe sgesdd_("S", &rows, &columns, &a, &rows, &s, &u, &rows, &vt, &inner, &work, &length, &integers, &info)
    guard info == 0 else { return nil }
    return (0..<n).map { vt[$0 * k] }
}
