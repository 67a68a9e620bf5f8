import VitrineImage
import VitrineTensor

/// A projection under both sign rules.
struct SignedProjection {
    /// As LAPACK returned it.
    let lapack: [Float]
    /// Pearson's correlation of `lapack` with plain Grad-CAM on the grid; 0 when either is constant.
    let correlation: Double

    init(_ layer: CAM.Layer) {
        lapack = CAM.lapackProjection(CAM.centredWeighted(layer))
        correlation = Correlation.pearson(lapack, CAM.weightedSum(layer)) ?? 0
    }

    /// Whether LAPACK's sign is the documented one.
    var agrees: Bool { correlation >= 0 }
    /// Positively correlated with plain Grad-CAM.
    var documented: [Float] { agrees ? lapack : lapack.map { -$0 } }
}
