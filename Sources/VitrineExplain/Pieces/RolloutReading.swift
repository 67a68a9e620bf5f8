import VitrineModel
import VitrineTensor

/// Two readings of one step of a rollout, and what may be left out of its attention first.
enum RolloutReading: String, CaseIterable {
    /// `F + I`, each row divided by its sum: rows of shares (Abnar & Zuidema 2020).
    case sound
    /// Gildenblat's vit-explain as its code stands: `(F + I)/2`, where entry (i, j) is divided by the sum of row j, since the sums lack
    /// an axis.
    case vitExplain = "vit-explain"

    /// The published code knows no pool.
    func check(_ network: ViTConfiguration) throws(ViTError) {
        if self == .vitExplain && network.pooling == .attention {
            throw .unfitting(what: "reading=vit-explain", network: "attention pooling")
        }
    }

    /// F becomes the step's matrix.
    ///
    /// - Parameter hasResidual: false of a pool's attention, to which no identity is added.
    func normalise(_ matrix: inout Tensor, hasResidual: Bool) {
        guard self == .vitExplain else { return normaliseRowsWithIdentity(&matrix, hasResidual: hasResidual) }
        let n = matrix.shape[0]
        matrix.withMutableSpan { m in
            var sums = [Float](repeating: 0, count: n)
            for i in 0..<n {
                m[i * n + i] += 1
                for j in 0..<n {
                    m[i * n + j] /= 2
                    sums[i] += m[i * n + j]
                }
            }
            for i in 0..<n { for j in 0..<n { m[i * n + j] /= sums[j] } }
        }
    }
}

/// The smallest entries set to 0, a share of all of them; of equal ones the first.
///
/// - Parameter keepsFirst: entry (0, 0) is spared, as vit-explain's rollout does in the belief that it is the class token.
func discardSmallest(_ matrix: inout Tensor, share: Double, keepsFirst: Bool) {
    let values = matrix.values
    let count = Int(Double(values.count) * share)
    guard count > 0 else { return }
    let smallest = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }.prefix(count)
    matrix.withMutableSpan { m in for i in smallest where !(keepsFirst && i == 0) { m[i] = 0 } }
}
