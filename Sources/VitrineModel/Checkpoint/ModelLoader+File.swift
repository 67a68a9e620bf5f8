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
        let state = try file.stateDict(key: options.group, prefix: options.prefix)
        let entries = Dictionary(uniqueKeysWithValues: state.entries.map { ($0.name, $0.entry) })
        let tensors = NamedTensors(
            path: file.path, group: state.selection.key.split(separator: "/").map(String.init),
            prefix: state.selection.prefixes.joined(), alternatives: state.selection.alternatives,
            shapes: entries.mapValues(\.shape), types: entries.mapValues { "\($0.type)" }, metadata: file.metadata,
            neighbour: options.readsNeighbouringConfiguration ? neighbouringConfiguration(file.path) : nil,
            tensor: { try entries[$0]!.tensor() })
        return try assemble(tensors, options: options)
    }

    /// Text and path of the `config.json` in the checkpoint's folder, if there is one of at most 1 MiB.
    private static func neighbouringConfiguration(_ path: String) -> (text: [UInt8], path: String)? {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        guard let file = try? MappedFile(path: folder + "config.json"), file.count <= 1 << 20 else { return nil }
        return (file.bytes(0..<file.count), file.path)
    }
}
