import VitrineTensor

/// An array read from an NPY file: its shape, and its values in row-major order as Float32.
public struct NPYArray: Sendable, Equatable {
    /// Sizes from the slowest to the fastest dimension.
    public var shape: [Int]
    /// As many values as the product of `shape`.
    public var values: [Float]

    public init(shape: [Int], values: [Float]) {
        self.shape = shape
        self.values = values
    }
}

/// Why an NPY file could not be read or written.
public enum NPYError: Error, CustomStringConvertible, Equatable, Sendable {
    case unreadable(path: String, reason: String)
    case notNPY(path: String)
    case unsupportedVersion(path: String, major: Int, minor: Int)
    case truncatedHeader(path: String, needed: Int, found: Int)
    case malformedHeader(path: String, reason: String)
    case unsupportedType(path: String, descriptor: String)
    case tooLarge(path: String, shape: [Int], limit: Int)
    case sizeMismatch(path: String, shape: [Int], expectedBytes: Int, foundBytes: Int)
    case countMismatch(path: String, shape: [Int], values: Int)
    case cannotWrite(path: String, reason: String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read (\(reason))"
        case .notNPY(let path): "\(path): is no NPY file (its first bytes are not \\x93NUMPY); write it with numpy.save"
        case .unsupportedVersion(let path, let major, let minor):
            "\(path): is NPY version \(major).\(minor); versions 1.0, 2.0 and 3.0 can be read, save it again"
        case .truncatedHeader(let path, let needed, let found):
            "\(path): its header needs \(needed) bytes and the file has \(found); copy it again"
        case .malformedHeader(let path, let reason): "\(path): its header is malformed (\(reason)); write it with numpy.save"
        case .unsupportedType(let path, let descriptor):
            "\(path): holds \(descriptor); use array.astype('float32') before saving"
        case .tooLarge(let path, let shape, let limit):
            """
            \(path): declares shape \(shape), more than the \(limit) values allowed; save a smaller array, or raise the limit (millions of \
            values in \(ImageLimits.variable))
            """
        case .sizeMismatch(let path, let shape, let expected, let found):
            "\(path): shape \(shape) needs \(expected) bytes of data and \(found) follow the header; copy or save it again"
        case .countMismatch(let path, let shape, let values): "\(path): \(values) values do not fill shape \(shape)"
        case .cannotWrite(let path, let reason): "\(path): cannot be written (\(reason))"
        }
    }
}

/// NumPy's array files (format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
public enum NPY {
    static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

    /// Reads booleans, integers of 8 to 64 bits and floats of 16 to 64 bits, of either byte order and memory order.
    ///
    /// Values become Float32: integers beyond 2^24 and doubles are rounded to nearest. Pickled objects are refused, never
    /// executed; so is a file with fewer or more bytes than its shape needs.
    ///
    /// - Parameter mostValues: more values are refused from the header, before memory for them is asked for.
    public static func read(_ path: String, mostValues: Int = ImageLimits.default.pixels * 3) throws(NPYError) -> NPYArray {
        // Room for the largest type and the header.
        let limits = ImageLimits(pixels: mostValues, fileBytes: mostValues * 8 + 1 << 17)
        func bytes(first count: Int?) throws(NPYError) -> [UInt8] {
            do throws(ImageError) { return try wholeFile(path, limits: limits, first: count) } catch {
                switch error {
                case .unreadable(_, let reason): throw .unreadable(path: path, reason: reason)
                case .fileTooLarge(_, let bytes, let limit):
                    throw .unreadable(path: path, reason: "it has \(bytes) bytes, more than the \(limit) allowed")
                default: throw .unreadable(path: path, reason: "\(error)")
                }
            }
        }
        // The header first: an array that is too large is not read at all.
        _ = try checkedHeader(bytes(first: 1 << 16 + 12), path, mostValues)
        return try read(encoded: bytes(first: nil), source: path, mostValues: mostValues)
    }

    /// Reads an array file that is already in memory; `source` names it in errors.
    public static func read(
        encoded bytes: [UInt8], source path: String = "array in memory", mostValues: Int = ImageLimits.default.pixels * 3
    ) throws(NPYError) -> NPYArray {
        let (header, type, start, count) = try checkedHeader(bytes, path, mostValues)
        let (expected, found) = (count * type.size, bytes.count - start)
        guard expected == found else {
            throw .sizeMismatch(path: path, shape: header.shape, expectedBytes: expected, foundBytes: found)
        }
        var values = type.decode(bytes, from: start, count: count)
        if header.isFortranOrder && header.shape.count > 1 { values = rowMajor(values, shape: header.shape) }
        return NPYArray(shape: header.shape, values: values)
    }

