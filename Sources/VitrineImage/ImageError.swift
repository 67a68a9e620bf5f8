/// Why an image or a mask could not be read or written; one line that names the file and what to do.
public enum ImageError: Error, CustomStringConvertible, Equatable, Sendable {
    case unreadable(path: String, reason: String)
    case unknownFormat(source: String, firstBytes: [UInt8])
    /// Refused from the header, before memory for the pixels was asked for.
    case tooLarge(source: String, width: Int, height: Int, pixelLimit: Int)
    case fileTooLarge(source: String, bytes: Int, limit: Int)
    case damaged(source: String, format: String, reason: String)
    case unsupported(source: String, format: String, reason: String)
    case cannotWrite(path: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): return "\(path): cannot be read (\(reason))"
        case .unknownFormat(let source, let bytes):
            let hex = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: " ")
            let formats = ImageCodec.all.map(\.name).joined(separator: ", ")
            return "\(source): starts with \(hex.isEmpty ? "nothing" : hex), which is none of \(formats); convert it to PNG"
        case .tooLarge(let source, let width, let height, let limit):
            return "\(source): declares \(width) x \(height) pixels, more than the \(limit) allowed; shrink it or raise the limit"
        case .fileTooLarge(let source, let bytes, let limit):
            return "\(source): has \(bytes) bytes, more than the \(limit) allowed; shrink it or raise the limit"
        case .damaged(let source, let format, let reason):
            return "\(source): damaged \(format) (\(reason)); copy or export it again"
        case .unsupported(let source, let format, let reason): return "\(source): \(format) \(reason)"
        case .cannotWrite(let path, let reason): return "\(path): cannot be written (\(reason))"
        }
    }
}

/// What an encoded image may ask for before it is refused.
public struct ImageLimits: Sendable, Equatable {
    /// Width times height; also bounds each side.
    public var pixels: Int
    /// Size of the encoded file in bytes.
    public var fileBytes: Int

    public init(pixels: Int, fileBytes: Int) {
        self.pixels = pixels
        self.fileBytes = fileBytes
    }

    /// 100 million pixels (300 MB as RGB), files of 512 MiB: above the largest radiographs.
    public static let `default` = ImageLimits(pixels: 100_000_000, fileBytes: 512 << 20)

    /// Refuses sizes of zero and sizes beyond the limit.
    func check(width: Int, height: Int, source: String, format: String) throws(ImageError) {
        guard width > 0 && height > 0 else {
            throw .damaged(source: source, format: format, reason: "it declares \(width) x \(height) pixels")
        }
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow && product <= pixels else {
            throw .tooLarge(source: source, width: width, height: height, pixelLimit: pixels)
        }
    }
}
