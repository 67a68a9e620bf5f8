import VitrineImage

/// Where an expert saw the lesion: the union of regions, in pixels of the image as stored.
public struct Annotation: Sendable, Equatable {
    /// One region; several kinds can stand side by side.
    public enum Region: Sendable, Equatable {
        /// A mask image, and which of its values are lesion.
        case maskFile(path: String, rule: MaskRule)
        case box(BoundingBox)
        /// A box in shares of the image's width and height, as YOLO stores it.
        case relativeBox(BoundingBox)
        case polygon(Polygon)
        case runLength(RunLengthMask)
    }

    /// Empty when it is known that there is no lesion.
    public var regions: [Region]
    /// Width and height of the image that the regions were drawn on, where the format says so.
    public var drawnOn: [Int]?

    public init(_ regions: [Region], drawnOn: [Int]? = nil) {
        self.regions = regions
        self.drawnOn = drawnOn
    }

    /// The union of all regions.
    ///
    /// - Parameters:
    ///   - width: width of the image as stored.
    ///   - height: height of the image as stored.
    ///   - source: the image, for errors.
    /// - Returns: a mask of that size; only an annotation that is a single mask file keeps the size of its file, which may be that of the
    ///   network's input (see `PreprocessedImage.align`).
    /// - Throws: `ImageError` for a mask file that cannot be read; `DataError.sizeMismatch` for regions drawn on another size.
    public func mask(width: Int, height: Int, source: String) throws -> Mask {
        if regions.count == 1, case .maskFile(let path, let rule) = regions[0] { return try Mask(contentsOf: path, rule: rule) }
        if let drawnOn, drawnOn != [width, height] {
            throw DataError.sizeMismatch(source: source, annotation: drawnOn, image: [width, height])
        }
        var union = Mask(width: width, height: height, bits: [Bool](repeating: false, count: width * height))
        for region in regions {
            switch region {
            case .maskFile(let path, let rule): try union.formUnion(Mask(contentsOf: path, rule: rule), source: path)
            case .box(let box): union.fill(box)
            case .relativeBox(let box): union.fill(box.scaled(x: Double(width), y: Double(height)))
            case .polygon(let polygon): union.fill(polygon)
            case .runLength(let runs): try union.formUnion(runs.mask(), source: source)
            }
        }
        return union
    }
}

extension PreprocessedImage {
    /// The lesion mask as the network sees it; nil when nobody annotated the sample.
    public func mask(of sample: Sample) throws -> Mask? {
        guard let annotation = sample.annotation else { return nil }
        let mask = try annotation.mask(width: storedWidth, height: storedHeight, source: sample.imagePath)
        return try align(mask, source: sample.maskPath ?? sample.imagePath)
    }
}
