import VitrineTensor

/// The entries of a zip archive whose entries are stored without compression, as PyTorch writes them.
///
/// Follows the central directory (PKWARE APPNOTE 6.3.10), with or without zip64 records. Sizes come from the directory, so entries
/// with data descriptors need no search. Nothing is inflated, hence nothing can grow. Checksums are not verified: PyTorch can be
/// told to write archives without them.
struct ZipArchive {
    /// Byte range of each entry in the file.
    let entries: [String: Range<Int>]
    /// Names in directory order.
    let names: [String]

    init(_ file: MappedFile) throws(ZipFault) {
        let directory = try ZipArchive.directory(file)
        let bytes = file.bytes(directory.range)
        var entries: [String: Range<Int>] = [:]
        var names: [String] = []
        var position = 0
        var compressed: (entry: String, method: Int)?
        while position < bytes.count {
            let at = directory.range.lowerBound + position
            guard position + 46 <= bytes.count, read32(bytes, position) == 0x0201_4b50 else { throw .damagedDirectory(byte: at) }
            let flags = read16(bytes, position + 8)
            let method = Int(read16(bytes, position + 10))
            let nameLength = Int(read16(bytes, position + 28))
            let extraLength = Int(read16(bytes, position + 30))
            let next = position + 46 + nameLength + extraLength + Int(read16(bytes, position + 32))
            guard next <= bytes.count else { throw .damagedDirectory(byte: at) }
            let nameBytes = Array(bytes[position + 46..<position + 46 + nameLength])
            guard let name = String(validating: nameBytes, as: UTF8.self) else { throw .nameNotUTF8(byte: at) }
            var plain = UInt64(read32(bytes, position + 24))
            var stored = UInt64(read32(bytes, position + 20))
            var offset = UInt64(read32(bytes, position + 42))
            let extra = position + 46 + nameLength..<position + 46 + nameLength + extraLength
            guard ZipArchive.widen(bytes, extra, &plain, &stored, &offset) else { throw .damagedDirectory(byte: at) }

            guard flags & 1 == 0 else { throw .encrypted(entry: name) }
            guard method == 0 else {
                // PyTorch compresses the code of a TorchScript program and nothing else; the entry that tells comes later.
                compressed = compressed ?? (name, method)
                names.append(name)
                position = next
                continue
            }
            guard stored == plain else { throw .sizesDiffer(entry: name, stored: stored, plain: plain) }
            let range = try ZipArchive.dataRange(
                file, entry: name, nameBytes: nameBytes, offset: offset, count: plain, limit: directory.range.lowerBound)
            guard entries.updateValue(range, forKey: name) == nil else { throw .duplicateEntry(entry: name) }
            names.append(name)
            position = next
        }
        if let compressed {
            if names.contains(where: { $0 == "constants.pkl" || $0.hasSuffix("/constants.pkl") }) { throw .torchScript }
            throw .compressed(entry: compressed.entry, method: compressed.method)
        }
        guard UInt64(names.count) == directory.count else { throw .entryCount(declared: directory.count, found: names.count) }

        var end = 0
        for name in names.sorted(by: { (entries[$0]!.lowerBound, $0) < (entries[$1]!.lowerBound, $1) }) {
            let range = entries[name]!
            guard range.lowerBound >= end else { throw .overlap(entry: name, begin: range.lowerBound, previousEnd: end) }
            end = range.upperBound
        }
        self.entries = entries
        self.names = names
    }

