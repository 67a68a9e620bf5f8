/// What is wrong with a zip archive: which entry, and which two values disagree.
public enum ZipFault: Error, Equatable, CustomStringConvertible {
    case noEndRecord(bytes: Int)
    case severalDisks
    case directoryOutside(begin: UInt64, bytes: UInt64, available: Int)
    case damagedDirectory(byte: Int)
    case entryCount(declared: UInt64, found: Int)
    case compressed(entry: String, method: Int)
    case torchScript
    case encrypted(entry: String)
    case sizesDiffer(entry: String, stored: UInt64, plain: UInt64)
    case entryOutside(entry: String, begin: UInt64, bytes: UInt64, available: Int)
    case damagedEntry(entry: String, byte: Int)
    case nameMismatch(entry: String, local: String)
    case duplicateEntry(entry: String)
    case overlap(entry: String, begin: Int, previousEnd: Int)
    case nameNotUTF8(byte: Int)
    case tooLargeToWrite(bytes: Int)

    public var description: String {
        let again = "; copy or download the file again"
        switch self {
        case .noEndRecord(let bytes): return "zip: no end record in \(bytes) bytes: the file is cut short or damaged" + again
        case .severalDisks: return "zip: the archive is split over several files; join them"
        case .directoryOutside(let begin, let bytes, let available):
            return "zip: the directory claims \(bytes) bytes from \(begin) but must end before byte \(available)" + again
        case .damagedDirectory(let byte): return "zip: the directory is damaged at byte \(byte)" + again
        case .entryCount(let declared, let found): return "zip: the directory claims \(declared) entries but holds \(found)" + again
        case .compressed(let entry, let method):
            return "zip: the entry '\(shortened(entry))' is compressed (method \(method)); PyTorch stores entries plainly: "
                + "save the checkpoint again with torch.save, or unpack and zip it with `zip -0`"
        case .torchScript:
            return "is a TorchScript program; in Python: torch.save(torch.jit.load(FILE).state_dict(), 'converted.pth')"
        case .encrypted(let entry): return "zip: the entry '\(shortened(entry))' is encrypted; save the checkpoint without a password"
        case .sizesDiffer(let entry, let stored, let plain):
            return "zip: the entry '\(shortened(entry))' is stored plainly but in \(stored) bytes for \(plain)" + again
        case .entryOutside(let entry, let begin, let bytes, let available):
            return "zip: the entry '\(shortened(entry))' claims \(bytes) bytes from \(begin) but must end before byte \(available)" + again
        case .damagedEntry(let entry, let byte): return "zip: the entry '\(shortened(entry))' has no valid header at byte \(byte)" + again
        case .nameMismatch(let entry, let local):
            return "zip: the entry '\(shortened(entry))' is called '\(shortened(local))' where its bytes lie; write the file again"
        case .duplicateEntry(let entry): return "zip: the entry '\(shortened(entry))' occurs twice; write the file again"
        case .overlap(let entry, let begin, let previousEnd):
            return
                "zip: the entry '\(shortened(entry))' begins at \(begin) before its predecessor ends at \(previousEnd); write the file again"
        case .nameNotUTF8(let byte): return "zip: the entry name at byte \(byte) is not UTF-8; write the file again"
        case .tooLargeToWrite(let bytes):
            return "zip: \(bytes) bytes are beyond the 4 GiB of a plain archive; write safetensors instead"
        }
    }
}