    /// The header, the type and number of its values, and where they begin; refuses what cannot be read.
    private static func checkedHeader(
        _ bytes: [UInt8], _ path: String, _ mostValues: Int
    ) throws(NPYError) -> (header: NPYHeader, type: ElementType, start: Int, count: Int) {
        guard bytes.count >= 6 && bytes.starts(with: magic) else { throw .notNPY(path: path) }
        guard bytes.count >= 10 else { throw .truncatedHeader(path: path, needed: 10, found: bytes.count) }
        let (major, minor) = (Int(bytes[6]), Int(bytes[7]))
        guard (1...3).contains(major) && minor == 0 else { throw .unsupportedVersion(path: path, major: major, minor: minor) }
        let start = major == 1 ? 10 : 12
        guard bytes.count >= start else { throw .truncatedHeader(path: path, needed: start, found: bytes.count) }
        let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= bytes.count - start else { throw .truncatedHeader(path: path, needed: start + length, found: bytes.count) }
        guard length <= 1 << 16 else { throw .malformedHeader(path: path, reason: "\(length) bytes long") }
        var parser = NPYHeaderParser(text: Array(bytes[start..<start + length]))
        let header: NPYHeader
        do throws(NPYHeaderParser.Failure) { header = try parser.parse() } catch {
            throw .malformedHeader(path: path, reason: error.reason)
        }
        guard let type = ElementType(descriptor: header.descriptor) else {
            throw .unsupportedType(path: path, descriptor: header.descriptor)
        }
        var count = 1
        for size in header.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow && product <= 1 << 40 else { throw .tooLarge(path: path, shape: header.shape, limit: mostValues) }
            count = product
        }
        guard count <= mostValues else { throw .tooLarge(path: path, shape: header.shape, limit: mostValues) }
        return (header, type, start + length, count)
    }

    /// Writes Float32 values as a version 1.0 file whose data start at a multiple of 64 bytes, atomically.
    public static func write(_ values: [Float], shape: [Int], to path: String) throws(NPYError) {
        guard shape.allSatisfy({ $0 >= 0 }), shape.reduce(1, *) == values.count else {
            throw .countMismatch(path: path, shape: shape, values: values.count)
        }
        do throws(AtomicFile.Failure) { try AtomicFile.write(encoded(values, shape: shape), to: path) } catch {
            throw .cannotWrite(path: path, reason: error.reason)
        }
    }

    /// The bytes of the file that `write` makes.
    public static func encoded(_ values: [Float], shape: [Int]) -> [UInt8] {
        precondition(shape.reduce(1, *) == values.count, "\(values.count) values do not fill shape \(shape)")
        var bytes = header(descriptor: "<f4", shape: shape)
        bytes.reserveCapacity(bytes.count + 4 * values.count)
        for value in values {
            let bits = value.bitPattern
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 8))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 16))
            bytes.append(UInt8(truncatingIfNeeded: bits >> 24))
        }
        return bytes
    }

    /// What stands in front of the values: `descriptor` is NumPy's name of the element type, such as `<f4`.
    static func header(descriptor: String, shape: [Int]) -> [UInt8] {
        let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var header = Array("{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(sizes)), }".utf8)
        let total = (10 + header.count + 1 + 63) / 64 * 64
        header += [UInt8](repeating: 0x20, count: total - 11 - header.count) + [0x0A]
        return magic + [1, 0, UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header
    }

    private static func rowMajor(_ values: [Float], shape: [Int]) -> [Float] {
        var out = values
        var index = [Int](repeating: 0, count: shape.count)
        var strides = [Int](repeating: 1, count: shape.count)
        for d in 1..<shape.count { strides[d] = strides[d - 1] * shape[d - 1] }
        var position = 0
        for i in out.indices {
            out[i] = values[position]
            var d = shape.count - 1
            while d >= 0 {
                index[d] += 1
                position += strides[d]
                if index[d] < shape[d] { break }
                position -= strides[d] * shape[d]
                index[d] = 0
                d -= 1
            }
        }
        return out
    }
}

/// The type of the elements of an NPY file: kind, size and byte order.
private struct ElementType {
    enum Kind { case boolean, signed, unsigned, float }
    let kind: Kind
    let size: Int
    let isBigEndian: Bool

    init?(descriptor: String) {
        var text = Array(descriptor.utf8)
        guard let order = text.first else { return nil }
        if [0x3C, 0x3E, 0x7C, 0x3D].contains(order) { text.removeFirst() }
        isBigEndian = order == 0x3E
        switch String(decoding: text, as: UTF8.self) {
        case "b1", "?": (kind, size) = (.boolean, 1)
        case "i1": (kind, size) = (.signed, 1)
        case "i2": (kind, size) = (.signed, 2)
        case "i4": (kind, size) = (.signed, 4)
        case "i8": (kind, size) = (.signed, 8)
        case "u1": (kind, size) = (.unsigned, 1)
        case "u2": (kind, size) = (.unsigned, 2)
        case "u4": (kind, size) = (.unsigned, 4)
        case "u8": (kind, size) = (.unsigned, 8)
        case "f2": (kind, size) = (.float, 2)
        case "f4": (kind, size) = (.float, 4)
        case "f8": (kind, size) = (.float, 8)
        default: return nil
        }
    }

