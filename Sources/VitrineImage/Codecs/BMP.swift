extension ImageCodec {
    /// Windows and OS/2 bitmaps, by a decoder of our own: 1 to 32 bits, masks of bits, run lengths, rows from below or from above.
    ///
    /// A palette of greys gives a grey picture. Bitmaps that wrap a JPEG or PNG are refused.
    static let bmp = ImageCodec(
        name: "BMP", fileExtensions: ["bmp", "dib"],
        recognises: { $0.starts(with: "BM".utf8) && $0.count >= 26 && [12, 40, 52, 56, 64, 108, 124].contains($0[14]) && $0[15] == 0 },
        decode: { (bytes, request) throws(ImageError) in try BMPReader(bytes: bytes, request: request).raster() })
}

private struct BMPReader {
    let bytes: [UInt8]
    let request: ImageCodec.Request

    /// Little-endian; nil beyond the file.
    private func number(_ at: Int, _ count: Int) -> Int? {
        guard at >= 0, at + count <= bytes.count else { return nil }
        return bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func raster() throws(ImageError) -> Raster {
        let header = Int(bytes[14])
        let isOld = header == 12
        guard let offset = number(10, 4), let width = number(18, isOld ? 2 : 4), let signed = number(isOld ? 20 : 22, isOld ? 2 : 4),
            let bits = number(isOld ? 24 : 28, 2), let packing = isOld ? 0 : number(30, 4), let used = isOld ? 0 : number(46, 4)
        else { throw damaged("its header ends early") }
        // Heights are signed: negative ones have the top row first.
        let isTopDown = !isOld && signed >= 1 << 31
        let height = isTopDown ? 1 << 32 - signed : signed
        try request.limits.check(width: width, height: height, source: request.source, format: "BMP")
        guard [1, 4, 8, 16, 24, 32].contains(bits) else { throw damaged("\(bits) bits per pixel") }
        let isRunLength = (packing == 1 && bits == 8) || (packing == 2 && bits == 4)
        let hasMasks = (packing == 3 || packing == 6) && (bits == 16 || bits == 32)
        guard packing == 0 || isRunLength || hasMasks else {
            throw .unsupported(
                source: request.source, format: "BMP",
                reason: "is packed in way \(packing) with \(bits) bits, which is not read; save it as PNG")
        }
        let stride = (width * bits + 31) / 32 * 4
        guard offset <= bytes.count, isRunLength || stride * height <= bytes.count - offset else {
            throw damaged("\(bytes.count) bytes cannot hold \(width) x \(height) pixels of \(bits) bits")
        }
        let row = { (y: Int) -> Int in offset + (isTopDown ? y : height - 1 - y) * stride }
        if bits <= 8 {
            let palette = try palette(at: 14 + header + (hasMasks ? 12 : 0), entry: isOld ? 3 : 4, count: used == 0 ? 1 << bits : used)
            var indices = [UInt8](repeating: 0, count: width * height)
            if isRunLength {
                try runs(from: offset, width: width, height: height, isNibbles: bits == 4) { x, y, value in
                    indices[(isTopDown ? y : height - 1 - y) * width + x] = value
                }
            } else {
                let most = (1 << bits) - 1
                for y in 0..<height {
                    for x in 0..<width {
                        let bit = x * bits
                        let packed = Int(bytes[row(y) + bit / 8])
                        let shift: Int = 8 - bits - bit % 8
                        indices[y * width + x] = UInt8((packed >> shift) & most)
                    }
                }
            }
            var raster = Raster(width: width, height: height, channels: 1, samples: .bytes(indices))
            // A palette is all that a bitmap has for grey, so a grey one is no list of labels.
            let isGrey = (0..<256).allSatisfy { (i: Int) -> Bool in palette[3 * i..<3 * i + 3].allSatisfy { $0 == palette[3 * i] } }
            guard isGrey else {
                raster.palette = palette
                return raster
            }
            return Raster(width: width, height: height, channels: 1, samples: .bytes(indices.map { palette[3 * Int($0)] }))
        }
        var masks = bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF0000, 0xFF00, 0xFF]
        if hasMasks {
            for c in 0..<3 {
                guard let mask = number(54 + 4 * c, 4), mask > 0,
                    mask >> mask.trailingZeroBitCount & (mask >> mask.trailingZeroBitCount + 1) == 0
                else { throw damaged("masks that are no runs of bits") }
                masks[c] = mask
            }
        }
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                let at = row(y) + x * bits / 8
                let value = bytes[at..<at + bits / 8].reversed().reduce(0) { $0 << 8 | Int($1) }
                for c in 0..<3 {
                    let shift = masks[c].trailingZeroBitCount
                    let most = masks[c] >> shift
                    pixels[(y * width + x) * 3 + c] = UInt8((value & masks[c]) >> shift * 255 / most)
                }
            }
        }
        return Raster(width: width, height: height, channels: 3, samples: .bytes(pixels))
    }

    /// Blue, green, red (and a byte of nothing) of each index.
    private func palette(at start: Int, entry: Int, count: Int) throws(ImageError) -> [UInt8] {
        guard count <= 256, start + count * entry <= bytes.count else { throw damaged("its palette of \(count) colours is cut off") }
        var out = [UInt8](repeating: 0, count: 768)
        for i in 0..<count {
            for c in 0..<3 { out[3 * i + c] = bytes[start + entry * i + 2 - c] }
        }
        return out
    }

    /// Run lengths (RLE8 and RLE4): `store` gets column, row counted as they are stored, and index.
    private func runs(
        from start: Int, width: Int, height: Int, isNibbles: Bool, _ store: (_ x: Int, _ y: Int, _ value: UInt8) -> Void
    ) throws(ImageError) {
        var (at, x, y) = (start, 0, 0)
        func next() throws(ImageError) -> Int {
            guard at < bytes.count else { throw damaged("its runs end early") }
            defer { at += 1 }
            return Int(bytes[at])
        }
        func put(_ value: Int) throws(ImageError) {
            guard x < width, y < height else { throw damaged("a run leaves the picture at row \(y), column \(x)") }
            store(x, y, UInt8(value))
            x += 1
        }
        while true {
            let (count, value) = (try next(), try next())
            if count > 0 {
                for i in 0..<count { try put(isNibbles ? (i % 2 == 0 ? value >> 4 : value & 15) : value) }
                continue
            }
            switch value {
            case 0: (x, y) = (0, y + 1)
            case 1: return
            case 2: (x, y) = (x + (try next()), y + (try next()))
            default:
                let stored = isNibbles ? (value + 1) / 2 : value
                var i = 0
                for _ in 0..<stored {
                    let byte = try next()
                    for part in isNibbles ? [byte >> 4, byte & 15] : [byte] where i < value {
                        try put(part)
                        i += 1
                    }
                }
                if stored % 2 == 1 { _ = try next() }
            }
        }
    }

    private func damaged(_ reason: String) -> ImageError { .damaged(source: request.source, format: "BMP", reason: reason) }
}
