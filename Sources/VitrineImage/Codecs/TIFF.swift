import CTIFF

extension ImageCodec {
    /// TIFF through libtiff: the first page, in strips or tiles, whatever its compression, turned as its Orientation says.
    ///
    /// Grey, RGB, palette and ink of 1 to 16 bits are read as they are, and so are signed and floating-point samples of 8 to 64 bits; the
    /// rest (YCbCr, CIE L*a*b* and so on) goes through libtiff's own conversion to RGB.
    static let tiff = ImageCodec(
        name: "TIFF", fileExtensions: ["tif", "tiff"],
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
    let photometric: Int32
    let compression: Int32
    let format: Int32
    let orientation: Int
    let isPlanar: Bool
    let fileBytes: Int

    static func decode(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Raster {
        var raster: Raster?
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
                        throw unsafe damaged(text(source.pointee.message), request)
                    }
                    defer { unsafe TIFFClose(tiff) }
                    do throws(ImageError) {
                        let reader = try unsafe TIFFReader(tiff, request, fileBytes: bytes.count)
                        unsafe source.pointee.watches = 1
                        raster = try reader.raster().turned(upright: reader.orientation)
                    } catch {
                        // libtiff's own words say more than "could not be read".
                        let words = unsafe text(source.pointee.message)
                        guard case .damaged = error, !words.isEmpty else { throw error }
                        throw damaged(words, request)
                    }
                    let warning = unsafe text(source.pointee.warning)
                    guard warning.isEmpty else { throw damaged(warning, request) }
                } catch { failure = error }
            }
        }
        if let failure { throw failure }
        return raster!
    }

    /// A fixed array of characters that vsnprintf ended with a zero.
    private static func text<Characters>(_ characters: Characters) -> String {
        var copy = characters
        // SAFETY: a copy of the characters, read up to the zero inside it.
        return unsafe withUnsafeBytes(of: &copy) { raw in unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func damaged(_ words: String, _ request: ImageCodec.Request) -> ImageError {
        .damaged(source: request.source, format: "TIFF", reason: words.isEmpty ? "it cannot be opened" : words.printable)
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
        photometric = Int32(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_PHOTOMETRIC), 0xFFFF))
        compression = Int32(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_COMPRESSION), 1))
        format = Int32(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_SAMPLEFORMAT), UInt16(SAMPLEFORMAT_UINT)))
        let stated = Int(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_ORIENTATION), 1))
        orientation = (1...8).contains(stated) ? stated : 1
        isPlanar = Int32(unsafe vitrine_tiff_u16(tiff, UInt32(TIFFTAG_PLANARCONFIG), 1)) == PLANARCONFIG_SEPARATE
        try request.limits.check(width: width, height: height, source: request.source, format: "TIFF")
        guard samples >= 1 && samples <= 64 else {
            throw .unsupported(source: request.source, format: "TIFF", reason: "has \(samples) samples per pixel; save it as RGB")
        }
        guard bits >= 1 && bits <= 64 else {
            throw .unsupported(source: request.source, format: "TIFF", reason: "has \(bits) bits per sample; save it with 8 or 16")
        }
    }

    func raster() throws(ImageError) -> Raster {
        // Samples that a byte of the file can stand for at most, never fewer than the method reaches.
        let mostInflation =
            switch compression {
            case COMPRESSION_NONE: 1
            case COMPRESSION_PACKBITS: 64
            case COMPRESSION_LZW: 4096
            case COMPRESSION_DEFLATE, COMPRESSION_ADOBE_DEFLATE: 1040
            default: 16_384
            }
        guard bits == 1 || width * height / mostInflation * samples * bits / 8 <= fileBytes else {
            throw damaged("\(fileBytes) bytes cannot hold \(width) x \(height) pixels")
        }
        let isGrey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE
        let isInk = photometric == PHOTOMETRIC_SEPARATED && samples >= 4 && bits == 8
        let isPalette = photometric == PHOTOMETRIC_PALETTE && bits <= 8
        let colours = isInk ? 4 : photometric == PHOTOMETRIC_RGB && samples >= 3 ? 3 : isGrey || isPalette ? 1 : 0
        let isWhole = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID
        let isPlain = isWhole && (bits == 1 || bits == 2 || bits == 4 || 8...16 ~= bits) && (bits >= 8 || samples == 1 || isPlanar)
        let isNumber =
            ((format == SAMPLEFORMAT_INT || isWhole) && (bits == 8 || bits == 16 || bits == 32))
            || (format == SAMPLEFORMAT_IEEEFP && (bits == 16 || bits == 32 || bits == 64))
        guard isWhole || (isNumber && colours == 1 || isNumber && colours == 3) else {
            throw .unsupported(
                source: request.source, format: "TIFF",
                reason:
                    "holds samples of a kind that is not read (format \(format), \(bits) bits); save it as 8-bit or 16-bit PNG or as NPY")
        }
        // libtiff's conversion rounds 16 bits and multiplies by alpha, so plain samples are read here instead.
        guard colours > 0 && (isPlain || isNumber) else { return try converted() }
        let extra = unsafe vitrine_tiff_extra(tiff)
        let hasAlpha =
            !isInk && !isPalette && samples == colours + 1 && (extra == EXTRASAMPLE_ASSOCALPHA || extra == EXTRASAMPLE_UNASSALPHA)
        let kept = hasAlpha ? colours + 1 : colours

        var raster: Raster
        if isPlain && bits <= 8 {
            var out = [UInt8](repeating: 0, count: width * height * kept)
            try readBlocks(kept: kept) { block, width in
                bits == 8 ? block : unpackedRows(block, width: width, height: block.count / ((width * bits + 7) / 8), bits: bits)
            } store: {
                out[$0] = $1
            }
            if photometric == PHOTOMETRIC_MINISWHITE { invert(&out, kept: kept, most: UInt8(1 << bits - 1)) }
            if isInk { out = rgb(fromInk: out, isInverted: false) }
            raster = Raster(width: width, height: height, channels: isInk ? 3 : kept, bits: bits, samples: .bytes(out))
            if isPalette { raster.palette = try palette() }
        } else if isPlain {
            var out = [UInt16](repeating: 0, count: width * height * kept)
            try readBlocks(kept: kept) { block, width in
                let perRow = (isPlanar ? 1 : samples) * width
                return words(block, perRow: perRow)
            } store: {
                out[$0] = $1
            }
            if photometric == PHOTOMETRIC_MINISWHITE { invert(&out, kept: kept, most: UInt16(truncatingIfNeeded: 1 << bits - 1)) }
            raster = Raster(width: width, height: height, channels: kept, bits: bits, samples: .words(out))
            let stated = unsafe vitrine_tiff_maximum(tiff)
            if bits == 16, stated >= 1, stated < 65535, stated >= Double(out.max() ?? 0) {
                raster.significantBits = UInt16(stated).bitWidth - UInt16(stated).leadingZeroBitCount
            }
        } else {
            var out = [Float](repeating: 0, count: width * height * kept)
            try readBlocks(kept: kept) { block, _ in
                numbers(block)
            } store: {
                out[$0] = $1
            }
            // Black and white are told by the samples' range, so that white-is-zero turns around it.
            if photometric == PHOTOMETRIC_MINISWHITE { for i in out.indices { out[i] = -out[i] } }
            raster = Raster(width: width, height: height, channels: kept, bits: 16, samples: .floats(out))
        }
        raster.isPremultiplied = hasAlpha && extra == EXTRASAMPLE_ASSOCALPHA
        return noted(raster)
    }

    private func noted(_ raster: Raster) -> Raster {
        var raster = raster
        raster.isLossy = [COMPRESSION_JPEG, COMPRESSION_OJPEG].contains(compression)
        // SAFETY: the handle is open.
        if unsafe TIFFLastDirectory(tiff) == 0 { raster.notes.append("it has several pages: the first is read") }
        return raster
    }

    /// Reads strips or tiles one after the other.
    ///
    /// - Parameters:
    ///   - kept: samples per pixel that are wanted, the first ones.
    ///   - decode: the samples of a block's bytes, whose rows have the width given.
    ///   - store: the place of a sample in the picture, and the sample.
    private func readBlocks<Sample>(
        kept: Int, decode: (_ block: [UInt8], _ width: Int) -> [Sample], store: (Int, Sample) -> Void
    ) throws(ImageError) {
        // SAFETY: here and below, the handle is open and the getters return values.
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
        let rowBytes = (blockWidth * perPixel * bits + 7) / 8
        let size = unsafe Int(isTiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff))
        guard size == rowBytes * blockHeight else {
            throw damaged("blocks of \(size) bytes where \(rowBytes * blockHeight) are needed")
        }
        var work = 0
        var block = [UInt8](repeating: 0, count: size)
        for plane in 0..<(isPlanar ? kept : 1) {
            for top in stride(from: 0, to: height, by: blockHeight) {
                for left in stride(from: 0, to: width, by: blockWidth) {
                    let rows = min(blockHeight, height - top)
                    let index =
                        isTiled
                        ? unsafe TIFFComputeTile(tiff, UInt32(left), UInt32(top), 0, UInt16(plane))
                        : unsafe TIFFComputeStrip(tiff, UInt32(top), UInt16(plane))
                    // Even a blank row of fax codes takes a bit; and blocks that share their bytes must not be decoded without end.
                    let encoded = Int(clamping: unsafe vitrine_tiff_block_bytes(tiff, index))
                    let (total, overflows) = work.addingReportingOverflow(encoded)
                    work = total
                    guard !overflows, encoded <= fileBytes, rows <= encoded.multipliedReportingOverflow(by: 8).partialValue || bits > 1,
                        work <= 64 * fileBytes
                    else { throw damaged("\(fileBytes) bytes cannot hold \(width) x \(height) pixels") }
                    // SAFETY: `block` holds one whole tile or strip, and libtiff is told its size.
                    let read =
                        isTiled
                        ? unsafe Int(TIFFReadEncodedTile(tiff, index, &block, tmsize_t(size)))
                        : unsafe Int(TIFFReadEncodedStrip(tiff, index, &block, tmsize_t(rows * rowBytes)))
                    guard read >= rows * rowBytes else { throw damaged("the block at row \(top), column \(left) is short") }
                    let values = decode(block, blockWidth)
                    let wanted = isPlanar ? 1 : kept
                    for y in 0..<rows {
                        for x in 0..<min(blockWidth, width - left) {
                            let from = (y * blockWidth + x) * perPixel
                            let to = ((top + y) * width + left + x) * kept + (isPlanar ? plane : 0)
                            for c in 0..<wanted { store(to + c, values[from + c]) }
                        }
                    }
                }
            }
        }
    }

    /// White-is-zero grey as black-is-zero; alpha stays.
    private func invert<Sample: FixedWidthInteger>(_ samples: inout [Sample], kept: Int, most: Sample) {
        for i in stride(from: 0, to: samples.count, by: kept) { samples[i] = most - samples[i] }
    }

    /// Samples of 9 to 16 bits; those of 16 are in the machine's byte order, others are packed, high bits first, in rows of whole bytes.
    private func words(_ block: [UInt8], perRow: Int) -> [UInt16] {
        if bits == 16 { return (0..<block.count / 2).map { UInt16(littleEndian: UInt16(block[2 * $0]) | UInt16(block[2 * $0 + 1]) << 8) } }
        let rowBytes = (perRow * bits + 7) / 8
        var out: [UInt16] = []
        out.reserveCapacity(block.count / rowBytes * perRow)
        for start in stride(from: 0, to: block.count, by: rowBytes) {
            var (held, count, at) = (0, 0, start)
            for _ in 0..<perRow {
                while count < bits {
                    held = (held << 8 | Int(block[at])) & 0xFF_FFFF
                    at += 1
                    count += 8
                }
                count -= bits
                out.append(UInt16(held >> count & (1 << bits - 1)))
            }
        }
        return out
    }

    /// Signed, long or floating-point samples, which libtiff brought into the machine's byte order.
    private func numbers(_ block: [UInt8]) -> [Float] {
        let size = bits / 8
        return (0..<block.count / size).map { i in
            var word: UInt64 = 0
            for b in (0..<size).reversed() { word = word << 8 | UInt64(block[i * size + b]) }
            switch (format, bits) {
            case (SAMPLEFORMAT_IEEEFP, 16): return Float(Float16(bitPattern: UInt16(word)))
            case (SAMPLEFORMAT_IEEEFP, 32): return Float(bitPattern: UInt32(word))
            case (SAMPLEFORMAT_IEEEFP, _): return Float(Double(bitPattern: word))
            case (SAMPLEFORMAT_INT, _):
                let shift = UInt64(64 - bits)
                return Float(Int64(bitPattern: word << shift) >> Int64(shift))
            default: return Float(word)
            }
        }
    }

    /// The colours of the indices, as 8 bits: the high bytes, or, where no entry exceeds 255, the entries as they are.
    private func palette() throws(ImageError) -> [UInt8] {
        var entries = [UInt16](repeating: 0, count: 768)
        // SAFETY: 3 x 2^bits values, at most 768, fit.
        guard unsafe vitrine_tiff_colours(tiff, UInt32(1 << bits), &entries) != 0 else { throw damaged("its palette is missing") }
        let isWide = entries.contains { $0 > 255 }
        return entries.map { UInt8(truncatingIfNeeded: isWide ? $0 >> 8 : $0) }
    }

    /// YCbCr and the rest, by libtiff's conversion to 8-bit RGBA.
    private func converted() throws(ImageError) -> Raster {
        var reason = [CChar](repeating: 0, count: 1024)
        // SAFETY: libtiff writes at most 1024 characters.
        guard unsafe TIFFRGBAImageOK(tiff, &reason) == 1 else {
            // SAFETY: ended by a zero inside the array.
            let text = unsafe reason.withUnsafeBufferPointer { unsafe String(cString: $0.baseAddress!) }
            throw .unsupported(source: request.source, format: "TIFF", reason: "cannot be converted to RGB (\(text)); save it as PNG")
        }
        var raster = [UInt32](repeating: 0, count: width * height)
        // The rows as they lie in the file: libtiff turns for some orientations and pages only, so all are turned by the caller.
        // SAFETY: the raster holds width x height words; the last argument stops at the first error.
        let done = unsafe TIFFReadRGBAImageOriented(tiff, UInt32(width), UInt32(height), &raster, Int32(orientation), 1)
        guard done == 1 else { throw damaged("its pixels cannot be read") }
        let isGrey = photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE
        let channels = isGrey ? 1 : 3
        var pixels = [UInt8](repeating: 0, count: width * height * channels)
        for (i, word) in raster.enumerated() {
            for c in 0..<channels { pixels[i * channels + c] = UInt8(truncatingIfNeeded: word >> UInt32(8 * c)) }
        }
        return noted(Raster(width: width, height: height, channels: channels, samples: .bytes(pixels)))
    }

    private func damaged(_ reason: String) -> ImageError { .damaged(source: request.source, format: "TIFF", reason: reason) }
}
