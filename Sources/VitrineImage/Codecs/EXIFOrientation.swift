extension Image {
    /// How a picture is to be turned before it is shown, as its EXIF data say: 1 (not at all) to 8.
    ///
    /// Decoding does not turn pictures (Pillow's `Image.open` does not either), but annotation tools show them turned. Read from JPEG (APP1),
    /// PNG (`eXIf`) and WebP (`EXIF`); 1 for everything else, for TIFF too, whose own orientation tag is the decoder's business.
    ///
    /// - Parameter bytes: a whole file, or its beginning; nothing in it is trusted.
    /// - Complexity: O(segments), no copy.
    /// - SeeAlso: CIPA DC-008 (EXIF 2.32), tag 0x0112.
    public static func exifOrientation(of bytes: [UInt8]) -> Int {
        guard let exif = exifRange(bytes) else { return 1 }
        return orientation(inTIFF: bytes[exif]) ?? 1
    }

    /// Where the TIFF structure with the EXIF tags stands.
    private static func exifRange(_ bytes: [UInt8]) -> Range<Int>? {
        if bytes.starts(with: [0xFF, 0xD8]) { return exifInJPEG(bytes) }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            return chunk("eXIf", bytes, from: 8) { at in
                (length: bigEndian(bytes, at, 4), name: at + 4, content: at + 8, next: at + 12 + bigEndian(bytes, at, 4))
            }
        }
        if bytes.starts(with: "RIFF".utf8), bytes.count >= 12, bytes[8..<12].elementsEqual("WEBP".utf8) {
            return chunk("EXIF", bytes, from: 12) { at in
                let length = littleEndian(bytes, at + 4, 4)
                return (length: length, name: at, content: at + 8, next: at + 8 + length + length % 2)
            }
        }
        return nil
    }

    private static func exifInJPEG(_ bytes: [UInt8]) -> Range<Int>? {
        var at = 2
        while at + 4 <= bytes.count, bytes[at] == 0xFF {
            let marker = bytes[at + 1]
            if marker == 0xFF {
                at += 1
                continue
            }
            // Markers without a length; after the start of the scan come pixels.
            if marker == 0x01 || (0xD0...0xD7).contains(marker) {
                at += 2
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return nil }
            let length = bigEndian(bytes, at + 2, 2)
            guard length >= 2, at + 2 + length <= bytes.count else { return nil }
            let content = at + 4..<at + 2 + length
            if marker == 0xE1, content.count > 6, bytes[content].starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
                return content.lowerBound + 6..<content.upperBound
            }
            at += 2 + length
        }
        return nil
    }

    /// The content of the first chunk of a name.
    private static func chunk(
        _ name: String, _ bytes: [UInt8], from start: Int, read: (Int) -> (length: Int, name: Int, content: Int, next: Int)
    ) -> Range<Int>? {
        var at = start
        while at + 8 <= bytes.count {
            let chunk = read(at)
            if bytes[chunk.name..<chunk.name + 4].elementsEqual(name.utf8) {
                var content = chunk.content..<min(bytes.count, chunk.content + chunk.length)
                guard content.lowerBound < content.upperBound else { return nil }
                // Some writers keep JPEG's introduction.
                if bytes[content].starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) { content = content.lowerBound + 6..<content.upperBound }
                return content
            }
            at = chunk.next
        }
        return nil
    }

    /// Tag 0x0112 of the first directory of a TIFF structure.
    private static func orientation(inTIFF exif: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(exif.prefix(65_536))
        guard bytes.count >= 8 else { return nil }
        let isLittle = bytes.starts(with: [0x49, 0x49])
        guard isLittle || bytes.starts(with: [0x4D, 0x4D]) else { return nil }
        func number(_ at: Int, _ count: Int) -> Int { isLittle ? littleEndian(bytes, at, count) : bigEndian(bytes, at, count) }
        let directory = number(4, 4)
        guard directory + 2 <= bytes.count else { return nil }
        for i in 0..<number(directory, 2) {
            let entry = directory + 2 + 12 * i
            guard entry + 12 <= bytes.count else { return nil }
            guard number(entry, 2) == 0x0112 else { continue }
            // A short, as the standard says, or a long, as some cameras write it.
            let value = number(entry + 2, 2) == 4 ? number(entry + 8, 4) : number(entry + 8, 2)
            return (1...8).contains(value) ? value : nil
        }
        return nil
    }

    private static func bigEndian(_ bytes: [UInt8], _ at: Int, _ count: Int) -> Int {
        guard at + count <= bytes.count else { return 0 }
        return bytes[at..<at + count].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func littleEndian(_ bytes: [UInt8], _ at: Int, _ count: Int) -> Int {
        guard at + count <= bytes.count else { return 0 }
        return bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
