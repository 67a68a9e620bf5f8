import VitrineImage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The scores that a set of masks gives to maps that know nothing of the image, under the `study` protocol.
///
/// Random maps score their exact expectation; empty masks score 0, as the study scores them.
public struct ControlLevels: Sendable, Equatable, Codable {
    /// Mean scores of one control over the masks.
    public struct Level: Sendable, Equatable, Codable {
        public var pointingGame: Double
        /// Rectangle IoU at `ControlLevels.percentages`.
        public var rectangleIoU: [Double]
    }

    /// The study's thresholds, in % of the pixels.
    public static let percentages: [Double] = [5, 10, 20, 40]

    public let minimumArea: Double
    public let meanArea: Double
    public let maximumArea: Double
    /// Independent values in all pixels.
    public let randomPixels: Level
    /// Independent values in 14 x 14 patches, each shown as a block of tied pixels.
    public let randomPatches: Level
    /// A Gaussian at the centre, sigma a quarter of the height.
    public let centre: Level

    /// - Parameters:
    ///   - masks: at least one.
    ///   - patches: side of the patch grid.
    public init(masks: [ScoredMask], patches: Int = 14, seed: UInt64 = 0) {
        precondition(!masks.isEmpty, "control levels need at least one mask")
        let metrics: [any Metric] =
            [PointingGame(ties: .any)]
            + ControlLevels.percentages.map { IntersectionOverUnion(percentage: $0, region: .rectangle, exactCount: false) }
        let evaluator = Evaluator(metrics.map { Evaluator.Entry(metric: $0, rules: .study) }, seed: seed)
        var sums = [[Double]](repeating: [Double](repeating: 0, count: metrics.count), count: 3)
        var controls: (height: Int, width: Int, maps: [ScoredMap])?
        for (index, mask) in masks.enumerated() {
            if controls?.height != mask.height || controls?.width != mask.width {
                controls = (mask.height, mask.width, ControlLevels.maps(mask.height, mask.width, patches))
            }
            for (row, map) in controls!.maps.enumerated() {
                guard let scores = try? evaluator.scores(of: map, on: mask, item: "control/\(row)/\(index)") else {
                    preconditionFailure("the control maps are made in the mask's size")
                }
                for (column, score) in scores.enumerated() { sums[row][column] += (row < 2 ? score.chance : score.value) ?? 0 }
            }
        }
        let levels = sums.map { row in
            let means = row.map { $0 / Double(masks.count) }
            return Level(pointingGame: means[0], rectangleIoU: Array(means[1...]))
        }
        let areas = masks.map(\.area)
        minimumArea = areas.min() ?? 0
        meanArea = areas.reduce(0, +) / Double(areas.count)
        maximumArea = areas.max() ?? 0
        (randomPixels, randomPatches, centre) = (levels[0], levels[1], levels[2])
    }

    /// Distinct pixels, distinct patches, centre Gaussian; the arrangement of the first two does not matter.
    private static func maps(_ height: Int, _ width: Int, _ patches: Int) -> [ScoredMap] {
        let pixels = (0..<height * width).map { Float($0) }
        let cells = HeatMap(
            rows: patches, columns: patches, values: (0..<patches * patches).map { Float($0) }, height: height,
            width: width, display: .attention)
        return [
            ScoredMap(pixels: pixels, height: height, width: width), ScoredMap(cells),
            ScoredMap(pixels: centreGaussian(height: height, width: width), height: height, width: width),
        ]
    }

    /// A Gaussian at the image's centre, sigma a quarter of the height, 1 at its peak.
    public static func centreGaussian(height: Int, width: Int) -> [Float] {
        let sigma = Double(height) / 4
        let middle = (Double(height - 1) / 2, Double(width - 1) / 2)
        return (0..<height * width).map { i in
            let y = Double(i / width) - middle.0
            let x = Double(i % width) - middle.1
            return Float(exp(-(y * y + x * x) / (2 * sigma * sigma)))
        }
    }
}
