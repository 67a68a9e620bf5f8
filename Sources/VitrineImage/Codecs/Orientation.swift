/// The eight ways in which the rows of a file can lie on the picture (EXIF 2.32 and TIFF 6.0, tag 274).
enum Orientation {
    /// The tag's value in a TIFF structure, which EXIF is; 1 where it has none or the structure is broken.
    static func inTIFF(_ bytes: ArraySlice<UInt8>) -> Int {
        let start = bytes.startIndex
        func byte(_ at: Int) -> Int? { at >= 0 && at < bytes.count ? Int(bytes[start + at]) : nil }
        guard let first = byte(0), first == byte(1), first == 0x49 || first == 0x4D else { return 1 }
        func number(_ at: Int, _ count: Int) -> Int? {
            var value = 0
            for i in 0..<count {
                guard let b = byte(at + (first == 0x49 ? count - 1 - i : i)) else { return nil }
                value = value << 8 | b
            }
            return value
        }
        guard number(2, 2) == 42, let directory = number(4, 4), let entries = number(directory, 2) else { return 1 }
        for i in 0..<entries {
            let entry = directory + 2 + 12 * i
            guard let tag = number(entry, 2) else { return 1 }
            if tag == 274, number(entry + 2, 2) == 3, let value = number(entry + 8, 2), (1...8).contains(value) { return value }
        }
        return 1
    }

    /// The EXIF orientation of a JPEG file: in its first APP1 segment that begins with "Exif".
    static func inJPEG(_ bytes: [UInt8]) -> Int {
        var at = 2
        while at + 4 <= bytes.count {
            guard bytes[at] == 0xFF else {
                at += 1
                continue
            }
            let marker = bytes[at + 1]
            if marker == 0xFF {
                at += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return 1 }
            if marker == 0x01 || (0xD0...0xD7).contains(marker) || marker == 0 {
                at += 2
                continue
            }
            let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
            guard length >= 2, at + 2 + length <= bytes.count else { return 1 }
            if marker == 0xE1, bytes[(at + 4)...].starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
                return inTIFF(bytes[(at + 10)..<max(at + 10, at + 2 + length)])
            }
            at += 2 + length
        }
        return 1
    }
}

extension Raster {
    /// The picture upright: what `ImageOps.exif_transpose` of Pillow makes of rows that lie as `orientation` says.
    func turned(upright orientation: Int) -> Raster {
        guard (2...8).contains(orientation) else { return self }
        func turn<Sample>(_ samples: [Sample]) -> [Sample] {
            var out: [Sample] = []
            out.reserveCapacity(samples.count)
            let (newWidth, newHeight) = orientation >= 5 ? (height, width) : (width, height)
            for y in 0..<newHeight {
                for x in 0..<newWidth {
                    let (row, column) =
                        switch orientation {
                        case 2: (y, width - 1 - x)
                        case 3: (height - 1 - y, width - 1 - x)
                        case 4: (height - 1 - y, x)
                        case 5: (x, y)
                        case 6: (height - 1 - x, y)
                        case 7: (height - 1 - x, width - 1 - y)
                        default: (x, width - 1 - y)
                        }
                    let from = (row * width + column) * channels
                    out += samples[from..<from + channels]
                }
            }
            return out
        }
        let turned: Samples =
            switch samples {
            case .bytes(let values): .bytes(turn(values))
            case .words(let values): .words(turn(values))
            case .floats(let values): .floats(turn(values))
            }
        let isSideways = orientation >= 5
        var out = Raster(
            width: isSideways ? height : width, height: isSideways ? width : height, channels: channels, bits: bits, samples: turned)
        out.significantBits = significantBits
        out.palette = palette
        out.isPremultiplied = isPremultiplied
        out.isLossy = isLossy
        out.notes = notes
        return out
    }
}
