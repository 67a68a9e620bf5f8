import VitrineImage
import VitrineTensor

/// JPEG stability: how alike a map stays to itself when the image went through a JPEG of quality 90.
///
/// Spearman's correlation on the native grid. The image is rounded to 8 bits first, compressed in colour with halved chroma, as Pillow
/// does it. Invariant to monotone changes of both maps. Chance: 0.
/// Source: this project.
public struct JPEGStability: PairMetric {
    public static let facts = MetricFacts(
        "jpeg-stability", .stability, better: .higher, options: ["quality=90"],
        summary: "rank correlation with the map of the image after a JPEG of quality 90", citation: "this project")

    public let identifier: String
    private let quality: Int

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        quality = try options.count("quality", default: 90, in: 1...100)
    }

    public func circumstances(_ witness: some Witness) throws -> [Circumstance] {
        guard witness.image.shape[0] == 3 else { throw Undefined("the image has \(witness.image.shape[0]) channels and a JPEG three") }
        let plane = witness.height * witness.width
        var picture = Image(width: witness.width, height: witness.height, channels: 3)
        let values = witness.image.values
        for i in values.indices {
            let c = i / plane
            let level = (values[i] * witness.scale.deviation[c] + witness.scale.mean[c]) * 255
            picture.pixels[i % plane * 3 + c] = UInt8(min(max(level.rounded(), 0), 255))
        }
        let again = try Image(encoded: try picture.jpeg(quality: quality), source: "JPEG of \(witness.name)")
        var pixels = witness.image
        pixels.withMutableSpan { span in
            for i in 0..<span.count {
                span[i] = witness.scale.value(ofLevel: Float(again.pixels[i % plane * 3 + i / plane]) / 255, channel: i / plane)
            }
        }
        return [.input(.pixels(pixels))]
    }

    public func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double {
        try rankCorrelation(map, other)
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(values[0]) }

    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) -> ChanceLevel? { noCorrelation }
}
