import VitrineTensor

/// The contents of a checkpoint file, whatever its format: tensors by name, text metadata, and what is neither.
///
/// Opening reads names and shapes only; the numbers are read when a tensor is asked for.
public struct CheckpointFile: Sendable {
    public enum Format: String, Sendable {
        case safetensors
        case torchArchive = "PyTorch zip archive"
        case numpyArray = "NumPy array"
    }

    public let path: String
    public let format: Format
    /// Length of the file in bytes.
    public let byteCount: Int
    /// Every tensor by its name; nested dictionaries are joined by `/`.
    public let tensors: [String: TensorEntry]
    /// Text stored beside the tensors (the `__metadata__` of safetensors).
    public let metadata: [String: String]
    /// What a training checkpoint holds besides tensors: epochs, options, states of schedules. Never interpreted.
    public let opaque: [OpaqueEntry]
    /// The dictionaries that hold tensors, in file order; the outermost has the empty path.
    public let groups: [TensorGroup]
    /// The mapped bytes that all tensors are read from: several files for shards.
    private let files: [MappedFile]

    init(
        file: MappedFile, format: Format, groups: [TensorGroup], metadata: [String: String] = [:], opaque: [OpaqueEntry] = []
    ) throws(CheckpointError) {
        path = file.path
        files = [file]
        self.format = format
        byteCount = file.count
        self.metadata = metadata
        self.opaque = opaque
        self.groups = groups
        var tensors: [String: TensorEntry] = [:]
        for group in groups {
            for (_, entry) in group.entries {
                guard tensors.updateValue(entry, forKey: entry.name) == nil else {
                    throw .duplicateName(path: file.path, tensor: entry.name)
                }
            }
        }
        self.tensors = tensors
    }

    /// One checkpoint of several files.
    init(shards: [CheckpointFile], path: String, entries: [(key: String, entry: TensorEntry)]) throws(CheckpointError) {
        self.path = path
        files = shards.flatMap(\.files)
        format = shards.first?.format ?? .safetensors
        byteCount = shards.reduce(0) { $0 + $1.byteCount }
        metadata = shards.reduce(into: [:]) { all, shard in all.merge(shard.metadata) { first, _ in first } }
        opaque = []
        groups = [TensorGroup(path: [], entries: entries)]
        tensors = Dictionary(entries.map { ($0.key, $0.entry) }) { first, _ in first }
    }

    /// SHA-256 of the bytes that the tensors are read from, in hexadecimal: of the file, or of a line for each shard (`digest  name`).
    ///
    /// - Complexity: reads everything once.
    public func sha256() -> String {
        let digests = files.map { file in
            var hash = SHA256()
            for start in stride(from: 0, to: file.count, by: 1 << 20) {
                hash.update(file.bytes(start..<min(start + 1 << 20, file.count)))
            }
            return hash.hexadecimal()
        }
        if digests.count == 1 { return digests[0] }
        let lines = zip(digests, files).map { "\($0)  \($1.path.split(separator: "/").last ?? "")\n" }.joined()
        return VitrineTensor.sha256(of: Array(lines.utf8))
    }

    /// The names in alphabetical order.
    public var names: [String] { tensors.keys.sorted() }

    /// The values of a tensor as Float32; see `TensorEntry.tensor()`.
    ///
    /// - Throws: `CheckpointError.noSuchTensor`.
    public func tensor(named name: String) throws(CheckpointError) -> Tensor {
        guard let entry = tensors[name] else { throw .noSuchTensor(path: path, tensor: name, count: tensors.count) }
        return try entry.tensor()
    }
}

/// One dictionary of a checkpoint file and the tensors that are directly in it.
public struct TensorGroup: Sendable {
    /// Keys from the outermost dictionary to this one, such as `["teacher"]`; empty for the outermost itself.
    public let path: [String]
    /// Key in this dictionary and entry, in file order.
    public let entries: [(key: String, entry: TensorEntry)]
    /// Names of the modules that the dictionary is the state of, those without tensors too, where PyTorch kept them (`_metadata`).
    var modules: Set<String> = []

    /// The path as it is written on a command line: `model/backbone`.
    public var name: String { path.joined(separator: "/") }
}

/// A value of a checkpoint file that is no tensor.
public struct OpaqueEntry: Sendable, Equatable {
    /// Where it is, joined by `/`: `args/lr`.
    public let name: String
    /// Its type as the file names it: `int`, `str`, `list`, `argparse.Namespace`.
    public let type: String
    /// Its value, shortened; empty when it has no text.
    public let text: String
}
