import VitrineTensor

/// `readout B_L ... B_s`: a row over tokens.
func rolledOut(_ readout: Tensor, blocks: Range<Int>, _ matrix: (Int) -> Tensor) -> Tensor {
    var row = readout
    for l in blocks.reversed() { row = rowTimes(row, matrix(l)) }
    return row
}

/// `readout (I + C_L) ... (I + C_s) - readout`, which the identity alone would give: a row over tokens.
///
/// With mean pooling the identity is 1/P at every patch, far above what stands on it; carried along it would cost all digits but three.
func rolledOutBeyondIdentity(_ readout: Tensor, blocks: Range<Int>, _ matrix: (Int) -> Tensor) -> Tensor {
    var beyond = Tensor(readout.shape)
    for l in blocks.reversed() {
        var row = readout
        add(beyond, to: &row)
        add(rowTimes(row, matrix(l)), to: &beyond)
    }
    return beyond
}

/// What `readout (I + C_L) ... (I + C_s)` has at the patches beyond the identity's own share: a row over tokens.
///
/// A head that reads a class token reads nothing of a patch by the identity, so this is the product as it is published. Where the head
/// reads a mean of patches, the product without its identity is carried (`rolledOutBeyondIdentity`).
func rolledOutWithIdentity(_ subject: Subject, from start: Int = 0, _ matrix: (Int) -> Tensor) -> Tensor {
    let (readout, blocks) = (subject.readout, start..<subject.depth)
    guard subject.patches(readout).allSatisfy({ $0 == 0 }) else { return rolledOutBeyondIdentity(readout, blocks: blocks, matrix) }
    return rolledOut(readout, blocks: blocks) { l in
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
func normaliseRowsWithIdentity(_ matrix: inout Tensor) {
    let n = matrix.shape[0]
    matrix.withMutableSpan { m in
        for i in 0..<n {
            m[i * n + i] += 1
            var sum: Float = 0
            for j in 0..<n { sum += m[i * n + j] }
            for j in 0..<n { m[i * n + j] /= sum }
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
