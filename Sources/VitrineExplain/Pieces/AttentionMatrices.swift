import VitrineTensor

/// `readout B_L ... B_s`: a row over tokens. With attention pooling B_L is the pool's, one row.
func rolledOut(_ subject: Subject, from start: Int = 0, _ matrix: (Int) -> Tensor) -> Tensor {
    var row = subject.readout
    for l in (start..<subject.attentions).reversed() { row = rowTimes(row, matrix(l)) }
    return row
}

/// `readout (I + C_L) ... (I + C_s) - readout`, which the identity alone would give: a row over tokens.
///
/// With mean pooling the identity is 1/P at every patch, far above what stands on it; carried along it would cost all digits but three.
/// No residual path leads around attention pooling: its row C is where the product starts, and all of that is meant.
func rolledOutBeyondIdentity(_ subject: Subject, from start: Int = 0, _ matrix: (Int) -> Tensor) -> Tensor {
    let isAsked = subject.network.pooling == .attention
    let readout = isAsked ? nil : subject.readout
    var beyond = isAsked ? rowTimes(subject.readout, matrix(subject.depth)) : Tensor(subject.readout.shape)
    for l in (start..<subject.depth).reversed() {
        var row = beyond
        if let readout { add(readout, to: &row) }
        add(rowTimes(row, matrix(l)), to: &beyond)
    }
    return beyond
}

/// What `readout (I + C_L) ... (I + C_s)` has at the patches beyond the identity's own share: a row over tokens.
///
/// A head that reads a class token reads nothing of a patch by the identity, so this is the product as it is published. Where the head
/// reads a mean of patches, the product without its identity is carried (`rolledOutBeyondIdentity`), and likewise where attention pools.
func rolledOutWithIdentity(_ subject: Subject, from start: Int = 0, _ matrix: (Int) -> Tensor) -> Tensor {
    guard subject.network.pooling != .attention, subject.patches(subject.readout).allSatisfy({ $0 == 0 }) else {
        return rolledOutBeyondIdentity(subject, from: start, matrix)
    }
    return rolledOut(subject, from: start) { l in
        var matrix = matrix(l)
        addIdentity(&matrix)
        return matrix
    }
}

/// `[H, N, N]` -> `[N, N]`.
func meanOverHeads(_ heads: Tensor) -> Tensor {
    var mean = heads[0]
    for h in 1..<heads.shape[0] { add(heads[h], to: &mean) }
    scale(&mean, by: 1 / Float(heads.shape[0]))
    return mean
}

/// `(M + I)`, each row divided by its sum.
///
/// - Parameter hasResidual: false of a pool's attention, to which no identity is added.
func normaliseRowsWithIdentity(_ matrix: inout Tensor, hasResidual: Bool = true) {
    let (rows, n) = (matrix.shape[0], matrix.shape[1])
    matrix.withMutableSpan { m in
        for i in 0..<rows {
            if hasResidual { m[i * n + i] += 1 }
            var sum: Float = 0
            for j in 0..<n { sum += m[i * n + j] }
            // A row of nothing but zeros stays one.
            if sum != 0 { for j in 0..<n { m[i * n + j] /= sum } }
        }
    }
}

/// `M + I`.
func addIdentity(_ matrix: inout Tensor) {
    let n = matrix.shape[0]
    matrix.withMutableSpan { m in for i in 0..<n { m[i * n + i] += 1 } }
}

/// `row matrix`, `[1, n] x [n, n]`.
func rowTimes(_ row: Tensor, _ matrix: Tensor) -> Tensor {
    var result = Tensor([1, matrix.shape[1]])
    multiply(row.matrix, matrix.matrix, into: &result)
    return result
}

/// `max(0, x)`; NaN stays.
func clampNegatives(_ x: inout Tensor) {
    x.withMutableSpan { x in
        for i in 0..<x.count where x[i] < 0 { x[i] = 0 }
    }
}
