import VitrineTensor

/// An image file that was read whole, once: its picture, its digest, and what a reader should know about both.
public struct ImageFile: Sendable {
    public let image: Image
    /// The format, as `ImageCodec.name`.
    public let format: String
    /// SHA-256 of the very bytes that were decoded, in hexadecimal.
    public let sha256: String
    /// The orientation that EXIF asks viewers for (1 to 8, 1 is upright) and that was **not** applied, as Pillow's `Image.open` does not.
    ///
    /// TIFF pages are turned while they are read, as Pillow turns them, and have 1. An outline drawn in a program that turns
    /// pictures (LabelMe does) lies in the turned frame: whoever joins an annotation and an image of another orientation
    /// than 1 has to know in which.
    public let orientation: Int
    /// What was assumed, one sentence each, without the file's name; empty for most files.
    public let notes: [String]

    /// Reads an image file; the format is told by its first bytes, not by its extension.
    ///
    /// - Throws: `ImageError`, before large allocations where the header already shows that the file is unusable.
    public init(contentsOf path: String, limits: ImageLimits = .default) throws(ImageError) {
        let bytes = try wholeFile(path, limits: limits)
        try self.init(encoded: bytes, source: path, limits: limits)
    }

    /// Decodes an image that is already in memory; `source` names it in errors.
    public init(encoded bytes: [UInt8], source: String = "image in memory", limits: ImageLimits = .default) throws(ImageError) {
        let (codec, raster) = try Raster.decoded(bytes, ImageCodec.Request(source: source, limits: limits))
        (image, notes) = try raster.picture(source: source)
        format = codec.name
        orientation = raster.orientation
        sha256 = VitrineTensor.sha256(of: bytes)
    }

    /// Whether viewers that follow EXIF exchange width and height.
    public var isTurnedSideways: Bool { orientation >= 5 }
}

extension Raster {
    static func decoded(
        _ bytes: [UInt8], _ request: ImageCodec.Request
    ) throws(ImageError) -> (codec: ImageCodec, raster: Raster) {
        guard bytes.count <= request.limits.fileBytes else {
            throw .fileTooLarge(source: request.source, bytes: bytes.count, limit: request.limits.fileBytes)
        }
        guard let codec = ImageCodec.all.first(where: { $0.recognises(bytes) }) else {
            throw .unknownFormat(source: request.source, firstBytes: Array(bytes.prefix(8)))
        }
        return (codec, try codec.decode(bytes, request))
    }
}
