extension ImageCodec {
    /// GIF (87a and 89a): the first picture on its screen, by a decoder of our own.
    ///
    /// What the first picture leaves of the screen has the background's index, as Pillow shows it; transparency is dropped.
    static let gif = ImageCodec(
        name: "GIF", fileExtensions: ["gif"],
        recognises: { $0.starts(with: "GIF87a".utf8) || $0.starts(with: "GIF89a".utf8) },
        decode: { (bytes, request) throws(ImageError) in
            var reader = GIFReader(bytes: bytes, request: request)
            return try reader.raster()
        })
}

private struct GIFReader {
    let bytes: [UInt8]
    let request: ImageCodec.Request
    var at = 6

    init(bytes: [UInt8], request: ImageCodec.Request) { (self.bytes, self.request) = (bytes, request) }

    mutating func raster() throws(ImageError) -> Raster {
        let (width, height) = (try word(), try word())
        try request.limits.check(width: width, height: height, source: request.source, format: "GIF")
        let flags = try byte()
        var background = try byte()
        _ = try byte()
        var palette = flags & 0x80 != 0 ? try colours(flags) : nil
        while true {
            switch try byte() {
            case 0x21:
                let kind = try byte()
                let data = try blocks(most: 1 << 16)
                // Where the picture may be transparent, Pillow fills the rest of the screen with that index.
                if kind == 0xF9, data.count >= 4, data[0] & 1 == 1 { background = Int(data[3]) }
            case 0x2C:
                let (left, top, across, down) = (try word(), try word(), try word(), try word())
                let own = try byte()
                if own & 0x80 != 0 { palette = try colours(own) }
                guard let palette else { throw damaged("no colour table") }
                guard across > 0, down > 0, left + across <= width, top + down <= height else {
                    throw damaged("a picture of \(across) x \(down) at \(left), \(top) on a screen of \(width) x \(height)")
                }
                let depth = try byte()
                guard (1...11).contains(depth) else { throw damaged("codes of \(depth) bits") }
                // A code of at most 12 bits stands for at most 4096 pixels.
                guard across * down / 4096 <= bytes.count else {
                    throw damaged("\(bytes.count) bytes cannot hold \(across) x \(down) pixels")
                }
                let indices = try decoded(try blocks(most: .max), depth: depth, count: across * down)
                var screen = [UInt8](repeating: UInt8(background), count: width * height)
                for (i, row) in rows(down, isInterlaced: own & 0x40 != 0).enumerated() {
                    let start = (top + row) * width + left
                    screen.replaceSubrange(start..<start + across, with: indices[i * across..<(i + 1) * across])
                }
                var raster = Raster(width: width, height: height, channels: 1, samples: .bytes(screen))
                raster.palette = palette
                if at < bytes.count && bytes[at] != 0x3B { raster.notes.append("it has more than one picture: the first is read") }
                return raster
            case 0x3B: throw damaged("it holds no picture")
            default: throw damaged("an unknown block at byte \(at - 1)")
            }
        }
    }

    /// Variable-length codes (Welch 1984) as indices, exactly `count` of them.
    private func decoded(_ data: [UInt8], depth: Int, count: Int) throws(ImageError) -> [UInt8] {
        let (clear, end) = (1 << depth, 1 << depth + 1)
        var prefix = [Int16](repeating: -1, count: 4096)
        var suffix = [UInt8](repeating: 0, count: 4096)
        var lengths = [Int](repeating: 1, count: 4096)
        for i in 0..<min(clear, 256) { suffix[i] = UInt8(i) }
        var out: [UInt8] = []
        out.reserveCapacity(count)
        var (next, size, last) = (end + 1, depth + 1, -1)
        var (held, bits, position) = (0, 0, 0)
        while out.count < count {
            while bits < size {
                guard position < data.count else { throw damaged("the picture ends after \(out.count) of \(count) pixels") }
                held |= Int(data[position]) << bits
                position += 1
                bits += 8
            }
            let code = held & (1 << size - 1)
            held >>= size
            bits -= size
            if code == clear {
                (next, size, last) = (end + 1, depth + 1, -1)
                continue
            }
            guard code != end else { throw damaged("the picture ends after \(out.count) of \(count) pixels") }
            guard last >= 0 ? code <= next : code < clear, code < 4096 else { throw damaged("code \(code) before it was made") }
            // A code that is being made right now repeats the last one with its own first pixel behind it.
            let isNew = last >= 0 && code == next
            var walk = isNew ? last : code
            let length = lengths[walk] + (isNew ? 1 : 0)
            let start = out.count
            out += [UInt8](repeating: 0, count: length)
            var place = start + lengths[walk] - 1
            while place > start {
                out[place] = suffix[walk]
                walk = Int(prefix[walk])
                place -= 1
            }
            let first = suffix[walk]
            out[start] = first
            if isNew { out[start + length - 1] = first }
            if last >= 0 && next < 4096 {
                prefix[next] = Int16(last)
                suffix[next] = first
                lengths[next] = lengths[last] + 1
                next += 1
                if next == 1 << size && size < 12 { size += 1 }
            }
            last = code
        }
        out.removeLast(out.count - count)
        return out
    }

    /// The rows in the order in which they are stored.
    private func rows(_ count: Int, isInterlaced: Bool) -> [Int] {
        guard isInterlaced else { return Array(0..<count) }
        return [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0.0, to: count, by: $0.1)) }
    }

    private mutating func byte() throws(ImageError) -> Int {
        guard at < bytes.count else { throw damaged("it ends early") }
        defer { at += 1 }
        return Int(bytes[at])
    }

    private mutating func word() throws(ImageError) -> Int { try byte() | (try byte()) << 8 }

    /// A colour table: red, green and blue of the indices 0 to 255, black where it has none.
    private mutating func colours(_ flags: Int) throws(ImageError) -> [UInt8] {
        let count = 3 << (flags & 7 + 1)
        guard at + count <= bytes.count else { throw damaged("it ends inside a colour table") }
        defer { at += count }
        return Array(bytes[at..<at + count]) + [UInt8](repeating: 0, count: 768 - count)
    }

    /// Blocks of up to 255 bytes up to the empty one, joined; of more than `most` bytes the first ones.
    private mutating func blocks(most: Int) throws(ImageError) -> [UInt8] {
        var out: [UInt8] = []
        while true {
            let count = try byte()
            if count == 0 { return out }
            guard at + count <= bytes.count else { throw damaged("it ends inside a block") }
            if out.count < most { out += bytes[at..<at + count] }
            at += count
        }
    }

    private func damaged(_ reason: String) -> ImageError { .damaged(source: request.source, format: "GIF", reason: reason) }
}
