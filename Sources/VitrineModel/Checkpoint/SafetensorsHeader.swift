import VitrineTensor

/// The JSON header of a safetensors file, parsed by its schema.
///
/// A general JSON reader hides duplicate keys and nests without bound. This one accepts an object of tensors, each with exactly
/// `dtype`, `shape` and `data_offsets`, and one `__metadata__` of strings; whatever nests otherwise is refused at its first byte, so
/// that depth costs nothing.
struct SafetensorsHeader {
    struct Item {
        let key: String
        let type: ElementType
        let shape: [Int]
        let begin: Int
        let end: Int
    }

    private(set) var items: [Item] = []
    private(set) var metadata: [String: String] = [:]

    private let bytes: [UInt8]
    private var position = 0

    /// - Parameter bytes: the header without its length.
    init(_ bytes: [UInt8]) throws(SafetensorsFault) {
        self.bytes = bytes
        guard let first = bytes.first else { throw .syntax(byte: 0, expected: "'{'") }
        guard first == UInt8(ascii: "{") else { throw .headerStart(found: first) }
        do { _ = try UTF8Span(validating: bytes.span) } catch { throw .headerNotUTF8(byte: error.byteOffsets.lowerBound) }

        var seen = Set<String>()
        try parseObject { (parser, key) throws(SafetensorsFault) in
            guard seen.insert(key).inserted else { throw .duplicateKey(key: key) }
            if key == "__metadata__" { try parser.parseMetadata() } else { try parser.parseItem(key) }
        }
        skipSpace()
        guard position == bytes.count else { throw .syntax(byte: position, expected: "the end of the header") }
    }

    private mutating func parseMetadata() throws(SafetensorsFault) {
        try parseObject { (parser, key) throws(SafetensorsFault) in
            let value = try parser.parseString()
            guard parser.metadata.updateValue(value, forKey: key) == nil else {
                throw .duplicateField(key: "__metadata__", field: key)
            }
        }
    }

    private mutating func parseItem(_ key: String) throws(SafetensorsFault) {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        var offsetsByte = 0
        try parseObject { (parser, field) throws(SafetensorsFault) in
            switch field {
            case "dtype":
                guard typeName == nil else { throw .duplicateField(key: key, field: field) }
                typeName = try parser.parseString()
            case "shape":
                guard shape == nil else { throw .duplicateField(key: key, field: field) }
                shape = try parser.parseNumbers()
            case "data_offsets":
                guard offsets == nil else { throw .duplicateField(key: key, field: field) }
                parser.skipSpace()
                offsetsByte = parser.position
                offsets = try parser.parseNumbers()
            default: throw .unknownField(key: key, field: field)
            }
        }
        guard let typeName else { throw .missingField(key: key, field: "dtype") }
        guard let shape else { throw .missingField(key: key, field: "shape") }
        guard let offsets else { throw .missingField(key: key, field: "data_offsets") }
        guard let type = Safetensors.types.first(where: { $0.name == typeName })?.type else {
            throw .unknownType(key: key, type: typeName)
        }
        guard offsets.count == 2 else { throw .syntax(byte: offsetsByte, expected: "two data_offsets") }
        items.append(Item(key: key, type: type, shape: shape, begin: offsets[0], end: offsets[1]))
    }

    // MARK: JSON

    private mutating func parseObject(
        _ member: (inout SafetensorsHeader, String) throws(SafetensorsFault) -> Void
    ) throws(SafetensorsFault) {
        try expect("{")
        if take("}") { return }
        repeat {
            let key = try parseString()
            try expect(":")
            try member(&self, key)
        } while take(",")
        try expect("}")
    }

    private mutating func parseNumbers() throws(SafetensorsFault) -> [Int] {
        try expect("[")
        var numbers: [Int] = []
        if take("]") { return numbers }
        repeat { numbers.append(try parseNumber()) } while take(",")
        try expect("]")
        return numbers
    }

    /// A whole number, not negative, without leading zeros, fraction or exponent.
    private mutating func parseNumber() throws(SafetensorsFault) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while let byte = current, byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !tooLarge && !carried else { throw .numberTooLarge(byte: start) }
            value = sum
            position += 1
        }
        guard position > start, position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
            throw .syntax(byte: start, expected: "a whole number")
        }
        return value
    }

    private mutating func parseString() throws(SafetensorsFault) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while true {
            guard let byte = current else { throw .syntax(byte: position, expected: "the end of a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: try parseEscape())
            case 0..<0x20: throw .syntax(byte: position - 1, expected: "an escaped control character")
            default: text.append(byte)
            }
        }
    }

    private mutating func parseEscape() throws(SafetensorsFault) -> [UInt8] {
        let start = position - 1
        guard let byte = current else { throw .syntax(byte: position, expected: "an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "u"):
            var code = try parseHexadecimal()
            if code >= 0xd800 && code < 0xdc00 && current == UInt8(ascii: "\\") {
                position += 1
                guard current == UInt8(ascii: "u") else { throw .syntax(byte: start, expected: "a pair of surrogates") }
                position += 1
                let low = try parseHexadecimal()
                guard low >= 0xdc00 && low < 0xe000 else { throw .syntax(byte: start, expected: "a pair of surrogates") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw .syntax(byte: start, expected: "a pair of surrogates") }
            return Array(String(Character(scalar)).utf8)
        default: throw .syntax(byte: start, expected: "an escape")
        }
    }

    private mutating func parseHexadecimal() throws(SafetensorsFault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw .syntax(byte: position, expected: "four hexadecimal digits")
            }
            code = code << 4 + UInt32(digit)
            position += 1
        }
        return code
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsFault) {
        guard take(character) else { throw .syntax(byte: position, expected: "'\(character)'") }
    }
}
