/// Traps unless all counts equal the first: a wrong size is a mistake of the caller's code, never of the user's data.
func requireCount(_ n: Int, _ others: Int...) {
    for m in others { precondition(m == n, "tensors of \(n) and \(m) elements in one operation") }
}

extension Tensor {
    /// Rows of the tensor as a matrix of `shape.last` columns.
    var rowCount: Int { shape.last == 0 ? 0 : count / shape.last }
}
