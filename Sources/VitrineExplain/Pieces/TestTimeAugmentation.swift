import VitrineImage
import VitrineModel

/// The six test-time variants that pytorch-grad-cam averages over, and their mean.
enum TestTimeAugmentation {
    static let variants = [false, true].flatMap { flipped in
        [Float(0.9), 1, 1.1].map { InputVariant(isFlipped: flipped, gain: $0) }
    }

    /// - Parameter block: nil for the last.
    static func needs(_ network: ViTConfiguration, block: Int?) throws(ViTError) -> Needs {
        let request = CAM.request(block: try network.block(block))
        return Needs(variants: Dictionary(uniqueKeysWithValues: variants.map { ($0, request) }))
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
