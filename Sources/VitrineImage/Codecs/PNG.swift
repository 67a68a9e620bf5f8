import CSPNG
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension ImageCodec {
    /// PNG through libspng: every bit depth and colour type, interlaced or not; checksums are verified.
    static let png = ImageCodec(
        name: "PNG", fileExtensions: ["png"],
        recognises: { $0.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) },
        decode: { (bytes, request) throws(ImageError) in try decodePNG(bytes, request) })
}

/// Deflate cannot expand data by more than this factor (RFC 1951: 258 bytes from two bits).
private let largestInflation = 1032

private func decodePNG(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Raster {
    let source = request.source
    func damaged(_ code: Int32) -> ImageError {
        // SAFETY: libspng returns a static string for every code.
        .damaged(source: source, format: "PNG", reason: unsafe String(cString: spng_strerror(code)))
    }
    guard let context = unsafe spng_ctx_new(0) else { throw damaged(Int32(SPNG_EMEM.rawValue)) }
    // SAFETY: made above, freed once; libspng reads `bytes` only inside the closure below.
    defer { unsafe spng_ctx_free(context) }

    var raster: Raster?
    var failure: ImageError?
    // SAFETY: the buffer lives until the closure ends and nothing uses the context afterwards.
    unsafe bytes.withUnsafeBufferPointer { buffer in
        do throws(ImageError) {
            let side = UInt32(min(request.limits.pixels, Int(Int32.max)))
            unsafe spng_set_image_limits(context, side, side)
            unsafe spng_set_chunk_limits(context, 16 << 20, 64 << 20)
            unsafe spng_set_crc_action(context, Int32(SPNG_CRC_ERROR.rawValue), Int32(SPNG_CRC_DISCARD.rawValue))
            unsafe spng_set_png_buffer(context, buffer.baseAddress, buffer.count)

            var header = spng_ihdr()
            let status = unsafe spng_get_ihdr(context, &header)
            if status == SPNG_EUSER_WIDTH.rawValue || status == SPNG_EUSER_HEIGHT.rawValue {
                let (width, height) = pngSize(bytes)
                throw .tooLarge(source: source, width: width, height: height, pixelLimit: request.limits.pixels)
            }
            guard status == 0 else { throw damaged(status) }
            let (width, height) = (Int(header.width), Int(header.height))
            try request.limits.check(width: width, height: height, source: source, format: "PNG")

            let kind = spng_color_type(rawValue: UInt32(header.color_type))
            let samples =
                switch kind {
                case SPNG_COLOR_TYPE_GRAYSCALE, SPNG_COLOR_TYPE_INDEXED: 1
                case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA: 2
                case SPNG_COLOR_TYPE_TRUECOLOR: 3
                default: 4
                }
            let needed = (width * samples * Int(header.bit_depth) + 7) / 8 * height
            guard needed / largestInflation <= bytes.count else {
                throw .damaged(
                    source: source, format: "PNG", reason: "\(bytes.count) bytes cannot hold \(width) x \(height) pixels")
            }

            // SAFETY: `decoded` has the size that libspng asks for, and libspng checks it.
            var size = 0
            let format = Int32(SPNG_FMT_PNG.rawValue)
            let sized = unsafe spng_decoded_image_size(context, format, &size)
            guard sized == 0 else { throw damaged(sized) }
            var decoded = [UInt8](repeating: 0, count: size)
            let read = unsafe spng_decode_image(context, &decoded, size, format, 0)
            guard read == 0 else { throw damaged(read) }
            // Reads up to IEND, so that a file that ends early is told from a whole one.
            let ended = unsafe spng_decode_chunks(context)
            guard ended == 0 else { throw damaged(ended) }

            let bits = Int(header.bit_depth)
            let count = width * height * samples
            let stored: Raster.Samples
            if bits == 16 {
                guard decoded.count == 2 * count else { throw damaged(Int32(SPNG_EINTERNAL.rawValue)) }
                // Samples of 16 bits arrive in the machine's byte order.
                stored = .words((0..<count).map { UInt16(littleEndian: UInt16(decoded[2 * $0]) | UInt16(decoded[2 * $0 + 1]) << 8) })
            } else {
                if bits < 8 {
                    guard decoded.count == (width * bits + 7) / 8 * height else { throw damaged(Int32(SPNG_EINTERNAL.rawValue)) }
                    decoded = unpackedRows(decoded, width: width, height: height, bits: bits)
                }
                guard decoded.count == count else { throw damaged(Int32(SPNG_EINTERNAL.rawValue)) }
                stored = .bytes(decoded)
            }
            var out = Raster(width: width, height: height, channels: samples, bits: bits, samples: stored)
            if kind == SPNG_COLOR_TYPE_INDEXED { out.palette = unsafe pngPalette(context) }
            var significant = spng_sbit()
            // SAFETY: here and in the helpers, libspng fills plain values that are ours.
            if unsafe spng_get_sbit(context, &significant) == 0 {
                let bits = [significant.grayscale_bits, significant.red_bits, significant.green_bits, significant.blue_bits].max()!
                out.significantBits = bits > 0 ? Int(bits) : nil
            }
            out.orientation = unsafe pngOrientation(context)
            raster = out
        } catch { failure = error }
    }
    if let failure { throw failure }
    return raster!
}

/// Width and height as the header chunk states them, for errors.
private func pngSize(_ bytes: [UInt8]) -> (Int, Int) {
    func word(_ at: Int) -> Int {
        guard at + 4 <= bytes.count else { return 0 }
        return bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    return (word(16), word(20))
}

/// The colours of the indices 0 to 255; indices that the file gives no colour are black.
@unsafe private func pngPalette(_ context: OpaquePointer) -> [UInt8] {
    var palette = spng_plte()
    // SAFETY: the context is open; libspng fills a value of ours.
    guard unsafe spng_get_plte(context, &palette) == 0 else { return [UInt8](repeating: 0, count: 768) }
    var out = [UInt8](repeating: 0, count: 768)
    let count = min(256, Int(palette.n_entries))
    // SAFETY: `entries` holds 256 colours of four bytes.
    unsafe withUnsafeBytes(of: &palette.entries) { entries in
        for i in 0..<count {
            for c in 0..<3 { out[3 * i + c] = unsafe entries[4 * i + c] }
        }
    }
    return out
}

/// The orientation in the eXIf chunk, 1 where there is none.
@unsafe private func pngOrientation(_ context: OpaquePointer) -> Int {
    var exif = unsafe spng_exif()
    // SAFETY: the context is open; its buffer of `length` bytes lives as long as it, and is copied at once.
    guard unsafe spng_get_exif(context, &exif) == 0, let data = unsafe exif.data else { return 1 }
    let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: data, count: Int(exif.length)))
    return Orientation.inTIFF(bytes[...])
}

