import COpenJPEG

extension ImageCodec {
    /// JPEG 2000 through OpenJPEG, as JP2 file or bare code stream: grey and RGB of 1 to 16 bits, with or without alpha.
    ///
    /// Components at lower resolution and luma-chroma colours are refused; a warning of the decoder makes the file damaged.
    static let jpeg2000 = ImageCodec(
        name: "JPEG 2000", fileExtensions: ["jp2", "j2k", "j2c", "jpc", "jpx", "jpf"],
        recognises: { $0.starts(with: boxes) || $0.starts(with: [0xFF, 0x4F, 0xFF, 0x51]) },
        decode: { (bytes, request) throws(ImageError) in try decodeJPEG2000(bytes, request) })
}

/// The first box of a JP2 file.
private let boxes: [UInt8] = [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20, 0x0D, 0x0A, 0x87, 0x0A]

private func decodeJPEG2000(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Raster {
    var raster: Raster?
    var failure: ImageError?
    // SAFETY: `source` points into `bytes` and at itself; both outlive decoder and stream, which are closed inside.
    unsafe bytes.withUnsafeBufferPointer { buffer in
        var source = unsafe vitrine_j2k_source()
        unsafe source.bytes = buffer.baseAddress
        unsafe source.count = buffer.count
        unsafe withUnsafeMutablePointer(to: &source) { source in
            do throws(ImageError) {
                raster = try unsafe decode(source, isBoxed: bytes.starts(with: boxes), fileBytes: bytes.count, request)
            } catch { failure = error }
        }
    }
    if let failure { throw failure }
    return raster!
}

@unsafe private func decode(
    _ source: UnsafeMutablePointer<vitrine_j2k_source>, isBoxed: Bool, fileBytes: Int, _ request: ImageCodec.Request
) throws(ImageError) -> Raster {
    func damaged(_ otherwise: String) -> ImageError {
        // SAFETY: the caller keeps `source`; a copy of the characters up to the zero that snprintf wrote.
        var message = unsafe source.pointee.message
        let text = unsafe withUnsafeBytes(of: &message) { raw in unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self) }
        return .damaged(source: request.source, format: "JPEG 2000", reason: text.isEmpty ? otherwise : text.printable)
    }
    func unsupported(_ reason: String) -> ImageError { .unsupported(source: request.source, format: "JPEG 2000", reason: reason) }
    // SAFETY: what `open` makes is used below and let go once.
    let isOpen = unsafe vitrine_j2k_open(source, isBoxed ? 1 : 0) != 0
    defer { unsafe vitrine_j2k_close(source) }
    guard isOpen, let opened = unsafe source.pointee.image else { throw damaged("its header cannot be read") }
    func size() -> (width: Int, height: Int) {
        unsafe (Int(opened.pointee.x1) - Int(opened.pointee.x0), Int(opened.pointee.y1) - Int(opened.pointee.y0))
    }
    let (width, height) = size()
    try request.limits.check(width: width, height: height, source: request.source, format: "JPEG 2000")
    let count = unsafe Int(opened.pointee.numcomps)
    guard (1...4).contains(count) else { throw unsupported("has \(count) components; save it as grey or RGB") }
    // A blank picture needs hardly a bit for a block of 64 x 64 coefficients.
    guard width * height * count / (1 << 16) <= fileBytes else {
        throw .damaged(source: request.source, format: "JPEG 2000", reason: "\(fileBytes) bytes cannot hold \(width) x \(height) pixels")
    }
    guard unsafe vitrine_j2k_decode(source) != 0 else { throw damaged("its pixels cannot be read") }

    guard unsafe (Int(opened.pointee.numcomps) >= count && size() == (width, height)) else { throw damaged("it changes its size") }
    // A palette in the file has become three components by now.
    let channels = unsafe min(Int(opened.pointee.numcomps), 4)
    let space = unsafe opened.pointee.color_space
    guard space == OPJ_CLRSPC_SRGB || space == OPJ_CLRSPC_GRAY || space == OPJ_CLRSPC_UNSPECIFIED || space == OPJ_CLRSPC_UNKNOWN else {
        throw unsupported("holds luma and chroma or ink; save it as RGB or as PNG")
    }
    var bits = 0
    for c in 0..<channels {
        // SAFETY: there are `numcomps` components.
        let component = unsafe opened.pointee.comps[c]
        guard unsafe component.dx == 1 && component.dy == 1 else {
            throw unsupported("holds components of lower resolution; save it as PNG")
        }
        guard unsafe component.data != nil, unsafe Int(component.w) == width, unsafe Int(component.h) == height else {
            throw damaged("a component is missing")
        }
        bits = unsafe max(bits, Int(component.prec))
    }
    guard (1...16).contains(bits) else { throw unsupported("has \(bits) bits per sample; save it with 8 or 16") }
    var words = [UInt16](repeating: 0, count: width * height * channels)
    for c in 0..<channels {
        // SAFETY: as above; `data` holds w x h values.
        let component = unsafe opened.pointee.comps[c]
        let (own, isSigned) = unsafe (Int(component.prec), component.sgnd != 0)
        let (shift, ownMost, most) = (isSigned ? 1 << (own - 1) : 0, 1 << own - 1, 1 << bits - 1)
        for i in 0..<width * height {
            let value = unsafe Int(component.data[i]) + shift
            // Components of fewer bits than the deepest are brought to its range.
            words[i * channels + c] = UInt16(min(max(value, 0), ownMost) * most / ownMost)
        }
    }
    let samples: Raster.Samples = bits <= 8 ? .bytes(words.map { UInt8($0) }) : .words(words)
    return Raster(width: width, height: height, channels: channels, bits: bits, samples: samples)
}
