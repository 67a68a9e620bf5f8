import CJPEG

extension Image {
    /// The picture as a JPEG: chroma halved in both directions, as Pillow's default has it; grey pictures have no chroma.
    ///
    /// - Parameter quality: 1...100.
    public func jpeg(quality: Int) throws(ImageError) -> [UInt8] {
        precondition((1...100).contains(quality) && (channels == 1 || channels == 3), "a JPEG has 1 or 3 channels and a quality of 1...100")
        // More than noise at the highest quality takes, and the tables.
        var bytes = [UInt8](repeating: 0, count: 6 * (width + 16) * (height + 16) * channels + 4096)
        let capacity = bytes.count
        // SAFETY: `pixels` holds height rows of width x channels bytes; `bytes` holds `capacity`.
        let size = unsafe vitrine_jpeg_encode(
            pixels, UInt32(width), UInt32(height), UInt32(channels), Int32(quality), &bytes, capacity)
        guard size > 0 else { throw .damaged(source: "picture", format: "JPEG", reason: "the encoder could not write it") }
        return Array(bytes[..<size])
    }
}
