import CWebP

extension ImageCodec {
    /// WebP through libwebp: lossy and lossless, alpha dropped as Pillow's `convert("RGB")` drops it. Animations are refused.
    static let webp = ImageCodec(
        name: "WebP", fileExtensions: ["webp"],
        recognises: { $0.count >= 12 && $0.starts(with: "RIFF".utf8) && $0[8..<12].elementsEqual("WEBP".utf8) },
        decode: { (bytes, request) throws(ImageError) in try decodeWebP(bytes, request) })
}

private func decodeWebP(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Raster {
    func damaged(_ reason: String) -> ImageError { .damaged(source: request.source, format: "WebP", reason: reason) }
    var features = WebPBitstreamFeatures()
    // SAFETY: reads at most `bytes.count` bytes of the array and fills a value of ours.
    let status = unsafe WebPGetFeaturesInternal(bytes, bytes.count, &features, WEBP_DECODER_ABI_VERSION)
    guard status == VP8_STATUS_OK else { throw damaged("its header cannot be read") }
    let (width, height) = (Int(features.width), Int(features.height))
    try request.limits.check(width: width, height: height, source: request.source, format: "WebP")
    guard features.has_animation == 0 else {
        throw .unsupported(source: request.source, format: "WebP", reason: "is an animation; save the frame that counts as PNG")
    }
    // The chunks must lie inside the file, whose size stands in its header: libwebp reads what is left of a file that was cut off.
    let stated = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) } + 8
    guard stated <= bytes.count else { throw damaged("it states \(stated) bytes and has \(bytes.count)") }
    // Alpha is kept for masks, whose shape may stand there alone.
    let channels = features.has_alpha != 0 ? 4 : 3
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    let stride = Int32(width * channels)
    // SAFETY: `pixels` holds height rows of `stride` bytes, and libwebp is told its size.
    let decoded =
        channels == 4
        ? unsafe WebPDecodeRGBAInto(bytes, bytes.count, &pixels, pixels.count, stride)
        : unsafe WebPDecodeRGBInto(bytes, bytes.count, &pixels, pixels.count, stride)
    guard unsafe decoded != nil else { throw damaged("its pixels cannot be read") }
    var raster = Raster(width: width, height: height, channels: channels, samples: .bytes(pixels))
    // 1 is lossy, 2 lossless, 0 unknown.
    raster.isLossy = features.format != 2
    raster.orientation = orientation(bytes)
    return raster
}

/// The orientation in the EXIF chunk, 1 where there is none.
private func orientation(_ bytes: [UInt8]) -> Int {
    var at = 12
    while at + 8 <= bytes.count {
        let size = bytes[at + 4..<at + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard size <= bytes.count - at - 8 else { return 1 }
        if bytes[at..<at + 4].elementsEqual("EXIF".utf8) {
            let data = bytes[at + 8..<at + 8 + size]
            return Orientation.inTIFF(data.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) ? data.dropFirst(6) : data)
        }
        at += 8 + size + size % 2
    }
    return 1
}
