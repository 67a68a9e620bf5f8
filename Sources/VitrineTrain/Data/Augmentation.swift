import VitrineImage
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Random changes of a training image that leave its label true.
///
/// They act on the image as preprocessed, in the order crop, mirror, rotation, brightness, contrast. What happens to an image depends on
/// (seed, epoch, image) only, and each change has a random stream of its own, so that switching one off does not move the others.
public struct Augmentation: Sendable, Equatable {
    /// Mirrors left to right with probability 1/2.
    public var flips = false
    /// Smallest share of the area that a random crop keeps, its aspect ratio log-uniform in 3/4...4/3, resized back to the whole
    /// (torchvision's `RandomResizedCrop`); 1 for none.
    public var cropScale = 1.0
    /// Largest angle in degrees; corners that turn in are black.
    public var rotation = 0.0
    /// Factor of all pixels, uniform in 1 ± this.
    public var brightness = 0.0
    /// Factor of the distances from the mean grey level, uniform in 1 ± this.
    public var contrast = 0.0

    public init(flips: Bool = false, cropScale: Double = 1, rotation: Double = 0, brightness: Double = 0, contrast: Double = 0) {
        self.flips = flips
        self.cropScale = cropScale
        self.rotation = rotation
        self.brightness = brightness
        self.contrast = contrast
    }

    public func callAsFunction(_ image: Image, seed: UInt64, epoch: Int, id: String) -> Image {
        func stream(_ change: String) -> Philox { Philox(seed: seed, name: "\(change) \(id)", index: UInt64(epoch)) }
        var result = image
        if cropScale < 1 {
            var generator = stream("crop")
            let window = cropWindow(width: image.width, height: image.height, &generator)
            result = result.cropped(window).resized(width: image.width, height: image.height, filter: .bilinear)
        }
        if flips {
            var generator = stream("mirror")
            if generator.uniform() < 0.5 { result = result.mirrored() }
        }
        if rotation > 0 {
            var generator = stream("rotation")
            result = result.rotated(degrees: (2 * generator.uniform() - 1) * rotation)
        }
        if brightness > 0 {
            var generator = stream("brightness")
            result = result.stretched(by: 1 + (2 * generator.uniform() - 1) * brightness, around: 0)
        }
        if contrast > 0 {
            var generator = stream("contrast")
            result = result.stretched(by: 1 + (2 * generator.uniform() - 1) * contrast, around: result.meanLevel)
        }
        return result
    }

    private func cropWindow(width: Int, height: Int, _ generator: inout Philox) -> PixelRectangle {
        for _ in 0..<10 {
            let area = Double(width * height) * (cropScale + generator.uniform() * (1 - cropScale))
            let aspect = exp((2 * generator.uniform() - 1) * log(4.0 / 3))
            let (w, h) = (Int((area * aspect).squareRoot().rounded()), Int((area / aspect).squareRoot().rounded()))
            if w > 0 && h > 0 && w <= width && h <= height {
                return PixelRectangle(top: generator.below(height - h + 1), left: generator.below(width - w + 1), width: w, height: h)
            }
        }
        return PixelRectangle(top: 0, left: 0, width: width, height: height)
    }
}

extension Image {
    func cropped(_ r: PixelRectangle) -> Image {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(r.width * r.height * channels)
        for y in r.top..<r.top + r.height {
            let start = (y * width + r.left) * channels
            bytes += pixels[start..<start + r.width * channels]
        }
        return Image(width: r.width, height: r.height, channels: channels, pixels: bytes)
    }

    func mirrored() -> Image {
        let source = pixels
        var bytes = source
        for y in 0..<height {
            for x in 0..<width {
                for c in 0..<channels { bytes[(y * width + x) * channels + c] = source[(y * width + width - 1 - x) * channels + c] }
            }
        }
        return Image(width: width, height: height, channels: channels, pixels: bytes)
    }

    /// Turned counter-clockwise about the centre, bilinear, black outside.
    func rotated(degrees: Double) -> Image {
        let (sine, cosine) = (sin(degrees * .pi / 180), cos(degrees * .pi / 180))
        let (centreX, centreY) = (Double(width - 1) / 2, Double(height - 1) / 2)
        let source = pixels
        var bytes = [UInt8](repeating: 0, count: source.count)
        for y in 0..<height {
            for x in 0..<width {
                let (dx, dy) = (Double(x) - centreX, Double(y) - centreY)
                let (u, v) = (cosine * dx - sine * dy + centreX, sine * dx + cosine * dy + centreY)
                let (left, top) = (Int(u.rounded(.down)), Int(v.rounded(.down)))
                guard left >= -1, top >= -1, left < width, top < height else { continue }
                let (fx, fy) = (u - Double(left), v - Double(top))
                for c in 0..<channels {
                    var sum = 0.0
                    for (row, weightY) in [(top, 1 - fy), (top + 1, fy)] where row >= 0 && row < height {
                        for (column, weightX) in [(left, 1 - fx), (left + 1, fx)] where column >= 0 && column < width {
                            sum += weightX * weightY * Double(source[(row * width + column) * channels + c])
                        }
                    }
                    bytes[(y * width + x) * channels + c] = UInt8(sum.rounded())
                }
            }
        }
        return Image(width: width, height: height, channels: channels, pixels: bytes)
    }

    /// `level + factor * (pixel - level)`, rounded and clamped to bytes.
    func stretched(by factor: Double, around level: Double) -> Image {
        let table = (0...255).map { UInt8(min(max((level + factor * (Double($0) - level)).rounded(), 0), 255)) }
        return Image(width: width, height: height, channels: channels, pixels: pixels.map { table[Int($0)] })
    }

    /// The mean of the image in grey, as Pillow's `L`.
    var meanLevel: Double {
        let grey = converted(toChannels: 1).pixels
        return Double(grey.reduce(0) { $0 + Int($1) }) / Double(max(grey.count, 1))
    }
}
