/// A file format that images can be read from: how to recognise it, and how to decode it.
///
/// A further format is one file with a `static let` and one entry in `all`.
public struct ImageCodec: Sendable {
    /// What a decoder is given besides the bytes.
    struct Request: Sendable {
        /// The path, or another name for the bytes, used in errors.
        var source: String
        var limits: ImageLimits
        /// The samples will become a mask: what the file stores counts, not how it should be shown.
        var isMask = false
    }

    /// The name of the format, as errors and help show it.
    public let name: String
    /// What its files' names end in, in lower case; only lists of folders look at them.
    public let fileExtensions: [String]
    /// Whether the first bytes are this format's.
    package let recognises: @Sendable (_ bytes: [UInt8]) -> Bool
    let decode: @Sendable (_ bytes: [UInt8], _ request: Request) throws(ImageError) -> Raster

    /// All formats, in the order in which they are asked.
    public static let all: [ImageCodec] = [.png, .jpeg, .tiff, .bmp, .gif, .webp, .jpeg2000, .dicom]

    /// Endings of the names of all image files, NPY arrays among them.
    public static let fileExtensions: [String] = all.flatMap(\.fileExtensions) + ["npy"]
}
