import VitrineTensor

/// The safetensors format: eight bytes of length, a JSON header, then the tensors without gaps
/// (https://github.com/huggingface/safetensors#format).
public enum Safetensors {
    /// The largest header that is read; the limit of the reference implementation.
    public static let maximumHeaderBytes = 100_000_000

    static let types: [(name: String, type: ElementType)] = [
        ("F32", .float32), ("F16", .float16), ("BF16", .bfloat16), ("F64", .float64), ("I64", .int64), ("I32", .int32), ("I16", .int16),
        ("I8", .int8), ("U64", .uint64), ("U32", .uint32), ("U16", .uint16), ("U8", .uint8), ("BOOL", .bool),
    ]

    static func read(_ file: MappedFile) throws(CheckpointError) -> CheckpointFile {
        let start: Int
        let header: SafetensorsHeader
        let items: [SafetensorsHeader.Item]
        do throws(SafetensorsFault) {
            (start, header) = try readHeader(file)
            items = try checked(header.items, dataCount: file.count - start)
        } catch { throw .safetensors(path: file.path, error) }
        let entries = items.map { item in
            (item.key, TensorEntry(name: item.key, type: item.type, shape: item.shape, byteOffset: start + item.begin, file: file))
        }
        return try CheckpointFile(
            file: file, format: .safetensors, groups: [TensorGroup(path: [], entries: entries)], metadata: header.metadata)
    }

    private static func readHeader(_ file: MappedFile) throws(SafetensorsFault) -> (start: Int, header: SafetensorsHeader) {
        guard file.count >= 8 else { throw .tooShort(bytes: file.count) }
        let declared = file.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard declared <= UInt64(maximumHeaderBytes) else { throw .headerTooLong(declared: declared, maximum: maximumHeaderBytes) }
        guard Int(declared) <= file.count - 8 else { throw .headerBeyondFile(declared: Int(declared), available: file.count - 8) }
        let start = 8 + Int(declared)
        return (start, try SafetensorsHeader(file.bytes(8..<start)))
    }

    /// The items in the order of their bytes, after checking that they fill `dataCount` bytes exactly.
    private static func checked(_ items: [SafetensorsHeader.Item], dataCount: Int) throws(SafetensorsFault) -> [SafetensorsHeader.Item] {
        for item in items {
            guard let needed = checkedProduct(item.shape, times: item.type.byteCount) else {
                throw .shapeOverflow(key: item.key, shape: item.shape)
            }
            guard item.begin <= item.end else { throw .offsetsReversed(key: item.key, begin: item.begin, end: item.end) }
            guard needed == item.end - item.begin else {
                throw .sizeMismatch(key: item.key, fromShape: needed, fromOffsets: item.end - item.begin)
            }
            guard item.end <= dataCount else { throw .beyondFile(key: item.key, end: item.end, available: dataCount) }
        }
        let ordered = items.sorted { ($0.begin, $0.end, $0.key) < ($1.begin, $1.end, $1.key) }
        var end = 0
        for item in ordered {
            if item.begin > end { throw .gap(key: item.key, begin: item.begin, previousEnd: end) }
            if item.begin < end { throw .overlap(key: item.key, begin: item.begin, previousEnd: end) }
            end = item.end
        }
        guard end == dataCount else { throw .trailingBytes(end: end, available: dataCount) }
        return ordered
    }

    /// Writes tensors under their names, in alphabetical order, as float32 or float16; the file appears once it is complete.
    ///
    /// - Parameter metadata: text stored beside the tensors.
    /// - Throws: `CheckpointError.unwritable`; `.safetensors` for the reserved name `__metadata__` or a header beyond the limit.
    public static func write(
        _ tensors: [String: Tensor], metadata: [String: String] = [:], type: ElementType = .float32, to path: String
    ) throws(CheckpointError) {
        precondition(type == .float32 || type == .float16, "safetensors are written as float32 or float16")
        guard tensors["__metadata__"] == nil else {
            throw .safetensors(path: path, .cannotWrite(key: "__metadata__", reason: "the name is reserved; choose another"))
        }
        let typeName = type == .float32 ? "F32" : "F16"
        let names = tensors.keys.sorted()
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for name in names {
            let shape = tensors[name]!.shape
            let end = offset + shape.count * type.byteCount
            let extents = shape.dimensions.map(String.init).joined(separator: ",")
            members.append("\(quoted(name)):{\"dtype\":\"\(typeName)\",\"shape\":[\(extents)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        // Padded so that the numbers start at a multiple of eight bytes and can be mapped.
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        guard header.count <= maximumHeaderBytes else {
            throw .safetensors(path: path, .headerTooLong(declared: UInt64(header.count), maximum: maximumHeaderBytes))
        }
        do throws(AtomicFile.Failure) {
            var file = try AtomicFile(path: path)
            try file.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) })
            try file.write(header)
            for name in names { try file.write(tensors[name]!, as: type) }
            try file.commit()
        } catch { throw .unwritable(error) }
    }

    /// A JSON string.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// The product of extents and a factor, or `nil` where it does not fit 63 bits.
///
/// The product over the extents that are not zero is checked too, so that strides derived from any shape fit.
func checkedProduct(_ extents: [Int], times factor: Int = 1) -> Int? {
    var product = factor
    var hasZero = false
    for extent in extents {
        if extent == 0 {
            hasZero = true
            continue
        }
        let (next, overflow) = product.multipliedReportingOverflow(by: extent)
        if overflow { return nil }
        product = next
    }
    return hasZero ? 0 : product
}
