import VitrineImage
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A rigid motion of an image about its centre: a rotation, then a shift.
struct Motion {
    /// Degrees, from the x axis towards the y axis (downwards).
    var degrees = 0.0
    /// Pixels, downwards and to the right.
    var down = 0.0
    var right = 0.0

    /// Where the content of a place, relative to the centre, comes to lie.
    func moved(_ y: Double, _ x: Double) -> (y: Double, x: Double) {
        let (s, c) = (sin(degrees * .pi / 180), cos(degrees * .pi / 180))
        return (s * x + c * y + down, c * x - s * y + right)
    }

    /// Where the content at a place came from.
    func origin(_ y: Double, _ x: Double) -> (y: Double, x: Double) {
        let (s, c) = (sin(degrees * .pi / 180), cos(degrees * .pi / 180))
        return (c * (y - down) - s * (x - right), s * (y - down) + c * (x - right))
    }

    /// The moved image `[channels, height, width]`, sampled bilinearly, the edge repeated outwards.
    func applied(to image: Tensor) -> Tensor {
        let (channels, height, width) = (image.shape[0], image.shape[1], image.shape[2])
        let plane = height * width
        let source = image.values
        var result = image
        result.withMutableSpan { span in
            for y in 0..<height {
                for x in 0..<width {
                    let from = origin(Double(y) - Double(height - 1) / 2, Double(x) - Double(width - 1) / 2)
                    let taps = Bilinear(from.y + Double(height - 1) / 2, from.x + Double(width - 1) / 2, height, width)
                    for c in 0..<channels { span[c * plane + y * width + x] = Float(taps.sample { Double(source[c * plane + $0]) }) }
                }
            }
        }
        return .init(image.shape, result.values)
    }

    /// The map of a moved image brought back over the map of the image: pairs of values at all cells whose content did not leave it.
    func pairs(_ map: HeatMap, _ other: HeatMap) -> (own: [Float], back: [Float]) {
        let (height, width) = (Double(map.height), Double(map.width))
        let (rows, columns) = (map.rows, map.columns)
        var (own, back): ([Float], [Float]) = ([], [])
        for cell in 0..<rows * columns {
            // Cell centres relative to the image's centre, in pixels.
            let y = (Double(cell / columns) + 0.5) / Double(rows) * height - height / 2
            let x = (Double(cell % columns) + 0.5) / Double(columns) * width - width / 2
            let to = moved(y, x)
            guard abs(to.y) <= height / 2, abs(to.x) <= width / 2 else { continue }
            let taps = Bilinear(
                (to.y + height / 2) / height * Double(rows) - 0.5, (to.x + width / 2) / width * Double(columns) - 0.5, rows, columns)
            own.append(map.values[cell])
            back.append(Float(taps.sample { Double(other.values[$0]) }))
        }
        return (own, back)
    }
}

/// The four values around a place and their weights; places outside take the edge's.
private struct Bilinear {
    let places: [Int]
    let weights: [Double]

    init(_ y: Double, _ x: Double, _ height: Int, _ width: Int) {
        let (y, x) = (min(max(y, 0), Double(height - 1)), min(max(x, 0), Double(width - 1)))
        let (top, left) = (min(Int(y), max(0, height - 2)), min(Int(x), max(0, width - 2)))
        let (bottom, right) = (min(top + 1, height - 1), min(left + 1, width - 1))
        let (fy, fx) = (y - Double(top), x - Double(left))
        places = [top * width + left, top * width + right, bottom * width + left, bottom * width + right]
        weights = [(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx]
    }

    func sample(_ value: (Int) -> Double) -> Double { (0..<4).reduce(0) { $0 + weights[$1] * value(places[$1]) } }
}

/// Spearman's correlation of a map with the map of a moved image, brought back.
func rankCorrelation(_ map: HeatMap, _ other: HeatMap, undoing motion: Motion) throws(Undefined) -> Double {
    guard map.values.count == other.values.count else { throw Undefined("the map made again has another grid") }
    let (own, back) = motion.pairs(map, other)
    guard let correlation = Correlation.spearman(own, back) else { throw Undefined("the map made again is constant") }
    return correlation
}
