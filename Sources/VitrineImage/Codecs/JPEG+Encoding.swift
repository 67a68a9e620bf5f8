import CTurboJPEG

extension Image {
    /// The picture as a JPEG: chroma halved in both directions, as Pillow's default has it; grey pictures have no chroma.
    ///
    /// - Parameter quality: 1...100.
    public func jpeg(quality: Int) throws(ImageError) -> [UInt8] {
        precondition((1...100).contains(quality) && (channels == 1 || channels == 3), "a JPEG has 1 or 3 channels and a quality of 1...100")
        // SAFETY: no arguments; nil on failure.
        guard let encoder = unsafe tjInitCompress() else {
            throw .damaged(source: "picture", format: "JPEG", reason: "the encoder could not start")
        }
        // SAFETY: made above, destroyed once.
        defer { unsafe _ = tjDestroy(encoder) }
        let sampling = channels == 1 ? TJSAMP_GRAY : TJSAMP_420
        let format = channels == 1 ? TJPF_GRAY : TJPF_RGB
        var size = UInt(tjBufSize(Int32(width), Int32(height), Int32(sampling.rawValue)))
        var bytes = [UInt8](repeating: 0, count: Int(size))
        // SAFETY: `pixels` holds height rows of width x channels bytes; `bytes` holds the size that the library says is enough, and
        // TJFLAG_NOREALLOC keeps it there.
        let result = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var start = buffer.baseAddress
            return unsafe tjCompress2(
                encoder, pixels, Int32(width), 0, Int32(height), Int32(format.rawValue), &start, &size, Int32(sampling.rawValue),
                Int32(quality), Int32(TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT))
        }
        guard result == 0 else {
            // SAFETY: a string that lives as long as the encoder, copied at once.
            throw .damaged(source: "picture", format: "JPEG", reason: unsafe String(cString: tjGetErrorStr2(encoder)))
        }
        return Array(bytes[..<Int(size)])
    }
}
