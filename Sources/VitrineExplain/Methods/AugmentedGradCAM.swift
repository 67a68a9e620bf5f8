import VitrineImage
import VitrineModel

/// Mean of six finished Grad-CAM maps (pytorch-grad-cam's `aug_smooth`; methods.md §4).
///
/// {identity, horizontal flip} x {pixel values times 0.9, 1, 1.1}, each map brought to full size and to [0, 1], flipped back; the mean is
/// not rescaled, so its maximum may lie below 1.
struct AugmentedGradCAM: Explainer {
    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] { TestTimeAugmentation.needs(configuration) }

    func map(_ subject: Subject) -> MethodResult {
        MethodResult(
            TestTimeAugmentation.mean(subject) { variant in CAM.weightedSum(CAM.layer(subject, variant)) })
    }
}

/// The six test-time variants that pytorch-grad-cam averages over, and their mean.
enum TestTimeAugmentation {
    static let variants = [false, true].flatMap { flipped in
        [Float(0.9), 1, 1.1].map { InputVariant(isFlipped: flipped, gain: $0) }
    }

    static func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] {
        Dictionary(uniqueKeysWithValues: variants.map { ($0, CAM.request(configuration)) })
    }

    /// Mean over the variants of each one's finished full-size map; `grid` gives a variant's raw map on the patch grid.
    static func mean(_ subject: Subject, grid: (InputVariant) -> [Float]) -> HeatMap {
        let (height, width) = (subject.height, subject.width)
        var total = [Float](repeating: 0, count: height * width)
        for variant in variants {
            let pixels = subject.patchMap(grid(variant), .gradCAM).displayed()
            for y in 0..<height {
                for x in 0..<width {
                    total[y * width + x] += pixels[y * width + (variant.isFlipped ? width - 1 - x : x)]
                }
            }
        }
        for i in total.indices { total[i] /= Float(variants.count) }
        return subject.pixelMap(total, .finished)
    }
}
