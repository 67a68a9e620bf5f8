/// Why a pickle is refused: at which byte, and what was found where something else belongs.
public enum PickleFault: Error, Equatable, CustomStringConvertible {
    case forbidden(name: String, byte: Int)
    /// No tensors but in an instance of a class that is not looked into.
    case foreign(name: String)
    case tooLarge(bytes: Int, maximum: Int)
    case tooManySteps(maximum: Int)
    case truncated(byte: Int)
    case protocolVersion(found: Int)
    case unknownOpcode(opcode: UInt8, byte: Int)
    case emptyStack(byte: Int)
    case noMark(byte: Int)
    case noMemo(index: Int, byte: Int)
    case notUTF8(byte: Int)
    case wrongType(operation: String, expected: String, found: String, byte: Int)
    case trailingBytes(byte: Int, count: Int)

    public var description: String {
        let again = "; save the checkpoint again with torch.save"
        switch self {
        case .forbidden(let name, let byte):
            return "pickle: byte \(byte) asks for `\(shortened(name))`, which is not on the list of plain data and is never loaded; "
                + "in Python save model.state_dict() alone"
        case .foreign(let name):
            return
                "pickle: holds an instance of `\(name)` and no state dict; classes are never loaded: in Python save model.state_dict() alone"
        case .tooLarge(let bytes, let maximum): return "pickle: \(bytes) bytes, at most \(maximum) are read; save the state dict alone"
        case .tooManySteps(let maximum): return "pickle: more than \(maximum) steps; save the state dict alone"
        case .truncated(let byte): return "pickle: ends at byte \(byte) in the middle of an operation" + again
        case .protocolVersion(let found): return "pickle: protocol \(found), known are 2 to 5" + again
        case .unknownOpcode(let opcode, let byte):
            return "pickle: operation 0x\(String(opcode, radix: 16)) at byte \(byte) is not among those torch.save writes" + again
        case .emptyStack(let byte): return "pickle: the operation at byte \(byte) finds the stack empty" + again
        case .noMark(let byte): return "pickle: the operation at byte \(byte) finds no mark on the stack" + again
        case .noMemo(let index, let byte): return "pickle: byte \(byte) refers to memo \(index), which was never set" + again
        case .notUTF8(let byte): return "pickle: the text at byte \(byte) is not UTF-8" + again
        case .wrongType(let operation, let expected, let found, let byte):
            return "pickle: \(operation) at byte \(byte) needs \(expected) but finds \(found)" + again
        case .trailingBytes(let byte, let count): return "pickle: \(count) bytes follow its end at byte \(byte)" + again
        }
    }
}
