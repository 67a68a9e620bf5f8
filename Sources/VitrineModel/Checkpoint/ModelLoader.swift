import VitrineTensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One state dict, whatever file it came from: what the loader needs of it.
struct NamedTensors {
    var path: String
    /// Keys of the dictionaries around it, outermost first.
    var group: [String] = []
    /// What was taken off the names before they came here.
    var prefix = ""
    /// Other dictionaries of the file that hold a model.
    var alternatives: [String] = []
    var shapes: [String: [Int]]
    /// Element type as stored, by key.
    var types: [String: String] = [:]
    /// Text stored with the tensors.
    var metadata: [String: String] = [:]
    /// Text of a `config.json` in the same folder, and its path.
    var neighbour: (text: [UInt8], path: String)?
    var tensor: (String) throws -> Tensor
}

extension VisionTransformer {
    /// Key of a safetensors file's metadata under which we store a configuration as JSON.
    public static let configurationKey = "vitrine.configuration"

    /// Makes a model of named tensors.
    ///
    /// - Throws: `LoadError`, with all missing, unknown and misshapen tensors in one.
    static func assemble(_ tensors: NamedTensors, options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        guard var keys = MappedKeys(tensors.shapes.keys, ignored: options.ignoredKeys) else {
            throw LoadError.unknownNames(path: tensors.path, keys: tensors.shapes.keys.sorted())
        }
        if case .fresh = options.head {
            for name in ["head.weight", "head.bias", "head_dist.weight", "head_dist.bias"] {
                for key in keys.sources.removeValue(forKey: name) ?? [] { keys.tolerated.append((key, "replaced by a fresh head")) }
            }
        }
        var notes = tensors.alternatives.map { "not taken: another model under '\($0)'" }
        let own = try ownConfiguration(tensors)
        let inference = ArchitectureInference(
            path: tensors.path, keys: keys, shapes: tensors.shapes, group: tensors.group,
            hints: own == nil ? try foreignConfiguration(tensors, options: options) : nil, options: options)
        let family = inference.family()
        var configuration: ViTConfiguration
        if let own {
            configuration = own
            configuration.heads = options.heads ?? own.heads
            configuration.positionResampling = options.positionResampling ?? own.positionResampling
            configuration.normEpsilon = options.normEpsilon ?? own.normEpsilon
            if case .fresh(let classes) = options.head { configuration.classes = classes }
            guard configuration.width % configuration.heads == 0 else {
                throw LoadError.headsDoNotDivide(path: tensors.path, width: configuration.width, heads: configuration.heads)
            }
        } else {
            configuration = try inference.configuration(family: family, notes: &notes)
        }
        let values = try loadValues(tensors, inference: inference, configuration: configuration)
        let model = VisionTransformer(configuration: configuration, values: values)
        var types: [String: Int] = [:]
        for key in keys.sources.values.joined() { types[tensors.types[key] ?? "F32", default: 0] += 1 }
        return LoadedModel(
            model: model,
            report: LoadReport(
                path: tensors.path, family: family, group: tensors.group.joined(separator: "/"), prefix: tensors.prefix + keys.prefix,
                parameterCount: model.parameterCount, elementTypes: types,
                unusedKeys: keys.tolerated.map { LoadReport.UnusedKey(key: $0.key, reason: $0.reason) }, metadata: tensors.metadata,
                notes: notes))
    }

    /// The tensors of a model by our names, in the shapes that the configuration calls for.
    private static func loadValues(
        _ tensors: NamedTensors, inference: ArchitectureInference, configuration: ViTConfiguration
    ) throws -> [String: Tensor] {
        let keys = inference.keys
        var expected = configuration.expectedTensors()
        if case .fresh = inference.options.head { expected.removeAll { $0.name.hasPrefix("head.") || $0.name.hasPrefix("head_dist.") } }
        var missing: [String] = []
        var mismatched: [LoadError.ShapeMismatch] = []
        // A bias that one block lacks may be lacking in all, not in some.
        let inAnyBlock = Set(keys.sources.keys.compactMap(ViTConfiguration.afterBlockNumber))
        for tensor in expected {
            guard let shape = inference.shape(tensor.name) else {
                let isElsewhere = ViTConfiguration.afterBlockNumber(tensor.name).map(inAnyBlock.contains) ?? false
                if !tensor.isOptional || isElsewhere { missing.append(tensor.name) }
                continue
            }
            let sources = keys.sources[tensor.name] ?? []
            // Parts lie one above the other, each as wide as the whole.
            let fits = sources.allSatisfy { tensors.shapes[$0]?.dropFirst() == tensor.shape.dropFirst() }
            if squeezed(shape) != squeezed(tensor.shape) || (sources.count > 1 && !fits) {
                mismatched.append(.init(key: sources.joined(separator: " + "), expected: tensor.shape, found: shape))
            }
        }
        let names = Set(expected.map(\.name))
        let unused = keys.unknown + keys.sources.filter { !names.contains($0.key) }.values.joined()
        guard missing.isEmpty && unused.isEmpty && mismatched.isEmpty else {
            throw LoadError.keys(path: tensors.path, missing: missing, unused: unused.sorted(), mismatched: mismatched)
        }
        var values: [String: Tensor] = [:]
        for tensor in expected {
            guard let sources = keys.sources[tensor.name] else { continue }
            let shape = Shape(tensor.shape)
            if sources.count == 1 {
                values[tensor.name] = try tensors.tensor(sources[0]).reshaped(shape)
            } else {
                var whole = Tensor(shape)
                var position = 0
                for source in sources {
                    let part = try tensors.tensor(source)
                    whole.replace(from: position, with: part)
                    position += part.count
                }
                values[tensor.name] = whole
            }
        }
        return values
    }

