import VitrineTensor

extension VisionTransformer {
    /// Loads a vision transformer from a checkpoint of any known family, in safetensors or PyTorch's zip format, in one file or in
    /// shards, or from a folder as Hugging Face and timm write it.
    ///
    /// The architecture is read off names and shapes. What they do not show comes from, in this order: `options`; our own
    /// configuration in the file; a configuration of another library in the file or as `config.json` beside it; a convention, where all
    /// published models agree. The report's facts say which. Separate queries, keys and values are joined; half precision becomes
    /// Float32.
    ///
    /// - Throws: `CheckpointError` for a file that cannot be read; `LoadError` for tensors that do not make such a model, or where
    ///   something has to be given.
    public static func load(_ path: String, options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        try load(Checkpoint.open(path), options: options)
    }

    /// Loads a vision transformer from an opened checkpoint.
    public static func load(_ file: CheckpointFile, options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        let state: StateDict
        do throws(CheckpointError) { state = try file.stateDict(key: options.group, prefix: options.prefix) } catch {
            // Names of another architecture explain why no model was found.
            if let name = ForeignArchitecture.name(of: file.tensors.keys) { throw LoadError.architecture(path: file.path, name: name) }
            throw error
        }
        let entries = Dictionary(uniqueKeysWithValues: state.entries.map { ($0.name, $0.entry) })
        let tensors = NamedTensors(
            path: file.path, group: state.selection.key.split(separator: "/").map(String.init),
            prefix: state.selection.prefixes.joined(), alternatives: state.selection.alternatives, outside: state.outside,
            order: file.format == .torchArchive ? state.names : [], modules: state.modules,
            shapes: entries.mapValues(\.shape), types: entries.mapValues { "\($0.type)" }, metadata: file.metadata,
            neighbour: options.readsNeighbouringConfiguration
                ? ["config.json", "open_clip_config.json"].lazy.compactMap { neighbour($0, of: file.path) }.first.map { ($0.text, $0.path) }
                : nil,
            preparations: ["preprocessor_config.json", "config.json", "open_clip_config.json"].compactMap { neighbour($0, of: file.path) },
            tensor: { try entries[$0]!.tensor() })
        return try assemble(tensors, options: options)
    }

    /// A file in the checkpoint's folder, if it is there and has at most 4 MiB.
    private static func neighbour(_ name: String, of path: String) -> ConfigurationText? {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        guard let file = try? MappedFile(path: folder + name), file.count <= 4 << 20 else { return nil }
        return ConfigurationText(path: file.path, text: file.bytes(0..<file.count))
    }
}
