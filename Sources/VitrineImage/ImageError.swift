#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Why an image or a mask could not be read or written; one line that names the file and what to do.
public enum ImageError: Error, CustomStringConvertible, Equatable, Sendable {
    case unreadable(path: String, reason: String)
    case unknownFormat(source: String, firstBytes: [UInt8])
    /// Refused from the header, before memory for the pixels was asked for.
    case tooLarge(source: String, width: Int, height: Int, pixelLimit: Int)
    case fileTooLarge(source: String, bytes: Int, limit: Int)
    case damaged(source: String, format: String, reason: String)
    case unsupported(source: String, format: String, reason: String)
    /// What is lesion in a mask cannot be known: `values` lists what occurs, where it helps.
    case ambiguousMask(source: String, reason: String, values: String?)
    case cannotWrite(path: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): return "\(path): cannot be read (\(reason))"
        case .unknownFormat(let source, let bytes):
            let hex = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: " ")
            let formats = ImageCodec.all.map(\.name).joined(separator: ", ")
            return "\(source): starts with \(hex.isEmpty ? "nothing" : hex), which is none of \(formats); convert it to PNG"
        case .tooLarge(let source, let width, let height, let limit):
            return """
                \(source): declares \(width) x \(height) pixels, more than the \(limit) allowed; \
                shrink it, or raise the limit (millions of pixels in \(ImageLimits.variable))
                """
        case .fileTooLarge(let source, let bytes, let limit):
            return "\(source): has \(bytes) bytes, more than the \(limit) allowed; shrink it"
        case .damaged(let source, let format, let reason):
            return "\(source): damaged \(format) (\(reason)); copy or export it again"
        case .unsupported(let source, let format, let reason): return "\(source): \(format) \(reason)"
        case .ambiguousMask(let source, let reason, let values):
            guard let values else { return "\(source): \(reason)? Save the mask without alpha" }
            return """
                \(source): \(reason); it holds \(values). Say which are lesion with the mask rule values:N (several: values:1+3), \
                or at-least:1 for all above 0
                """
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

    /// The environment variable that raises or lowers how many megapixels (millions) may be read.
    public static let variable = "VITRINE_MAX_MEGAPIXELS"

    /// What the environment allows, in pixels; nil where it says nothing.
    private static let fromEnvironment: Int? = {
        // SAFETY: a string of the process, copied at once.
        guard let text = unsafe getenv(variable), let megapixels = unsafe Int(String(cString: text)), (1...10_000).contains(megapixels)
        else { return nil }
        return megapixels * 1_000_000
    }()

    /// 100 million pixels (300 MB as RGB) unless the environment says otherwise, files of 512 MiB or more in proportion:
    /// above the largest radiographs.
    public static let `default` = ImageLimits(
        pixels: fromEnvironment ?? 100_000_000, fileBytes: max(512 << 20, 8 * (fromEnvironment ?? 0)))

    /// Masks and maps that are ranked whole, which takes about fifty bytes per pixel: 34 million pixels unless the
    /// environment says otherwise.
    public static let scored = ImageLimits(pixels: fromEnvironment ?? 1 << 25, fileBytes: ImageLimits.default.fileBytes)

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
