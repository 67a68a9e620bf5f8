/// A lookup table of a DICOM file: modality, values of interest, or one colour of a palette (PS3.3 C.11.1, C.11.2, C.7.6.3.1.5).
struct DICOMLookupTable: Equatable {
    /// The value that the first entry belongs to; smaller values take the first entry, larger ones than the table has the last.
    let first: Int
    /// Bits that entries are meant to have, 1 to 16.
    let bits: Int
    let entries: [UInt16]

    subscript(value: Int) -> Int { Int(entries[min(max(value - first, 0), entries.count - 1)]) }

    /// The largest value that an entry can have.
    var limit: Int { 1 << bits - 1 }

    /// The entry as 8 bits: its high ones.
    func byte(of value: Int) -> UInt8 { UInt8(bits >= 8 ? min(self[value], limit) >> (bits - 8) : min(self[value], limit) * 255 / limit) }

    /// - Parameters:
    ///   - place: the item that holds the table.
    ///   - data: the element of the entries, one byte or one word each.
    ///   - segmented: the element of run descriptions, read where `data` is absent.
    /// - Returns: nil where there is no table.
    init?(
        _ file: DICOMFile, in place: DICOMHandle.Place, descriptor: UInt32 = DICOMTag.lutDescriptor, data: UInt32 = DICOMTag.lutData,
        segmented: UInt32? = nil
    ) throws(ImageError) {
        let handle = file.handle
        guard let count = handle.integer(descriptor, in: place), var first = handle.integer(descriptor, index: 1, in: place),
            let bits = handle.integer(descriptor, index: 2, in: place)
        else { return nil }
        // 65536 entries do not fit the descriptor, so they are written as 0; the type of the first value follows that of the pixels.
        let entryCount = count == 0 ? 1 << 16 : count & 0xFFFF
        if file.header.isSigned && first >= 1 << 15 { first -= 1 << 16 }
        guard (1...16).contains(bits) else { throw file.damaged("a lookup table has entries of \(bits) bits") }
        (self.first, self.bits) = (first, bits)
        if let length = handle.byteCount(data, in: place) {
            let width = length >= 2 * entryCount ? 2 : 1
            guard length >= entryCount else { throw file.damaged("a lookup table of \(entryCount) entries has \(length) bytes") }
            let bytes = handle.bytes(data, in: place, count: width * entryCount)
            entries = (0..<entryCount).map { width == 1 ? UInt16(bytes[$0]) : UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
        } else if let segmented, let length = handle.byteCount(segmented, in: place) {
            let bytes = handle.bytes(segmented, in: place, count: length)
            let words =
                bits > 8
                ? stride(from: 0, to: length - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 } : bytes.map { UInt16($0) }
            guard let expanded = Self.expanded(words, isWide: bits > 8), expanded.count >= entryCount else {
                throw file.damaged("a segmented lookup table does not give \(entryCount) entries")
            }
            entries = Array(expanded.prefix(entryCount))
        } else {
            throw file.damaged("a lookup table has a descriptor and no entries")
        }
    }

    /// Segments as entries (PS3.3 C.7.9.2): runs of values, straight lines from the entry before, and repeated groups of segments.
    ///
    /// - Returns: nil where a segment leaves the data, begins a line without an entry before, or the table exceeds 65536 entries.
    static func expanded(_ words: [UInt16], isWide: Bool) -> [UInt16]? {
        var out: [UInt16] = []
        // An offset counts bytes: two words of 16 bits, or four of 8.
        func repeated(_ at: Int) -> Int {
            let parts = words[at + 2..<at + (isWide ? 4 : 6)]
            return parts.reversed().reduce(0) { $0 << (isWide ? 16 : 8) | Int($1) } / (isWide ? 2 : 1)
        }
        func expand(from start: Int, segments: Int, mayRepeat: Bool) -> Bool {
            var at = start
            var left = segments
            while left > 0 && at + 1 < words.count {
                let length = Int(words[at + 1])
                switch words[at] {
                case 0:
                    guard at + 2 + length <= words.count else { return false }
                    out += words[at + 2..<at + 2 + length]
                    at += 2 + length
                case 1:
                    guard at + 3 <= words.count, let from = out.last else { return false }
                    let step = (Double(words[at + 2]) - Double(from)) / Double(max(1, length))
                    for i in 1..<length + 1 { out.append(UInt16((Double(from) + step * Double(i)).rounded(.toNearestOrEven))) }
                    at += 3
                case 2:
                    guard mayRepeat, at + (isWide ? 4 : 6) <= words.count, repeated(at) < words.count,
                        expand(from: repeated(at), segments: length, mayRepeat: false)
                    else { return false }
                    at += isWide ? 4 : 6
                default: return false
                }
                guard out.count <= 1 << 16 else { return false }
                left -= 1
            }
            return true
        }
        return expand(from: 0, segments: .max, mayRepeat: true) ? out : nil
    }
}
