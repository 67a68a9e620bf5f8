import CTurboJPEG

extension ImageCodec {
    /// JPEG through libjpeg-turbo with the accurate integer DCT and fancy upsampling: the bytes that Pillow gives.
    ///
    /// Grey and colour files; CMYK and YCCK are refused, since their conversion depends on an ink profile.
    static let jpeg = ImageCodec(
        name: "JPEG",
        recognises: { $0.starts(with: [0xFF, 0xD8, 0xFF]) },
        decode: { (bytes, request) throws(ImageError) in try decodeJPEG(bytes, request) })
}

private func decodeJPEG(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Image {
    let source = request.source
    // SAFETY: no arguments; nil on failure.
    guard let decoder = unsafe tjInitDecompress() else {
        throw .damaged(source: source, format: "JPEG", reason: "the decoder could not start")
    }
    // SAFETY: made above, destroyed once.
    defer { unsafe _ = tjDestroy(decoder) }
    func damaged() -> ImageError {
        // SAFETY: a string that lives as long as the decoder, copied at once.
        .damaged(source: source, format: "JPEG", reason: unsafe String(cString: tjGetErrorStr2(decoder)))
    }

    var width: Int32 = 0
    var height: Int32 = 0
    var sampling: Int32 = 0
    var space: Int32 = 0
    // SAFETY: reads at most `bytes.count` bytes of the array, which outlives the call.
    let header = unsafe tjDecompressHeader3(decoder, bytes, UInt(bytes.count), &width, &height, &sampling, &space)
    let isUsable = unsafe header == 0 || tjGetErrorCode(decoder) == TJERR_WARNING.rawValue
    guard isUsable else { throw damaged() }
    try request.limits.check(width: Int(width), height: Int(height), source: source, format: "JPEG")
    guard space != TJCS_CMYK.rawValue && space != TJCS_YCCK.rawValue else {
        throw .unsupported(
            source: source, format: "JPEG", reason: "stores ink (CMYK or YCCK) instead of light; export it as RGB or as PNG")
    }

    // Even arithmetic coding spends more than a sixteenth of a bit on a block of 64 pixels.
    guard Int(width) * Int(height) / (64 * 8 * 16) <= bytes.count else {
        throw .damaged(source: source, format: "JPEG", reason: "\(bytes.count) bytes cannot hold \(width) x \(height) pixels")
    }

    let channels = space == TJCS_GRAY.rawValue ? 1 : 3
    let format = channels == 1 ? TJPF_GRAY : TJPF_RGB
    var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * channels)
    let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS
    // SAFETY: `pixels` holds height rows of width x channels bytes, which is what is asked for.
    let decoded = unsafe tjDecompress2(
        decoder, bytes, UInt(bytes.count), &pixels, width, 0, height, Int32(format.rawValue), Int32(flags))
    if decoded != 0 {
        let isWarning = unsafe tjGetErrorCode(decoder) == TJERR_WARNING.rawValue
        // SAFETY: as in `damaged`.
        let message = unsafe String(cString: tjGetErrorStr2(decoder))
        // Bytes between segments and odd version numbers do not touch a pixel; every other warning means lost pixels.
        guard isWarning && (message.contains("extraneous bytes") || message.contains("JFIF")) else { throw damaged() }
    }
    return Image(width: Int(width), height: Int(height), channels: channels, pixels: pixels)
}
