import CVitrineKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Interpolation kernels, named as Pillow names them.
public enum ResizeFilter: String, Sendable, CaseIterable, Codable {
    case nearest, box, bilinear, bicubic, lanczos
}

extension Image {
    /// The image at another size, byte for byte as Pillow 12's `Image.resize` makes it.
    ///
    /// Kernels widen when shrinking (antialiasing). Weights are computed in double precision and rounded to 22 fractional
    /// bits; rows are resampled first and rounded to bytes, then columns.
    ///
    /// - Complexity: O(height · newWidth · taps + newHeight · newWidth · taps), taps ≈ 2 · support · max(1, shrink factor).
    public func resized(width newWidth: Int, height newHeight: Int, filter: ResizeFilter) -> Image {
        precondition(newWidth > 0 && newHeight > 0 && width > 0 && height > 0, "sizes of images to resize must be positive")
        if newWidth == width && newHeight == height { return self }
        if filter == .nearest { return resizedNearest(width: newWidth, height: newHeight) }
        var result = self
        if newWidth != width {
            let weights = ResamplingWeights(from: width, to: newWidth, filter: filter)
            var out = Image(width: newWidth, height: height, channels: channels)
            // SAFETY: `weights` keeps every tap inside a row of `width` pixels; both images hold the sizes passed.
            unsafe vk_resize_horizontal(
                result.pixels, height, width, channels, &out.pixels, newWidth, weights.first, weights.length, weights.values,
                weights.taps)
            result = out
        }
        if newHeight != height {
            let weights = ResamplingWeights(from: height, to: newHeight, filter: filter)
            var out = Image(width: newWidth, height: newHeight, channels: channels)
            // SAFETY: `weights` keeps every tap inside `height` rows; both images hold rows of newWidth x channels bytes.
            unsafe vk_resize_vertical(
                result.pixels, newWidth * channels, &out.pixels, newHeight, weights.first, weights.length, weights.values,
                weights.taps)
            result = out
        }
        return result
    }

    /// The image with its shorter side brought to `side` pixels, proportions kept, as torchvision's `Resize(side)` does it.
    ///
    /// The longer side is `Int(side * longer / shorter)`, cut off, not rounded.
    public func resizedShorterSide(to side: Int, filter: ResizeFilter) -> Image {
        let size = sizeWithShorterSide(side, width: width, height: height)
        return resized(width: size.width, height: size.height, filter: filter)
    }

    private func resizedNearest(width newWidth: Int, height newHeight: Int) -> Image {
        var out = Image(width: newWidth, height: newHeight, channels: channels)
        let columns = nearestPositions(from: width, to: newWidth)
        let rows = nearestPositions(from: height, to: newHeight)
        for (y, row) in rows.enumerated() where row >= 0 {
            for (x, column) in columns.enumerated() where column >= 0 {
                for c in 0..<channels {
                    out.pixels[(y * newWidth + x) * channels + c] = pixels[(row * width + column) * channels + c]
                }
            }
        }
        return out
    }
}

/// Where each output position of a nearest-neighbour resize reads, or -1 where Pillow leaves the pixel at zero.
///
/// Pillow adds up the step instead of multiplying it, so rounding errors are part of the geometry.
func nearestPositions(from old: Int, to new: Int) -> [Int] {
    let step = Double(old) / Double(new)
    var position = step * 0.5
    return (0..<new).map { _ in
        defer { position += step }
        let index = Int(position)
        return index < old ? index : -1
    }
}

func sizeWithShorterSide(_ side: Int, width: Int, height: Int) -> (width: Int, height: Int) {
    precondition(side > 0, "the shorter side must be positive")
    let longer = max(1, Int(Double(side * max(width, height)) / Double(min(width, height))))
    return width <= height ? (side, longer) : (longer, side)
}

/// The fixed-point weights of a one-dimensional resampling.
struct ResamplingWeights {
    /// Weights stored per output position.
    let taps: Int
    /// First input position of each output position.
    var first: [Int32]
    /// Number of input positions of each output position, at most `taps`.
    var length: [Int32]
    /// `taps` weights per output position, 22 fractional bits.
    var values: [Int32]

    init(from old: Int, to new: Int, filter: ResizeFilter) {
        let scale = Double(old) / Double(new)
        let widening = max(scale, 1)
        let support = filter.support * widening
        taps = Int(support.rounded(.up)) * 2 + 1
        first = [Int32](repeating: 0, count: new)
        length = first
        values = [Int32](repeating: 0, count: new * taps)
        var kernel = [Double](repeating: 0, count: taps)
        for i in 0..<new {
            let centre = (Double(i) + 0.5) * scale
            let start = max(0, Int(centre - support + 0.5))
            let end = min(old, Int(centre + support + 0.5))
            var sum = 0.0
            for j in 0..<end - start {
                let weight = filter.value(at: (Double(j + start) - centre + 0.5) * (1 / widening))
                kernel[j] = weight
                sum += weight
            }
            for j in 0..<end - start {
                let weight = sum != 0 ? kernel[j] / sum : kernel[j]
                values[i * taps + j] = Int32((weight < 0 ? -0.5 : 0.5) + weight * Double(1 << 22))
            }
            first[i] = Int32(start)
            length[i] = Int32(end - start)
        }
    }
}

extension ResizeFilter {
    /// Half the width of the kernel, in input pixels when enlarging.
    var support: Double {
        switch self {
        case .nearest, .box: 0.5
        case .bilinear: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    func value(at position: Double) -> Double {
        let x = abs(position)
        switch self {
        case .nearest, .box: return position > -0.5 && position <= 0.5 ? 1 : 0
        case .bilinear: return x < 1 ? 1 - x : 0
        case .bicubic:
            // Keys' kernel with a = -0.5.
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
        case .lanczos: return position >= -3 && position < 3 ? sinc(position) * sinc(position / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
}
