import VitrineImage
import VitrineTensor

/// Where an expert saw the lesion: the union of regions, in pixels of the image as stored or as its EXIF data turn it.
public struct Annotation: Sendable, Equatable {
    /// One region; several kinds can stand side by side.
    public enum Region: Sendable, Equatable {
        /// A mask image, and which of its values are lesion.
        case maskFile(path: String, rule: MaskRule)
        case box(BoundingBox)
        /// A box in shares of the image's width and height, as YOLO stores it.
        case relativeBox(BoundingBox)
        case polygon(Polygon)
        /// A polygon in shares of the image's width and height, as YOLO stores it.
        case relativePolygon(Polygon)
        case disc(Disc)
        case runLength(RunLengthMask)
        /// A small mask whose first pixel lies in this column and row of the image.
        case patch(Mask, left: Int, top: Int)
    }

    /// Empty when it is known that there is no lesion.
    public var regions: [Region]
    /// Width and height of the image that the regions were drawn on, where the format says so.
    public var drawnOn: [Int]?
    /// Which picture was drawn on where an image carries an EXIF orientation; nil where nobody said so.
    public var frame: EXIFFrame?
    /// Items that are no regions and were left out, such as points: one line each.
    public var skipped: [String] = []
    /// Why the annotation cannot be used; reading its mask throws it.
    public var fault: DataError?

    public init(_ regions: [Region], drawnOn: [Int]? = nil, frame: EXIFFrame? = nil, skipped: [String] = [], fault: DataError? = nil) {
        self.regions = regions
        self.drawnOn = drawnOn
        self.frame = frame
        self.skipped = skipped
        self.fault = fault
    }

    /// A mask together with the SHA-256 of what it was made from.
    public struct ReadMask: Sendable {
        public let mask: Mask
        /// Of the bytes that were decoded, for a single mask file; of the digests, one a line, for several; else of the mask's size and pixels.
        public let sha256: String
        /// Distinct grey values of a single mask file that is a picture; nil for everything else.
        public let greyLevels: Int?
        /// What may be wrong with mask files, one sentence each.
        public var notes: [String] = []
    }

    /// The union of all regions.
    ///
    /// - Parameters:
    ///   - width: width of the image as stored.
    ///   - height: height of the image as stored.
    ///   - orientation: what `ImageFile.orientation` says of the image; a mask drawn on the turned picture is turned back.
    ///   - source: the image, for errors.
    /// - Returns: a mask of that size; only an annotation that is a single mask file keeps the size of its file, which may be that of the
    ///   network's input (see `PreprocessedImage.align`).
    /// - Throws: `ImageError` for a mask file that cannot be read; `DataError.sizeMismatch` for regions drawn on another size,
    ///   `DataError.unknownFrame` where it is not known whether they were drawn on the turned picture.
    public func mask(width: Int, height: Int, orientation: Int = 1, source: String) throws -> Mask {
        try read(width: width, height: height, orientation: orientation, source: source).mask
    }

    /// `mask(width:height:orientation:source:)`, with what was read.
    public func read(width: Int, height: Int, orientation: Int = 1, source: String) throws -> ReadMask {
        if let fault { throw fault }
        let turn = EXIFTurn(orientation: orientation, width: width, height: height)
        if regions.count == 1, case .maskFile(let path, let rule) = regions[0] {
            let (mask, file) = try stored(path, rule, turn: turn, source: source)
            // An array in NPY is no picture; its grey levels are those of the mask it became.
            return ReadMask(
                mask: mask, sha256: file.sha256, greyLevels: fileExtension(path) == "npy" ? nil : file.greyLevels, notes: file.notes)
        }
        let files = regions.compactMap { region in if case .maskFile(let path, let rule) = region { (path, rule) } else { nil } }
        var union = Mask(width: width, height: height, bits: [Bool](repeating: false, count: width * height))
        var digests = ""
        var notes: [String] = []
        for (path, rule) in files {
            let (mask, file) = try stored(path, rule, turn: turn, source: source)
            try union.formUnion(mask, source: path)
            digests += file.sha256 + "\n"
            notes += file.notes.filter { !notes.contains($0) }
        }
        guard files.count < regions.count || files.isEmpty else {
            return ReadMask(mask: union, sha256: sha256(of: Array(digests.utf8)), greyLevels: nil, notes: notes)
        }
        let drawn = try turn.frame(drawnOn: drawnOn, said: frame, source: source)
        let size = drawn == .turned ? turn.turnedSize : [width, height]
        if let drawnOn, drawnOn != size { throw DataError.sizeMismatch(source: source, annotation: drawnOn, image: size) }
        var canvas = Mask(width: size[0], height: size[1], bits: [Bool](repeating: false, count: width * height))
        for region in regions {
            switch region {
            case .maskFile: break
            case .box(let box): canvas.fill(box)
            case .relativeBox(let box): canvas.fill(box.scaled(x: Double(size[0]), y: Double(size[1])))
            case .polygon(let polygon): canvas.fill(polygon)
            case .relativePolygon(let polygon): canvas.fill(polygon.scaled(x: Double(size[0]), y: Double(size[1])))
            case .disc(let disc): canvas.fill(disc)
            case .runLength(let runs): try canvas.formUnion(runs.mask(), source: source)
            case .patch(let patch, let left, let top): canvas.formUnion(patch, left: left, top: top)
            }
        }
        try union.formUnion(drawn == .turned ? turn.back(canvas) : canvas, source: source)
        let content = Array("\(width)x\(height)\n".utf8) + union.bits.map { $0 ? 1 : 0 }
        return ReadMask(mask: union, sha256: sha256(of: content), greyLevels: nil, notes: notes)
    }

    /// A mask file as it lies on the stored image, and the file as it was read.
    private func stored(_ path: String, _ rule: MaskRule, turn: EXIFTurn, source: String) throws -> (Mask, MaskFile) {
        let file = try MaskFile(contentsOf: path, rule: rule)
        let size = [file.mask.width, file.mask.height]
        // A mask of another size was drawn on what the network sees, which is not turned.
        guard size == turn.storedSize || size == turn.turnedSize else { return (file.mask, file) }
        return (try turn.frame(drawnOn: size, said: frame, source: source) == .turned ? turn.back(file.mask) : file.mask, file)
    }
}

extension PreprocessedImage {
    /// The lesion mask as the network sees it; nil when nobody annotated the sample.
    public func mask(of sample: Sample) throws -> Mask? {
        guard let annotation = sample.annotation else { return nil }
        let mask = try annotation.mask(
            width: storedWidth, height: storedHeight, orientation: orientation, source: sample.imagePath)
        return try align(mask, source: sample.maskPath ?? sample.imagePath)
    }
}
