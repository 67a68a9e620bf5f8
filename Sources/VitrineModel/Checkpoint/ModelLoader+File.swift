import VitrineTensor

extension VisionTransformer {
    /// Loads a vision transformer from a checkpoint of any known family, in safetensors or PyTorch's zip format.
    ///
    /// The architecture is read off names and shapes. What they do not show comes from, in this order: `options`; our own
    /// configuration in the file; a configuration of another library in the file or as `config.json` beside it; the family's
    /// convention, which the report then states. Separate queries, keys and values are joined; half precision becomes Float32.
    ///
    /// - Throws: `CheckpointError` for a file that cannot be read; `LoadError` for tensors that do not make such a model, or where
    ///   something has to be given.
    public static func load(_ path: String, options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        try load(Checkpoint.open(path), options: options)
    }

    /// Loads a vision transformer from an opened checkpoint.
    public static func load(_ file: CheckpointFile, options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        let group = try chooseGroup(file, options: options)
        let entries = Dictionary(group.entries.map { ($0.key, $0.entry) }) { first, _ in first }
        let tensors = NamedTensors(
            path: file.path, group: group.path, shapes: entries.mapValues(\.shape), types: entries.mapValues { "\($0.type)" },
            metadata: file.metadata, neighbour: options.readsNeighbouringConfiguration ? neighbouringConfiguration(file.path) : nil,
            tensor: { try entries[$0]!.tensor() })
        return try assemble(tensors, options: options)
    }

    /// The dictionary of a training checkpoint that holds the model: a teacher before averaged weights before all others, a
    /// student last; the outermost where several are equal.
    private static func chooseGroup(_ file: CheckpointFile, options: LoadOptions) throws(LoadError) -> TensorGroup {
        let groups = file.groups.filter { !$0.entries.isEmpty }
        if let wanted = options.group {
            guard let group = groups.first(where: { $0.name == wanted }) else {
                throw .noSuchGroup(path: file.path, group: wanted, known: groups.map(\.name).sorted())
            }
            return group
        }
        func rank(_ group: TensorGroup) -> Int {
            if group.path.contains("teacher") { return 0 }
            if group.path.contains(where: { $0.hasSuffix("ema") }) { return 1 }
            return group.path.contains("student") ? 3 : 2
        }
        let models = groups.filter { MappedKeys($0.entries.map(\.key), prefix: options.prefix) != nil }
        let best = models.min { (rank($0), $0.path.count, $0.name) < (rank($1), $1.path.count, $1.name) }
        guard let best else { throw .unknownNames(path: file.path, keys: file.names) }
        return best
    }

    /// Text and path of the `config.json` in the checkpoint's folder, if there is one of at most 1 MiB.
    private static func neighbouringConfiguration(_ path: String) -> (text: [UInt8], path: String)? {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        guard let file = try? MappedFile(path: folder + "config.json"), file.count <= 1 << 20 else { return nil }
        return (file.bytes(0..<file.count), file.path)
    }
}
