import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Maps that know nothing of the model, which every method must beat.
enum Controls: Control {
    /// Independent uniform values per patch, displayed like the method it stands for.
    case randomPatch(upsampling: DisplayRule.Upsampling)
    /// Independent uniform values per pixel.
    case randomPixel
    /// `exp(-r^2 / 2 s^2)` around the image's centre, `s = sigma * height`.
    case centre(sigma: Double)
    /// Sobel magnitude of the grey image the network sees.
    case edge
    /// Distance of every pixel from the image's mean colour, channels summed: `sum_c |x_c - mean x_c|`.
    case intensity
    /// The same value everywhere: shows what a tie rule gives away.
    case constant

    static let methods = [
        Method(
            "random-patch", "control: uniform noise per patch", "control", family: .control, classSpecific: false,
            options: "upsampling=bilinear|nearest|bicubic"
        ) { options throws(MethodError) in
            Controls.randomPatch(upsampling: try options.takeWord("upsampling", default: .bilinear))
        },
        Method("random-pixel", "control: uniform noise per pixel", "control", family: .control, classSpecific: false) { _ in
            Controls.randomPixel
        },
        Method(
            "centre", "control: Gaussian around the image's centre", "control", family: .control, classSpecific: false,
            options: "sigma=0.25 (of the height)"
        ) { options throws(MethodError) in
            Controls.centre(sigma: try options.takeNumber("sigma", default: 0.25, .positive))
        },
        Method("edge", "control: Sobel edges of the image", "control", family: .control, classSpecific: false) { _ in Controls.edge },
        Method("intensity", "control: distance of the pixels from their mean", "control", family: .control, classSpecific: false) { _ in
            Controls.intensity
        },
        Method("constant", "control: one value everywhere", "control", family: .control, classSpecific: false) { _ in Controls.constant },
    ]

    func map(_ input: ControlInput) -> HeatMap {
        switch self {
        case .randomPatch(let upsampling):
            input.patchMap(
                Self.uniform(input, "random-patch", count: input.grid.count), DisplayRule(upsampling: upsampling, normalisation: .minMax))
        case .randomPixel:
            input.pixelMap(Self.uniform(input, "random-pixel", count: input.height * input.width), .finished)
        case .centre(let sigma):
            input.pixelMap(Self.centre(height: input.height, width: input.width, sigma: sigma), .finished)
        case .edge:
            input.pixelMap(Self.sobel(input.image), DisplayRule(upsampling: .nearest, normalisation: .minMax))
        case .intensity: input.pixelMap(Self.intensity(input.image), .pixels)
        case .constant:
            input.patchMap([Float](repeating: 1, count: input.grid.count), .finished)
        }
    }

    private static func uniform(_ input: ControlInput, _ method: String, count: Int) -> [Float] {
        var random = Philox(seed: input.seed, name: "\(method)/\(input.name)")
        return (0..<count).map { _ in Float(random.uniform()) }
    }

    /// Distances are taken from pixel centres to the image's centre.
    static func centre(height: Int, width: Int, sigma: Double) -> [Float] {
        let s = sigma * Double(height)
        var map = [Float](repeating: 0, count: height * width)
        for y in 0..<height {
            for x in 0..<width {
                let (dy, dx) = (Double(y) - Double(height - 1) / 2, Double(x) - Double(width - 1) / 2)
                map[y * width + x] = Float(exp(-(dy * dy + dx * dx) / (2 * s * s)))
            }
        }
        return map
    }

    static func intensity(_ image: Tensor) -> [Float] {
        let (channels, plane) = (image.shape[0], image.shape[1] * image.shape[2])
        var map = [Float](repeating: 0, count: plane)
        for c in 0..<channels {
            let mean = Float(VitrineTensor.sum(image[c]) / Double(plane))
            image[c].withSpan { span in for i in 0..<plane { map[i] += abs(span[i] - mean) } }
        }
        return map
    }

    /// 3x3 Sobel, edges repeated, on the mean of the channels.
    static func sobel(_ image: Tensor) -> [Float] {
        let (channels, height, width) = (image.shape[0], image.shape[1], image.shape[2])
        var grey = [Float](repeating: 0, count: height * width)
        image.withSpan { span in
            for c in 0..<channels {
                for i in grey.indices { grey[i] += span[c * height * width + i] / Float(channels) }
            }
        }
        let at = { (y: Int, x: Int) in grey[min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1)] }
        var map = grey
        for y in 0..<height {
            for x in 0..<width {
                let gx = at(y - 1, x + 1) + 2 * at(y, x + 1) + at(y + 1, x + 1) - at(y - 1, x - 1) - 2 * at(y, x - 1) - at(y + 1, x - 1)
                let gy = at(y + 1, x - 1) + 2 * at(y + 1, x) + at(y + 1, x + 1) - at(y - 1, x - 1) - 2 * at(y - 1, x) - at(y - 1, x + 1)
                map[y * width + x] = (gx * gx + gy * gy).squareRoot()
            }
        }
        return map
    }
}
