import VitrineTensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The index of a checkpoint that is cut into several files: which tensor stands in which.
struct ShardIndex {
    private let path: String
    /// File names, without folders, by tensor.
    private let map: [String: String]

    /// - Throws: `CheckpointError.malformedIndex`.
    init(_ file: MappedFile) throws(CheckpointError) {
        path = file.path
        guard file.count <= 16 << 20, let root = try? JSONDecoder().decode(JSONValue.self, from: Data(file.bytes(0..<file.count))),
            case .object(let entries)? = root["weight_map"], !entries.isEmpty
        else { throw .malformedIndex(path: file.path, reason: "has no weight_map of at most 16 MiB") }
        var map: [String: String] = [:]
        for (tensor, place) in entries {
            guard let name = place.text, !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
                throw .malformedIndex(path: file.path, reason: "names no file in its folder for '\(shortened(tensor))'")
            }
            map[tensor] = name
        }
        self.map = map
    }

    /// Opens all shards as one checkpoint.
    ///
    /// - Throws: `CheckpointError` for a shard that cannot be read, and for a tensor that is not where the index has it.
    func open() throws(CheckpointError) -> CheckpointFile {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var shards: [String: CheckpointFile] = [:]
        for name in Set(map.values).sorted() {
            guard !name.hasSuffix(".index.json") else { throw .malformedIndex(path: path, reason: "names an index as a shard") }
            shards[name] = try Checkpoint.open(folder + name)
        }
        var entries: [(key: String, entry: TensorEntry)] = []
        for (tensor, name) in map.sorted(by: { $0.key < $1.key }) {
            guard let entry = shards[name]?.tensors[tensor] else {
                throw .malformedIndex(path: path, reason: "has '\(shortened(tensor))' in \(shortened(name)), where it is not")
            }
            entries.append((tensor, entry))
        }
        let all = shards.sorted { $0.key < $1.key }.map(\.value)
        return try CheckpointFile(shards: all, path: path, entries: entries)
    }
}
