/// A file format that images can be read from: how to recognise it, and how to decode it.
///
/// A further format is one file with a `static let` and one entry in `all`.
public struct ImageCodec: Sendable {
    /// What a decoder is given besides the bytes.
    public struct Request: Sendable {
        /// The path, or another name for the bytes, used in errors.
        public var source: String
        public var limits: ImageLimits
        /// Masks: a 16-bit sample below 256 becomes 1 instead of 0, so that "not zero" survives the loss of the low byte.
        public var keepsFaintSamples: Bool

        public init(source: String, limits: ImageLimits = .default, keepsFaintSamples: Bool = false) {
            self.source = source
            self.limits = limits
            self.keepsFaintSamples = keepsFaintSamples
        }

        /// The 8-bit value of a 16-bit sample: its high byte.
        func eightBits(_ sample: UInt16) -> UInt8 {
            let high = UInt8(sample >> 8)
            return keepsFaintSamples && high == 0 && sample != 0 ? 1 : high
        }
    }

    /// The name of the format, as errors and help show it.
    public let name: String
    /// Whether the first bytes are this format's; extensions are never looked at.
    public let recognises: @Sendable (_ bytes: [UInt8]) -> Bool
    public let decode: @Sendable (_ bytes: [UInt8], _ request: Request) throws(ImageError) -> Image

    public init(
        name: String, recognises: @escaping @Sendable (_ bytes: [UInt8]) -> Bool,
        decode: @escaping @Sendable (_ bytes: [UInt8], _ request: Request) throws(ImageError) -> Image
    ) {
        self.name = name
        self.recognises = recognises
        self.decode = decode
    }

    /// All formats, in the order in which they are asked.
    public static let all: [ImageCodec] = [.png, .jpeg, .tiff, .dicom]
}
