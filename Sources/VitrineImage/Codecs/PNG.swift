import CSPNG
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension ImageCodec {
    /// PNG through libspng: every bit depth and colour type, interlaced or not.
    ///
    /// Grey below 8 bits is scaled to 0...255; palettes are looked up; alpha and `tRNS` are dropped; checksums are verified.
    static let png = ImageCodec(
        name: "PNG",
        recognises: { $0.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) },
        decode: { (bytes, request) throws(ImageError) in try decodePNG(bytes, request) })
}

/// Deflate cannot expand data by more than this factor (RFC 1951: 258 bytes from two bits).
private let largestInflation = 1032

private func decodePNG(_ bytes: [UInt8], _ request: ImageCodec.Request) throws(ImageError) -> Image {
    let source = request.source
    func damaged(_ code: Int32) -> ImageError {
        // SAFETY: libspng returns a static string for every code.
        .damaged(source: source, format: "PNG", reason: unsafe String(cString: spng_strerror(code)))
    }
    guard let context = unsafe spng_ctx_new(0) else { throw damaged(Int32(SPNG_EMEM.rawValue)) }
    // SAFETY: made above, freed once; libspng reads `bytes` only inside the closure below.
    defer { unsafe spng_ctx_free(context) }

    var image: Image?
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
            let isGrey = kind == SPNG_COLOR_TYPE_GRAYSCALE || kind == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA
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

            // libspng's own conversions cover 8 bits; samples of 16 bits and grey with alpha are taken as they are.
            let isDeep = header.bit_depth == 16
            let format =
                if isDeep || kind == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA { SPNG_FMT_PNG } else if isGrey { SPNG_FMT_G8 } else { SPNG_FMT_RGB8 }
            // SAFETY: `decoded` has the size that libspng asks for, and libspng checks it.
            var size = 0
            let sized = unsafe spng_decoded_image_size(context, Int32(format.rawValue), &size)
            guard sized == 0 else { throw damaged(sized) }
            var decoded = [UInt8](repeating: 0, count: size)
            let read = unsafe spng_decode_image(context, &decoded, size, Int32(format.rawValue), 0)
            guard read == 0 else { throw damaged(read) }
            // Reads up to IEND, so that a file that ends early is told from a whole one.
            let ended = unsafe spng_decode_chunks(context)
            guard ended == 0 else { throw damaged(ended) }

            let channels = isGrey ? 1 : 3
            if format == SPNG_FMT_PNG {
                decoded = keptSamples(
                    decoded, pixels: width * height, samples: samples, kept: channels, isDeep: isDeep, request: request)
            }
            guard decoded.count == width * height * channels else { throw damaged(Int32(SPNG_EINTERNAL.rawValue)) }
            image = Image(width: width, height: height, channels: channels, pixels: decoded)
        } catch { failure = error }
    }
    if let failure { throw failure }
    return image!
}

/// Width and height as the header chunk states them, for errors.
private func pngSize(_ bytes: [UInt8]) -> (Int, Int) {
    func word(_ at: Int) -> Int {
        guard at + 4 <= bytes.count else { return 0 }
        return bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    return (word(16), word(20))
}

/// The first `kept` of each pixel's `samples`, as 8 bits; 16-bit samples arrive in the machine's byte order.
private func keptSamples(
    _ data: [UInt8], pixels: Int, samples: Int, kept: Int, isDeep: Bool, request: ImageCodec.Request
) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: pixels * kept)
    guard data.count == pixels * samples * (isDeep ? 2 : 1) else { return [] }
    for i in 0..<pixels {
        for c in 0..<kept {
            let at = i * samples + c
            if isDeep {
                let sample = UInt16(littleEndian: UInt16(data[2 * at]) | UInt16(data[2 * at + 1]) << 8)
                out[i * kept + c] = request.eightBits(sample)
            } else {
                out[i * kept + c] = data[at]
            }
        }
    }
    return out
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
