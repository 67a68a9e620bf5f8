import VitrineTensor

/// Why a checkpoint cannot be opened, read or written.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    case unreadable(MappedFile.Failure)
    case unwritable(AtomicFile.Failure)
    case safetensors(path: String, SafetensorsFault)
    case zip(path: String, ZipFault)
    case pickle(path: String, PickleFault)
    case torch(path: String, TorchFault)
    case unknownFormat(path: String, firstBytes: [UInt8])
    case noCheckpoint(folder: String, names: [String])
    case malformedIndex(path: String, reason: String)
    case gitLFSPointer(path: String)
    case numpy(path: String, reason: String)
    case webPage(path: String)
    case legacyPyTorch(path: String)
    case legacyTar(path: String)
    case duplicateName(path: String, tensor: String)
    case noSuchTensor(path: String, tensor: String, count: Int)
    case noStateDict(path: String, found: [String])
    case noSuchKey(path: String, key: String, found: [String])
    case noSuchPrefix(path: String, prefix: String, firstKey: String)
    case severalModels(path: String, prefixes: [String])
    case tooManyDimensions(path: String, tensor: String, shape: [Int], maximum: Int)

    public var description: String {
        switch self {
        case .unreadable(let failure): failure.description
        case .unwritable(let failure): failure.description
        case .safetensors(let path, let fault): "\(path): \(fault)"
        case .zip(let path, let fault): "\(path): \(fault)"
        case .pickle(let path, let fault): "\(path): \(fault)"
        case .torch(let path, let fault): "\(path): \(fault)"
        case .unknownFormat(let path, let bytes):
            "\(path): is neither safetensors nor a PyTorch zip archive (first bytes \(bytes.map(hexadecimal).joined(separator: " "))); "
                + "save it as one of these"
        case .noCheckpoint(let folder, let names):
            "\(folder): is a folder without a checkpoint of a usual name (\(names.joined(separator: ", "))); name the file"
        case .malformedIndex(let path, let reason): "\(path): \(reason); download the index and all its shards again"
        case .numpy(let path, let reason): "\(path): \(reason)"
        case .gitLFSPointer(let path): "\(path): is a Git LFS pointer, not the checkpoint itself; run `git lfs pull`"
        case .webPage(let path): "\(path): is a web page, not a checkpoint; the download went wrong, repeat it"
        case .legacyPyTorch(let path): "\(path): is a PyTorch file of before version 1.6 or a bare pickle; " + conversion(path)
        case .legacyTar(let path): "\(path): is a PyTorch tar file of before version 0.1.10; " + conversion(path)
        case .duplicateName(let path, let tensor):
            "\(path): two tensors are called '\(shortened(tensor))'; save the file again from one state dict"
        case .noSuchTensor(let path, let tensor, let count):
            "\(path): has no tensor '\(shortened(tensor))' among its \(count)"
        case .noStateDict(let path, let found):
            "\(path): no dictionary in it is plainly a model's; tensors are under \(listed(found)): choose one"
        case .noSuchKey(let path, let key, let found):
            "\(path): holds no tensors under '\(shortened(key))'; tensors are under \(listed(found)): choose one"
        case .noSuchPrefix(let path, let prefix, let firstKey):
            "\(path): no tensor's name starts with '\(shortened(prefix))'; the first is '\(shortened(firstKey))'"
        case .severalModels(let path, let prefixes):
            "\(path): holds several models, under the prefixes \(listed(prefixes)): choose one"
        case .tooManyDimensions(let path, let tensor, let shape, let maximum):
            "\(path): tensor '\(shortened(tensor))' has \(shape.count) dimensions, at most \(maximum) can be read; reshape it before saving"
        }
    }

    /// The line of Python that turns an old file into one we read.
    private func conversion(_ path: String) -> String {
        let stem = path.split(separator: "/").last.map(String.init) ?? path
        return "convert it with: python -c \"import torch; torch.save(torch.load('\(stem)', map_location='cpu'), 'converted.pth')\""
    }
}

private func listed(_ names: [String]) -> String {
    let quoted = names.map { $0.isEmpty ? "the outermost dictionary" : "'\(shortened($0))'" }
    return quoted.isEmpty ? "no key at all" : enumerated(quoted, shortens: false)
}

private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
}