    func decode(_ bytes: [UInt8], from start: Int, count: Int) -> [Float] {
        var out = [Float](repeating: 0, count: count)
        for i in 0..<count {
            var word: UInt64 = 0
            let at = start + i * size
            for b in 0..<size { word = word << 8 | UInt64(bytes[isBigEndian ? at + b : at + size - 1 - b]) }
            switch (kind, size) {
            case (.boolean, _): out[i] = word == 0 ? 0 : 1
            case (.unsigned, _): out[i] = Float(word)
            case (.signed, _):
                let shift = UInt64(64 - 8 * size)
                out[i] = Float(Int64(bitPattern: word << shift) >> Int64(shift))
            case (.float, 2): out[i] = Float(Float16(bitPattern: UInt16(word)))
            case (.float, 4): out[i] = Float(bitPattern: UInt32(word))
            default: out[i] = Float(Double(bitPattern: word))
            }
        }
        return out
    }
}

private struct NPYHeader {
    let descriptor: String
    let isFortranOrder: Bool
    let shape: [Int]
}

/// Reads the header's Python dictionary: exactly the keys `descr`, `fortran_order` and `shape`, once each.
private struct NPYHeaderParser {
    struct Failure: Error { let reason: String }

    let text: [UInt8]
    var at = 0

    init(text: [UInt8]) { self.text = text }

    mutating func parse() throws(Failure) -> NPYHeader {
        var descriptor: String?
        var isFortranOrder: Bool?
        var shape: [Int]?
        try expect("{")
        while !accept("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr" where descriptor == nil:
                skipSpace()
                guard at < text.count, text[at] == 0x27 || text[at] == 0x22 else {
                    descriptor = "a structured type"
                    // Fields are never looked into: the caller refuses the type by its name.
                    return NPYHeader(descriptor: "a structured type", isFortranOrder: false, shape: [])
                }
                descriptor = try string()
            case "fortran_order" where isFortranOrder == nil:
                if accept("True") {
                    isFortranOrder = true
                } else if accept("False") {
                    isFortranOrder = false
                } else {
                    throw Failure(reason: "fortran_order is neither True nor False")
                }
            case "shape" where shape == nil: shape = try sizes()
            default: throw Failure(reason: "key '\(key)' is unknown or stands twice")
            }
            if !accept(",") {
                try expect("}")
                break
            }
        }
        skipSpace()
        guard at == text.count else { throw Failure(reason: "text after the closing brace") }
        guard let descriptor, let isFortranOrder, let shape else { throw Failure(reason: "descr, fortran_order or shape is missing") }
        return NPYHeader(descriptor: descriptor, isFortranOrder: isFortranOrder, shape: shape)
    }

    private mutating func skipSpace() {
        while at < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
    }

    private mutating func accept(_ token: String) -> Bool {
        skipSpace()
        guard text[at...].starts(with: token.utf8) else { return false }
        at += token.utf8.count
        return true
    }

    private mutating func expect(_ token: String) throws(Failure) {
        guard accept(token) else { throw Failure(reason: "'\(token)' is missing at byte \(at)") }
    }

    private mutating func string() throws(Failure) -> String {
        skipSpace()
        guard at < text.count, text[at] == 0x27 || text[at] == 0x22 else { throw Failure(reason: "a quoted word is missing at byte \(at)") }
        let quote = text[at]
        guard let end = text[(at + 1)...].firstIndex(of: quote) else { throw Failure(reason: "a quote is not closed") }
        defer { at = end + 1 }
        return String(decoding: text[(at + 1)..<end], as: UTF8.self)
    }

    private mutating func sizes() throws(Failure) -> [Int] {
        var sizes: [Int] = []
        try expect("(")
        while !accept(")") {
            skipSpace()
            var digits = ""
            while at < text.count, (0x30...0x39).contains(text[at]) {
                digits.append(Character(Unicode.Scalar(text[at])))
                at += 1
            }
            guard let size = Int(digits) else { throw Failure(reason: "a size in shape is not a number") }
            sizes.append(size)
            guard sizes.count <= 32 else { throw Failure(reason: "more than 32 dimensions") }
            if !accept(",") {
                try expect(")")
                break
            }
        }
        return sizes
    }
}
