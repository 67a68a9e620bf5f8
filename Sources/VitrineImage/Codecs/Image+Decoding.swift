import VitrineTensor

extension Image {
    /// Reads an image file; the format is told by its first bytes, not by its extension.
    ///
    /// Grey files give 1 channel, all others 3 (`converted(toChannels:)` changes that). As Pillow's `convert("RGB")` does it,
    /// alpha is dropped, not composited, and orientation tags are not applied; 16-bit samples keep their high byte.
    ///
    /// - Throws: `ImageError`, before large allocations where the header already shows that the file is unusable.
    public init(contentsOf path: String, limits: ImageLimits = .default) throws(ImageError) {
        try self.init(
            encoded: Self.fileBytes(path, limits: limits), request: ImageCodec.Request(source: path, limits: limits))
    }

    /// Decodes an image that is already in memory; `source` names it in errors.
    public init(encoded bytes: [UInt8], source: String = "image in memory", limits: ImageLimits = .default) throws(ImageError) {
        try self.init(encoded: bytes, request: ImageCodec.Request(source: source, limits: limits))
    }

    init(encoded bytes: [UInt8], request: ImageCodec.Request) throws(ImageError) {
        guard bytes.count <= request.limits.fileBytes else {
            throw .fileTooLarge(source: request.source, bytes: bytes.count, limit: request.limits.fileBytes)
        }
        guard let codec = ImageCodec.all.first(where: { $0.recognises(bytes) }) else {
            throw .unknownFormat(source: request.source, firstBytes: Array(bytes.prefix(8)))
        }
        self = try codec.decode(bytes, request)
    }

    /// The whole file, if the limit allows it: for callers that decode bytes and also hash them.
    public static func fileBytes(_ path: String, limits: ImageLimits) throws(ImageError) -> [UInt8] {
        let file: MappedFile
        do throws(MappedFile.Failure) { file = try MappedFile(path: path) } catch {
            switch error {
            case .cannotOpen(_, let reason): throw .unreadable(path: path, reason: reason)
            case .notARegularFile: throw .unreadable(path: path, reason: "it is not a regular file")
            case .empty: throw .unreadable(path: path, reason: "it is empty")
            }
        }
        guard file.count <= limits.fileBytes else {
            throw .fileTooLarge(source: path, bytes: file.count, limit: limits.fileBytes)
        }
        return file.bytes(0..<file.count)
    }
}
