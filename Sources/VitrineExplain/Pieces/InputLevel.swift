import VitrineImage
import VitrineModel
import VitrineTensor

/// Where a gradient method stops: at the pixels, or at the embedded tokens with their positions (z_0).
enum InputLevel: String, CaseIterable {
    case pixel
    case token

    var site: Site { self == .pixel ? .pixels : .tokens(0) }

    /// A value per pixel (`[channels, height, width]`, channels summed) or per patch (`[tokens, width]`, width summed) as a map.
    func map(_ subject: Subject, summing values: Tensor) -> HeatMap {
        switch self {
        case .pixel: subject.pixelMap(values.summedOverFirst(), .pixels)
        case .token: subject.patchMap(subject.patchRows(values).summedOverLast(), .relevance)
        }
    }
}

extension DisplayRule {
    /// A map on the pixels: shown as it is, min-max.
    static let pixels = DisplayRule(upsampling: .nearest, normalisation: .minMax)
}

extension Tensor {
    /// Sums over the first dimension, in Float64: `[n, ..]` -> `[..]`.
    func summedOverFirst() -> [Float] {
        let n = shape[0]
        let rest = count / n
        return withSpan { span in
            (0..<rest).map { i in Float((0..<n).reduce(0.0) { $0 + Double(span[$1 * rest + i]) }) }
        }
    }

    /// Sums over the last dimension, in Float64: `[.., n]` -> `[..]`.
    func summedOverLast() -> [Float] {
        let n = shape.last
        return withSpan { span in
            (0..<count / n).map { row in Float((0..<n).reduce(0.0) { $0 + Double(span[row * n + $1]) }) }
        }
    }

    /// The product element by element.
    func times(_ other: Tensor) -> Tensor {
        var result = self
        multiply(self, other, into: &result)
        return result
    }
}
