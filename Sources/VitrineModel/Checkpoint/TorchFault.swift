/// What is wrong with a PyTorch zip archive whose zip and pickle are sound: which tensor, and which two values disagree.
public enum TorchFault: Error, Equatable, CustomStringConvertible {
    case noPickle(firstEntry: String)
    case severalPickles(first: String, second: String)
    case torchScript
    case byteOrder(found: String)
    case missingStorage(tensor: String, key: String)
    case storageTooShort(tensor: String, key: String, declared: Int, actual: Int)
    case negative(tensor: String, what: String, value: Int)
    case overflow(tensor: String, shape: [Int])
    case outsideStorage(tensor: String, needed: Int, available: Int)
    case negatedView(tensor: String)
    case nestedTooDeeply(name: String, maximum: Int)
    case tooManyValues(maximum: Int)
    case expandsTooFar(bytes: Int, fileBytes: Int)

    public var description: String {
        let again = "; save the checkpoint again with torch.save"
        switch self {
        case .noPickle(let firstEntry):
            return
                "a zip archive without data.pkl (first entry '\(shortened(firstEntry))') is not a PyTorch checkpoint; name a file of torch.save"
        case .severalPickles(let first, let second):
            return "holds both '\(shortened(first))' and '\(shortened(second))', a PyTorch checkpoint has one data.pkl" + again
        case .torchScript: return "is a TorchScript program; in Python: torch.save(torch.jit.load(FILE).state_dict(), 'converted.pth')"
        case .byteOrder(let found): return "byte order '\(shortened(found))', known are 'little' and 'big'" + again
        case .missingStorage(let tensor, let key):
            return "tensor '\(shortened(tensor))': its storage '\(shortened(key))' is not in the archive" + again
        case .storageTooShort(let tensor, let key, let declared, let actual):
            return "tensor '\(shortened(tensor))': storage '\(shortened(key))' claims \(declared) bytes but its entry has \(actual)" + again
        case .negative(let tensor, let what, let value): return "tensor '\(shortened(tensor))': \(what) \(value) is negative" + again
        case .overflow(let tensor, let shape): return "tensor '\(shortened(tensor))': shape \(shape) and strides exceed 63 bits" + again
        case .outsideStorage(let tensor, let needed, let available):
            return "tensor '\(shortened(tensor))': reaches to byte \(needed) of a storage of \(available)" + again
        case .negatedView(let tensor): return "tensor '\(shortened(tensor))': is a negated view; call .resolve_neg() before torch.save"
        case .nestedTooDeeply(let name, let maximum):
            return "values nest deeper than \(maximum) levels at '\(name.prefix(60))'; save model.state_dict() alone"
        case .tooManyValues(let maximum): return "more than \(maximum) values; save model.state_dict() alone"
        case .expandsTooFar(let bytes, let fileBytes):
            return "its views would take \(bytes) bytes of memory, the file has \(fileBytes); call .contiguous() before torch.save"
        }
    }
}