    /// A shape without leading ones: a token is stored as [1, 1, D], [1, D] or [D].
    private static func squeezed(_ shape: [Int]) -> ArraySlice<Int> { shape.drop { $0 == 1 } }

    /// The configuration that we stored ourselves.
    private static func ownConfiguration(_ tensors: NamedTensors) throws(LoadError) -> ViTConfiguration? {
        guard let text = tensors.metadata[configurationKey] else { return nil }
        let source = "\(tensors.path) (\(configurationKey))"
        let own: ViTConfiguration
        do { own = try JSONDecoder().decode(ViTConfiguration.self, from: Data(text.utf8)) } catch {
            throw .malformedConfiguration(source: source, reason: "is not the JSON of a configuration")
        }
        let sizes = [
            own.patchSize, own.width, own.depth, own.heads, own.hidden, own.channels, own.positionGrid.rows, own.positionGrid.columns,
        ]
        let counts = [own.classes, own.registers, own.positionedPrefixTokens]
        guard sizes.allSatisfy({ (1...1 << 20).contains($0) }), counts.allSatisfy({ (0...1 << 20).contains($0) }),
            own.depth <= max(tensors.shapes.count, 1), own.positionedPrefixTokens <= own.prefixTokens
        else { throw .malformedConfiguration(source: source, reason: "has sizes that no model of these tensors has") }
        return own
    }

    /// The configuration that another library stored in the metadata or beside the file.
    private static func foreignConfiguration(_ tensors: NamedTensors, options: LoadOptions) throws(LoadError) -> ArchitectureHints? {
        if let text = tensors.metadata["config"] {
            return try ArchitectureHints(json: Array(text.utf8), source: "\(tensors.path) (metadata)")
        }
        guard options.readsNeighbouringConfiguration, let neighbour = tensors.neighbour else { return nil }
        return try ArchitectureHints(json: neighbour.text, source: neighbour.path)
    }

    /// Takes a complete set of tensors apart; a head that is called for but absent starts at zero.
    private init(configuration c: ViTConfiguration, values: [String: Tensor]) {
        func linear(_ name: String) -> Linear {
            let weight = values[name + ".weight"]!
            return Linear(weight: weight.reshaped([weight.shape[0], weight.count / weight.shape[0]]), bias: values[name + ".bias"])
        }
        func norm(_ name: String) -> LayerNorm { LayerNorm(weight: values[name + ".weight"]!, bias: values[name + ".bias"]!) }
        func head(_ name: String) -> Linear {
            if values[name + ".weight"] != nil { return linear(name) }
            return Linear(weight: Tensor([c.classes, c.pooledWidth]), bias: Tensor([c.classes]))
        }
        let blocks = (0..<c.depth).map { l in
            let name = "blocks.\(l)."
            return ViTBlock(
                norm1: norm(name + "norm1"), qkv: linear(name + "attn.qkv"), projection: linear(name + "attn.proj"),
                scale1: values[name + "ls1.gamma"], norm2: norm(name + "norm2"), fc1: linear(name + "mlp.fc1"),
                fc2: linear(name + "mlp.fc2"), scale2: values[name + "ls2.gamma"])
        }
        self.init(
            configuration: c, patchEmbedding: linear("patch_embed.proj"), classToken: values["cls_token"]?.reshaped([c.width]),
            distillationToken: values["dist_token"]?.reshaped([c.width]),
            registerTokens: values["reg_token"]?.reshaped([c.registers, c.width]),
            positionEmbedding: values["pos_embed"]!.reshaped([c.positionedPrefixTokens + c.positionGrid.count, c.width]),
            blocks: blocks, norm: norm(c.normPlacement == .afterPooling ? "fc_norm" : "norm"), head: c.classes > 0 ? head("head") : nil,
            distillationHead: c.classes > 0 && c.pooling == .distilled ? head("head_dist") : nil)
    }
}

extension ViTConfiguration {
    /// `attn.qkv.bias` of `blocks.3.attn.qkv.bias`; nil for a tensor outside the blocks.
    fileprivate static func afterBlockNumber(_ name: String) -> Substring? {
        guard name.hasPrefix("blocks.") else { return nil }
        return name.dropFirst("blocks.".count).drop { $0 != "." }.dropFirst()
    }
}
