import VitrineImage
import VitrineModel

/// Mean of six finished Grad-CAM maps (pytorch-grad-cam's `aug_smooth`).
///
/// {identity, horizontal flip} x {pixel values times 0.9, 1, 1.1}, each map brought to full size and to [0, 1], flipped back; the mean is
/// not rescaled, so its maximum may lie below 1.
struct AugmentedGradCAM: TraceExplainer {
    static let methods = [
        Method(
            "gradcam-augmented", "Grad-CAM, mean of six test-time variants", "Gildenblat et al., pytorch-grad-cam (aug_smooth)",
            family: .cam, options: "block=last"
        ) { options throws(MethodError) in AugmentedGradCAM(block: try options.takeBlock()) }
    ]

    /// Nil: the last.
    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { try TestTimeAugmentation.needs(network, block: block) }

    func map(_ subject: Subject) -> MethodResult {
        MethodResult(TestTimeAugmentation.mean(subject) { variant in CAM.weightedSum(CAM.layer(subject, variant, block: block)) })
    }
}