extension Image {
    /// The image as a PNG file: 8 bits, grey or RGB, no metadata, so that equal images give equal bytes.
    public func pngData() throws(ImageError) -> [UInt8] {
        func failed(_ code: Int32) -> ImageError {
            // SAFETY: libspng returns a static string for every code.
            .cannotWrite(path: "PNG in memory", reason: unsafe String(cString: spng_strerror(code)))
        }
        guard let context = unsafe spng_ctx_new(Int32(SPNG_CTX_ENCODER.rawValue)) else { throw failed(Int32(SPNG_EMEM.rawValue)) }
        // SAFETY: made above, freed once, after the last use of its buffer.
        defer { unsafe spng_ctx_free(context) }
        unsafe spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1)
        var header = spng_ihdr()
        header.width = UInt32(width)
        header.height = UInt32(height)
        header.bit_depth = 8
        header.color_type = UInt8((channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR).rawValue)
        let set = unsafe spng_set_ihdr(context, &header)
        guard set == 0 else { throw failed(set) }
        let encoded = unsafe spng_encode_image(
            context, pixels, pixels.count, Int32(SPNG_FMT_PNG.rawValue), Int32(SPNG_ENCODE_FINALIZE.rawValue))
        guard encoded == 0 else { throw failed(encoded) }
        // SAFETY: writes to two local variables; the buffer it returns is taken over below.
        var count = 0
        var code: Int32 = 0
        guard let buffer = unsafe spng_get_png_buffer(context, &count, &code) else { throw failed(code) }
        // SAFETY: libspng hands over `count` bytes from malloc.
        defer { unsafe free(buffer) }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: buffer, count: count))
    }

    /// Writes the image as a PNG file; readers see the old file or the whole new one, never a part.
    public func write(png path: String) throws(ImageError) {
        let data: [UInt8]
        do throws(ImageError) { data = try pngData() } catch {
            guard case .cannotWrite(_, let reason) = error else { throw error }
            throw .cannotWrite(path: path, reason: reason)
        }
        do throws(AtomicFile.Failure) { try AtomicFile.write(data, to: path) } catch {
            throw .cannotWrite(path: path, reason: error.reason)
        }
    }
}
