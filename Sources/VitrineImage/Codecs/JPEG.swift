import CJPEG

extension ImageCodec {
    /// JPEG through libjpeg-turbo with the accurate integer DCT and fancy upsampling: the bytes that Pillow gives.
    ///
    /// Grey, colour and ink (CMYK and YCCK become RGB by Pillow's formula, without an ink profile), every sampling, sequential
    /// and progressive. Frames of 12 bits and lossless ones are refused by name. A warning of the decoder that means lost pixels
    /// makes the file damaged.
    static let jpeg = ImageCodec(
        name: "JPEG", fileExtensions: ["jpg", "jpeg", "jpe", "jfif"],
        recognises: { $0.starts(with: [0xFF, 0xD8, 0xFF]) },
        decode: { (bytes, request) throws(ImageError) in try decodeJPEG(bytes, request) })
}

private func decodeJPEG(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Raster {
    let source = request.source
    var info = vitrine_jpeg_info()
    func check(_ code: Int32) throws(ImageError) {
        guard Int(code) != VITRINE_JPEG_OK else { return }
        var text = info.reason
        // SAFETY: a copy of the characters; snprintf ended the text with a zero inside the array.
        let reason = unsafe withUnsafeBytes(of: &text) { raw in unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self) }
        if Int(code) == VITRINE_JPEG_UNSUPPORTED {
            throw .unsupported(
                source: source, format: "JPEG", reason: "is of a kind that is not read (\(reason)); save it as 16-bit or 8-bit PNG")
        }
        throw .damaged(source: source, format: "JPEG", reason: reason)
    }
    // SAFETY: reads at most `bytes.count` bytes of the array, which outlives the call.
    try check(unsafe vitrine_jpeg_header(bytes, bytes.count, &info))
    let (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
    try request.limits.check(width: width, height: height, source: source, format: "JPEG")
    // Even arithmetic coding spends more than a sixteenth of a bit on a block of 64 pixels.
    guard width * height / (64 * 8 * 16) <= bytes.count else {
        throw .damaged(source: source, format: "JPEG", reason: "\(bytes.count) bytes cannot hold \(width) x \(height) pixels")
    }
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    // SAFETY: `pixels` holds height rows of width x channels bytes, which is what the same header asks for.
    try check(unsafe vitrine_jpeg_decode(bytes, bytes.count, &pixels, &info))
    if channels == 4 { pixels = rgb(fromInk: pixels, isInverted: info.is_adobe != 0) }
    var raster = Raster(width: width, height: height, channels: channels == 4 ? 3 : channels, samples: .bytes(pixels))
    raster.isLossy = true
    raster.orientation = Orientation.inJPEG(bytes)
    return raster
}

/// Cyan, magenta, yellow and black as light: `255 - k - c (255 - k) / 255`, rounded, as Pillow computes it.
func rgb(fromInk ink: [UInt8], isInverted: Bool) -> [UInt8] {
    let flip: UInt8 = isInverted ? 255 : 0
    var out = [UInt8](repeating: 0, count: ink.count / 4 * 3)
    for i in 0..<ink.count / 4 {
        let light = 255 - Int(ink[4 * i + 3] ^ flip)
        for c in 0..<3 {
            let product = Int(ink[4 * i + c] ^ flip) * light + 128
            out[3 * i + c] = UInt8(max(0, light - (product >> 8 + product) >> 8))
        }
    }
    return out
}
