import CTIFF

extension ImageCodec {
    /// TIFF through libtiff: the first page, in strips or tiles, whatever its compression.
    ///
    /// Samples of 8 and 16 bits, grey or RGB, are read as they are (extra samples such as alpha dropped); bilevel, palette and YCbCr
    /// pages go through libtiff's own conversion to RGB. Floating-point pages are refused.
    static let tiff = ImageCodec(
        name: "TIFF",
        recognises: { bytes in
            [[0x49, 0x49, 0x2A, 0x00], [0x4D, 0x4D, 0x00, 0x2A], [0x49, 0x49, 0x2B, 0x00], [0x4D, 0x4D, 0x00, 0x2B]]
                .contains { bytes.starts(with: $0) }
        },
        decode: { (bytes, request) throws(ImageError) in try TIFFReader.decode(bytes, request) })
}

// SAFETY: the handle is open while `decode` runs, which makes the only reader and lets it go before closing.
@safe private struct TIFFReader {
    let tiff: OpaquePointer
    let request: ImageCodec.Request
    let width: Int
    let height: Int
    let bits: Int
    let samples: Int
    let photometric: Int
    let isPlanar: Bool
    let fileBytes: Int

    static func decode(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Image {
        var image: Image?
        var failure: ImageError?
        // SAFETY: `source` points into `bytes` and at itself; both outlive the handle, which is closed inside.
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var source = unsafe vitrine_tiff_source()
            unsafe source.bytes = buffer.baseAddress
            unsafe source.count = UInt64(buffer.count)
            unsafe withUnsafeMutablePointer(to: &source) { source in
                do throws(ImageError) {
                    // Four bytes per pixel for the conversion to RGBA, and room for a directory.
                    let most = Int64(request.limits.pixels) * 8 + (16 << 20)
                    guard let tiff = unsafe vitrine_tiff_open(source, most) else {
                        throw unsafe Self.damaged(source.pointee, request)
                    }
                    defer { unsafe TIFFClose(tiff) }
                    do throws(ImageError) { image = try unsafe TIFFReader(tiff, request, fileBytes: bytes.count).image() } catch {
                        // SAFETY: `source` is valid until this closure ends.
                        // libtiff's own words say more than "could not be read".
                        let isSilent = unsafe source.pointee.message.0 == 0
                        guard case .damaged = error, !isSilent else { throw error }
                        throw unsafe Self.damaged(source.pointee, request)
                    }
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
        return image!
    }

    @unsafe private static func damaged(_ source: vitrine_tiff_source, _ request: ImageCodec.Request) -> ImageError {
        // SAFETY: a copy of the characters; vsnprintf ended the text with a zero inside the array.
        var message = unsafe source.message
        let text = unsafe withUnsafeBytes(of: &message) { raw in
            unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        return .damaged(source: request.source, format: "TIFF", reason: text.isEmpty ? "it cannot be opened" : text)
    }

    @unsafe init(_ tiff: OpaquePointer, _ request: ImageCodec.Request, fileBytes: Int) throws(ImageError) {
        // SAFETY: the caller passes an open handle; the shim's getters return values, never pointers.
        unsafe self.tiff = unsafe tiff
        self.request = request
        self.fileBytes = fileBytes
        width = Int(unsafe vitrine_tiff_u32(tiff, UInt32(TIFFTAG_IMAGEWIDTH), 0))
        height = Int(unsafe vitrine_tiff_u32(tiff, UInt32(TIFFTAG_IMAGELENGTH), 0))
        bits = Int(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_BITSPERSAMPLE), 1))
        samples = Int(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_SAMPLESPERPIXEL), 1))
        photometric = Int(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_PHOTOMETRIC), 0xFFFF))
        isPlanar = Int32(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_PLANARCONFIG), 1)) == PLANARCONFIG_SEPARATE
        try request.limits.check(width: width, height: height, source: request.source, format: "TIFF")
        let kind = Int32(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_SAMPLEFORMAT), UInt16(SAMPLEFORMAT_UINT)))
        guard kind == SAMPLEFORMAT_UINT || kind == SAMPLEFORMAT_VOID else {
            throw .unsupported(
                source: request.source, format: "TIFF", reason: "holds signed or floating-point samples; save it as 8-bit PNG or as NPY")
        }
        guard samples >= 1 && samples <= 64 else {
            throw .unsupported(source: request.source, format: "TIFF", reason: "has \(samples) samples per pixel; save it as RGB")
        }
    }

    func image() throws(ImageError) -> Image {
        // SAFETY: here and below, the handle is open and the getters return values.
        let compression = Int32(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_COMPRESSION), 1))
        // Bytes of pixels that a byte of the file can stand for: far more than LZW, Deflate or JPEG reach. Fax codes (one bit
        // each pixel in memory anyway) have no such bound.
        let mostInflation = compression == COMPRESSION_NONE ? 1 : 16_384
        guard bits == 1 || width * height / mostInflation * samples * bits / 8 <= fileBytes else {
            throw damaged("\(fileBytes) bytes cannot hold \(width) x \(height) pixels")
        }
        let isGrey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE
        let isRGB = photometric == PHOTOMETRIC_RGB && samples >= 3
        // libtiff's conversion rounds 16 bits and multiplies by alpha, so plain samples are read here instead.
        guard (bits == 8 || bits == 16) && (isGrey || isRGB) else { return try converted(isGrey: isGrey) }
        let channels = isGrey ? 1 : 3
        var pixels = [UInt8](repeating: 0, count: width * height * channels)
        let isTiled = unsafe TIFFIsTiled(tiff) != 0
        let blockWidth = isTiled ? Int(unsafe vitrine_tiff_u32(tiff, UInt32(TIFFTAG_TILEWIDTH), 0)) : width
        let blockHeight =
            isTiled
            ? Int(unsafe vitrine_tiff_u32(tiff, UInt32(TIFFTAG_TILELENGTH), 0))
            : min(height, Int(unsafe vitrine_tiff_u32(tiff, UInt32(TIFFTAG_ROWSPERSTRIP), UInt32.max)))
        // A tile may reach beyond the image, but one far larger asks for memory for nothing.
        let most = 2 * width * height + (1 << 22)
        guard blockWidth > 0, blockHeight > 0, blockWidth <= most / blockHeight else {
            throw damaged("tiles of \(blockWidth) x \(blockHeight) pixels for an image of \(width) x \(height)")
        }
        let perPixel = isPlanar ? 1 : samples
        let rowBytes = blockWidth * perPixel * bits / 8
        let size = unsafe Int(isTiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff))
        guard size == rowBytes * blockHeight else {
            throw damaged("blocks of \(size) bytes where \(rowBytes * blockHeight) are needed")
        }
        var block = [UInt8](repeating: 0, count: size)
        for plane in 0..<(isPlanar ? channels : 1) {
            for top in stride(from: 0, to: height, by: blockHeight) {
                for left in stride(from: 0, to: width, by: blockWidth) {
                    let rows = min(blockHeight, height - top)
                    // SAFETY: `block` holds one whole tile or strip, and libtiff is told its size.
                    let read: Int
                    if isTiled {
                        let tile = unsafe TIFFComputeTile(tiff, UInt32(left), UInt32(top), 0, UInt16(plane))
                        read = unsafe Int(TIFFReadEncodedTile(tiff, tile, &block, tmsize_t(size)))
                    } else {
                        let strip = unsafe TIFFComputeStrip(tiff, UInt32(top), UInt16(plane))
                        read = unsafe Int(TIFFReadEncodedStrip(tiff, strip, &block, tmsize_t(rows * rowBytes)))
                    }
                    guard read >= rows * rowBytes else { throw damaged("the block at row \(top), column \(left) is short") }
                    for y in 0..<rows {
                        for x in 0..<min(blockWidth, width - left) {
                            for c in 0..<(isPlanar ? 1 : channels) {
                                let at = (y * blockWidth + x) * perPixel + c
                                let value: UInt8
                                if bits == 8 {
                                    value = block[at]
                                } else {
                                    // libtiff has brought the samples into the machine's byte order.
                                    value = request.eightBits(UInt16(littleEndian: UInt16(block[2 * at]) | UInt16(block[2 * at + 1]) << 8))
                                }
                                pixels[((top + y) * width + left + x) * channels + (isPlanar ? plane : c)] = value
                            }
                        }
                    }
                }
            }
        }
        if photometric == PHOTOMETRIC_MINISWHITE { for i in pixels.indices { pixels[i] = 255 - pixels[i] } }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// Bilevel, palette, YCbCr and the rest, by libtiff's conversion to 8-bit RGBA.
    private func converted(isGrey: Bool) throws(ImageError) -> Image {
        var reason = [CChar](repeating: 0, count: 1024)
        // SAFETY: libtiff writes at most 1024 characters.
        guard unsafe TIFFRGBAImageOK(tiff, &reason) == 1 else {
            // SAFETY: ended by a zero inside the array.
            let text = unsafe reason.withUnsafeBufferPointer { unsafe String(cString: $0.baseAddress!) }
            throw .unsupported(source: request.source, format: "TIFF", reason: "cannot be converted to RGB (\(text)); save it as PNG")
        }
        var raster = [UInt32](repeating: 0, count: width * height)
        // SAFETY: the raster holds width x height words; the last argument stops at the first error.
        let done = unsafe TIFFReadRGBAImageOriented(
            tiff, UInt32(width), UInt32(height), &raster, Int32(ORIENTATION_TOPLEFT), 1)
        guard done == 1 else { throw damaged("its pixels cannot be read") }
        let channels = isGrey ? 1 : 3
        var pixels = [UInt8](repeating: 0, count: width * height * channels)
        for (i, word) in raster.enumerated() {
            for c in 0..<channels { pixels[i * channels + c] = UInt8(truncatingIfNeeded: word >> UInt32(8 * c)) }
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels)
    }

    private func damaged(_ reason: String) -> ImageError { .damaged(source: request.source, format: "TIFF", reason: reason) }
}
