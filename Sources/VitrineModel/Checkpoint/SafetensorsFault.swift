/// What is wrong with a safetensors file: which key, and which two values disagree.
public enum SafetensorsFault: Error, Equatable, CustomStringConvertible {
    case tooShort(bytes: Int)
    case headerTooLong(declared: UInt64, maximum: Int)
    case headerBeyondFile(declared: Int, available: Int)
    case headerStart(found: UInt8)
    case headerNotUTF8(byte: Int)
    case syntax(byte: Int, expected: String)
    case duplicateKey(key: String)
    case duplicateField(key: String, field: String)
    case unknownField(key: String, field: String)
    case missingField(key: String, field: String)
    case unknownType(key: String, type: String)
    case numberTooLarge(byte: Int)
    case shapeOverflow(key: String, shape: [Int])
    case offsetsReversed(key: String, begin: Int, end: Int)
    case sizeMismatch(key: String, fromShape: Int, fromOffsets: Int)
    case beyondFile(key: String, end: Int, available: Int)
    case gap(key: String, begin: Int, previousEnd: Int)
    case overlap(key: String, begin: Int, previousEnd: Int)
    case trailingBytes(end: Int, available: Int)
    case cannotWrite(key: String, reason: String)

    public var description: String {
        let again = "; copy or download the file again"
        switch self {
        case .tooShort(let bytes): return "safetensors: \(bytes) bytes, at least 8 are needed for the header's length" + again
        case .headerTooLong(let declared, let maximum):
            return "safetensors: the header claims \(declared) bytes, at most \(maximum) are allowed" + again
        case .headerBeyondFile(let declared, let available):
            return "safetensors: the header claims \(declared) bytes but only \(available) follow" + again
        case .headerStart(let found): return "safetensors: the header starts with byte \(found), not with '{'" + again
        case .headerNotUTF8(let byte): return "safetensors: the header is not UTF-8 at byte \(byte)" + again
        case .syntax(let byte, let expected): return "safetensors: header byte \(byte): \(expected) expected; write the file again"
        case .duplicateKey(let key): return "safetensors: the key '\(shortened(key))' occurs twice; write the file again"
        case .duplicateField(let key, let field):
            return "safetensors: '\(shortened(key))' has the field '\(shortened(field))' twice; write the file again"
        case .unknownField(let key, let field):
            return
                "safetensors: '\(shortened(key))' has the field '\(shortened(field))', which the format does not know; write the file again"
        case .missingField(let key, let field):
            return "safetensors: '\(shortened(key))' has no field '\(shortened(field))'; write the file again"
        case .unknownType(let key, let type):
            return "safetensors: '\(shortened(key))' has the type '\(shortened(type))'; "
                + "known are \(Safetensors.types.map(\.name).joined(separator: ", ")): convert it before saving"
        case .numberTooLarge(let byte): return "safetensors: header byte \(byte): the number does not fit 63 bits; write the file again"
        case .shapeOverflow(let key, let shape):
            return "safetensors: '\(shortened(key))' of shape \(shape) has more bytes than 63 bits count; write the file again"
        case .offsetsReversed(let key, let begin, let end):
            return "safetensors: '\(shortened(key))' begins at \(begin) but ends at \(end); write the file again"
        case .sizeMismatch(let key, let fromShape, let fromOffsets):
            return
                "safetensors: '\(shortened(key))' needs \(fromShape) bytes by its shape but \(fromOffsets) by its offsets; write the file again"
        case .beyondFile(let key, let end, let available):
            return "safetensors: '\(shortened(key))' ends at byte \(end) but the data have only \(available)" + again
        case .gap(let key, let begin, let previousEnd):
            return
                "safetensors: '\(shortened(key))' begins at \(begin) but what precedes it ends at \(previousEnd) (a gap); write the file again"
        case .overlap(let key, let begin, let previousEnd):
            return
                "safetensors: '\(shortened(key))' begins at \(begin) before what precedes it ends at \(previousEnd); write the file again"
        case .trailingBytes(let end, let available):
            return "safetensors: the tensors end at byte \(end) but the data have \(available)" + again
        case .cannotWrite(let key, let reason): return "safetensors: '\(shortened(key))' cannot be written: \(reason)"
        }
    }
}