    /// Where the directory is and how many entries it claims, by the end record and its zip64 companion.
    private static func directory(_ file: MappedFile) throws(ZipFault) -> (range: Range<Int>, count: UInt64) {
        let tailStart = max(0, file.count - 65_557)
        let tail = file.bytes(tailStart..<file.count)
        var record = tail.count - 22
        // The comment's length must reach the end of the file exactly, so that a signature inside a comment is not taken.
        while record >= 0 && !(read32(tail, record) == 0x0605_4b50 && record + 22 + Int(read16(tail, record + 20)) == tail.count) {
            record -= 1
        }
        guard record >= 0 else { throw .noEndRecord(bytes: file.count) }
        var disk = UInt32(read16(tail, record + 4))
        var count = UInt64(read16(tail, record + 10))
        var size = UInt64(read32(tail, record + 12))
        var begin = UInt64(read32(tail, record + 16))
        var limit = tailStart + record
        if record >= 20, read32(tail, record - 20) == 0x0706_4b50 {
            let at = read64(tail, record - 12)
            guard let start = Int(exactly: at), start <= limit - 20 - 56, read32(file.bytes(start..<start + 4), 0) == 0x0606_4b50 else {
                throw .damagedDirectory(byte: limit - 20)
            }
            let wide = file.bytes(start..<start + 56)
            disk = read32(wide, 16)
            count = read64(wide, 32)
            size = read64(wide, 40)
            begin = read64(wide, 48)
            limit = start
        }
        guard disk == 0 else { throw .severalDisks }
        guard begin <= UInt64(limit), size <= UInt64(limit) - begin else {
            throw .directoryOutside(begin: begin, bytes: size, available: limit)
        }
        return (Int(begin)..<Int(begin + size), count)
    }

    /// Replaces values of all ones by the zip64 extra field; false when it is missing or too short.
    private static func widen(
        _ bytes: [UInt8], _ extra: Range<Int>, _ plain: inout UInt64, _ stored: inout UInt64, _ offset: inout UInt64
    ) -> Bool {
        let marker = UInt64(UInt32.max)
        guard plain == marker || stored == marker || offset == marker else { return true }
        var position = extra.lowerBound
        while position + 4 <= extra.upperBound {
            let end = position + 4 + Int(read16(bytes, position + 2))
            guard end <= extra.upperBound else { return false }
            if read16(bytes, position) == 1 {
                var field = position + 4
                func wide(_ value: inout UInt64) -> Bool {
                    guard value == marker else { return true }
                    guard field + 8 <= end else { return false }
                    value = read64(bytes, field)
                    field += 8
                    return true
                }
                return wide(&plain) && wide(&stored) && wide(&offset)
            }
            position = end
        }
        return false
    }

    /// The bytes of an entry, behind its local header.
    private static func dataRange(
        _ file: MappedFile, entry: String, nameBytes: [UInt8], offset: UInt64, count: UInt64, limit: Int
    ) throws(ZipFault) -> Range<Int> {
        guard let header = Int(exactly: offset), header <= limit - 30 else {
            throw .entryOutside(entry: entry, begin: offset, bytes: count, available: limit)
        }
        let local = file.bytes(header..<header + 30)
        guard read32(local, 0) == 0x0403_4b50 else { throw .damagedEntry(entry: entry, byte: header) }
        let nameEnd = header + 30 + Int(read16(local, 26))
        let begin = nameEnd + Int(read16(local, 28))
        guard begin <= limit, count <= UInt64(limit - begin) else {
            throw .entryOutside(entry: entry, begin: UInt64(begin), bytes: count, available: limit)
        }
        let localName = file.bytes(header + 30..<nameEnd)
        guard localName == nameBytes else {
            throw .nameMismatch(entry: entry, local: String(decoding: localName, as: UTF8.self))
        }
        return begin..<begin + Int(count)
    }
}

// Little-endian numbers; the callers have checked that the bytes are there.
private func read16(_ bytes: [UInt8], _ at: Int) -> UInt16 { UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
private func read32(_ bytes: [UInt8], _ at: Int) -> UInt32 { UInt32(read16(bytes, at)) | UInt32(read16(bytes, at + 2)) << 16 }
private func read64(_ bytes: [UInt8], _ at: Int) -> UInt64 { UInt64(read32(bytes, at)) | UInt64(read32(bytes, at + 4)) << 32 }
