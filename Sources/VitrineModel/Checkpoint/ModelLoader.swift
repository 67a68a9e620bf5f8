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
    /// Names that did not carry the prefix that was taken off.
    var outside: Set<String> = []
    /// The names in the order of the state dict, where the file keeps it.
    var order: [String] = []
    /// Names of all modules, where the file keeps them.
    var modules: Set<String> = []
    var shapes: [String: [Int]]
    /// Element type as stored, by key.
    var types: [String: String] = [:]
    /// Text stored with the tensors.
    var metadata: [String: String] = [:]
    /// Text of a `config.json` in the same folder, and its path.
    var neighbour: (text: [UInt8], path: String)?
    /// What lies beside the file and says how images are prepared.
    var preparations: [ConfigurationText] = []
    var tensor: (String) throws -> Tensor
}

extension VisionTransformer {
    /// Key of a safetensors file's metadata under which we store a configuration as JSON.
    public static let configurationKey = "vitrine.configuration"
    /// Key of the names of the classes, a JSON list.
    public static let classNamesKey = "vitrine.classes"

    /// Makes a model of named tensors.
    ///
    /// - Throws: `LoadError`, with all missing, unknown and misshapen tensors in one.
    static func assemble(_ tensors: NamedTensors, options: LoadOptions = LoadOptions()) throws -> LoadedModel {
        var tensors = tensors
        guard
            var keys = MappedKeys(
                tensors.shapes.keys, ignored: options.ignoredKeys, outside: tensors.outside, shapes: tensors.shapes)
        else {
            if let name = ForeignArchitecture.name(of: tensors.shapes.keys) { throw LoadError.architecture(path: tensors.path, name: name) }
            throw LoadError.unknownNames(path: tensors.path, keys: tensors.shapes.keys.sorted())
        }
        if !keys.unknown.isEmpty || keys.sources["pos_embed"] == nil, let name = ForeignArchitecture.name(of: tensors.shapes.keys) {
            throw LoadError.architecture(path: tensors.path, name: name)
        }
        if let key = keys.sources.removeValue(forKey: "visual_projection.transposed")?.first {
            let original = tensors.tensor
            tensors.shapes[key]?.reverse()
            tensors.tensor = { $0 == key ? transposed(try original($0)) : try original($0) }
            keys.sources["visual_projection.weight"] = [key]
        }
        let adapter = try options.adapterPath.map { try AdapterFile(path: $0) }
        let merged = try adapter?.merge(into: &tensors, keys: &keys)
        try unpackPerceptron(&keys, &tensors)
        splitPoolProjection(&keys, &tensors)
        normFirstQuery(&keys, &tensors)
        if let key = keys.sources["reg_token"]?.first, tensors.shapes[key]?.contains(0) == true {
            keys.sources["reg_token"] = nil
            keys.tolerated.append((key, "holds no register"))
        }
        if case .fresh = options.head {
            for name in ["head.weight", "head.bias", "head_dist.weight", "head_dist.bias", "visual_projection.weight"] {
                for key in keys.sources.removeValue(forKey: name) ?? [] { keys.tolerated.append((key, "replaced by a fresh head")) }
            }
            keys.headOutside = nil
        }
        let head = try options.headPath.map { try HeadFile(path: $0) }
        let textHead = try takeTextHead(&keys, tensors)
        if let head { try makeRoom(for: head, &keys, tensors, options) }
        var facts = [merged?.fact].compactMap(\.self)
        if options.group != nil {
            facts.append(ModelFact("dictionary", tensors.group.joined(separator: "/"), .given, setting: .group))
        } else if !tensors.alternatives.isEmpty {
            facts.append(
                ModelFact(
                    "dictionary", tensors.group.joined(separator: "/"),
                    .convention(reason: "there too: \(enumerated(tensors.alternatives))"), setting: .group))
        }
        let own = try ownConfiguration(tensors)
        let periods = try keys.sources.removeValue(forKey: "rope.periods").map { try tensors.tensor($0[0]).values }
        var inference = ArchitectureInference(
            path: tensors.path, keys: keys, shapes: tensors.shapes, group: tensors.group,
            hints: own == nil ? try foreignConfiguration(tensors, options: options, hasOwnHead: merged?.replacesHead == true) : nil,
            options: options, order: tensors.order,
            modules: tensors.modules, head: head, rotaryPeriods: periods)
        let family = inference.family()
        var configuration: ViTConfiguration
        if let own {
            configuration = try own.changed(by: options, path: tensors.path)
            if head != nil { configuration.classes = 0 }
            if merged?.replacesHead == true, options.head == .asStored, let count = inference.shape("head.weight")?.first {
                configuration.classes = count
                configuration.probabilities = options.probabilities ?? (count == 1 ? .sigmoid : .softmax)
            }
            facts += configuration.facts(givenBy: options)
        } else {
            configuration = try inference.configuration(family: family, facts: &facts)
        }
        if configuration.normPlacement == .absent {
            for name in ["norm.weight", "norm.bias"] {
                for key in keys.sources.removeValue(forKey: name) ?? [] {
                    keys.tolerated.append((key, "the classifier reads tokens before it"))
                }
            }
        }
        if configuration.pooling != .attention {
            for name in Array(keys.sources.keys) where name.hasPrefix("attn_pool.") {
                for key in keys.sources.removeValue(forKey: name) ?? [] {
                    keys.tolerated.append((key, "attention pooling, and the head reads the \(configuration.pooling.words)"))
                }
            }
        }
        inference.keys = keys
        let notes = facts.filter { if case .tensors = $0.origin { false } else { $0.origin != .stored } }
            .map { "\($0.name): \($0.value) (\($0.source))" }
        let values = try loadValues(tensors, inference: inference, configuration: configuration, isOwn: own != nil)
        var model = VisionTransformer(configuration: configuration, values: values)
        if let head {
            try head.attach(to: &model, stored: textHead, unit: options.features == .unit, facts: &facts)
            if let given = options.probabilities { model.configuration.probabilities = given }
        }
        var files: [String: String] = [:]
        if let head { files[head.path] = head.sha256 }
        if let adapter { files[adapter.path] = adapter.sha256 }
        var types: [String: Int] = [:]
        for key in keys.sources.values.joined() where key != MappedKeys.zeros { types[tensors.types[key] ?? "F32", default: 0] += 1 }
        return LoadedModel(
            model: model,
            report: LoadReport(
                path: tensors.path, family: family, group: tensors.group.joined(separator: "/"), prefix: tensors.prefix + keys.prefix,
                parameterCount: model.parameterCount, elementTypes: types,
                unusedKeys: keys.tolerated.map { LoadReport.UnusedKey(key: $0.key, reason: $0.reason) }, metadata: tensors.metadata,
                facts: facts,
                classNames: try classNames(
                    tensors, hints: inference.hints, count: model.configuration.classes, head: head,
                    hasOwnHead: merged?.replacesHead == true, options: options),
                files: files, preparations: tensors.preparations, notes: notes))
    }

    /// Query, keys and values of the pool from the one map that PyTorch's attention keeps them in.
    private static func splitPoolProjection(_ keys: inout MappedKeys, _ tensors: inout NamedTensors) {
        for parameter in ["weight", "bias"] {
            let name = "attn_pool.in_proj.\(parameter)"
            guard let key = keys.sources[name]?.first, let shape = tensors.shapes[key], let rows = shape.first, rows % 3 == 0 else {
                continue
            }
            keys.sources[name] = nil
            for (part, range) in [("q", 0..<rows / 3), ("kv", rows / 3..<rows)] {
                let piece = "\(key) (\(part))"
                keys.sources["attn_pool.\(part).\(parameter)"] = [piece]
                tensors.shapes[piece] = [range.count] + shape.dropFirst()
                tensors.types[piece] = tensors.types[key]
                let original = tensors.tensor
                tensors.tensor = { $0 == piece ? try original(key)[range] : try original($0) }
            }
        }
    }

    /// Scale (its logarithm) and bias that a model of images and texts was trained with; they are no part of the tower.
    private static func takeTextHead(_ keys: inout MappedKeys, _ tensors: NamedTensors) throws -> (logScale: Float?, bias: Float?) {
        func take(_ name: String) throws -> Float? {
            guard let key = keys.sources.removeValue(forKey: name)?.first else { return nil }
            keys.tolerated.append((key, "read for a head of text vectors"))
            let values = try tensors.tensor(key).values
            guard values.count == 1, values[0].isFinite else {
                throw LoadError.unsupported(
                    source: tensors.path, what: "'\(shortened(key))' of \(values.count) values", known: "one number")
            }
            return values[0]
        }
        return (try take("logit_scale"), try take("logit_bias"))
    }

    /// Leaves out what a head from a file of its own replaces.
    private static func makeRoom(
        for head: HeadFile, _ keys: inout MappedKeys, _ tensors: NamedTensors, _ options: LoadOptions
    ) throws(LoadError) {
        guard options.head == .asStored else {
            throw .head(path: head.path, reason: "is a trained head, and this command makes a new one")
        }
        func leaveOut(_ names: [String], _ reason: String) {
            for name in names { for key in keys.sources.removeValue(forKey: name) ?? [] { keys.tolerated.append((key, reason)) } }
        }
        // timm keeps a CLIP tower's projection as its head: without a bias, as wide as the texts.
        if keys.sources["norm_pre.weight"] != nil, keys.sources["head.bias"] == nil, keys.sources["visual_projection.weight"] == nil,
            let key = keys.sources["head.weight"]?.first, tensors.shapes[key]?.first == head.inputs, head.isTexts || options.features != nil
        {
            keys.sources["visual_projection.weight"] = keys.sources.removeValue(forKey: "head.weight")
        }
        leaveOut(["head.weight", "head.bias", "head_dist.weight", "head_dist.bias"], "replaced by the head that was given")
        keys.headOutside = nil
        guard !head.isTexts, options.features == nil, let key = keys.sources["visual_projection.weight"]?.first,
            tensors.shapes[key]?.first != head.inputs || options.pooling != nil
        else { return }
        leaveOut(["visual_projection.weight"], "the head that was given does not read it")
    }

    /// The tensors of a model by our names, in the shapes that the configuration calls for.
    private static func loadValues(
        _ tensors: NamedTensors, inference: ArchitectureInference, configuration: ViTConfiguration, isOwn: Bool
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
                // Published models lack the bias of queries, keys and values, or of a head; other linear maps have one.
                let mayLack =
                    isOwn || tensor.name.hasSuffix("attn.qkv.bias") || ["attn_pool.q.bias", "attn_pool.kv.bias"].contains(tensor.name)
                    || tensor.name.hasPrefix("head")
                    || tensor.name == "patch_embed.proj.bias" && configuration.hasInputNorm
                if !tensor.isOptional || isElsewhere || !mayLack { missing.append(tensor.name) }
                continue
            }
            let sources = keys.sources[tensor.name] ?? []
            // Parts lie one above the other, each as wide as the whole.
            let fits = sources.allSatisfy { $0 == MappedKeys.zeros || tensors.shapes[$0]?.dropFirst() == tensor.shape.dropFirst() }
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
                    if source == MappedKeys.zeros {
                        position += shape.count / sources.count
                        continue
                    }
                    let part = try tensors.tensor(source)
                    whole.replace(from: position, with: part)
                    position += part.count
                }
                values[tensor.name] = whole
            }
        }
        if keys.hasTokenBeforeClass, configuration.positionedPrefixTokens == 2, let positions = values["pos_embed"] {
            let rows = positions.reshaped([positions.count / configuration.width, configuration.width])
            var exchanged = Tensor(positions.shape)
            exchanged.replace(from: 0, with: rows[1..<2])
            exchanged.replace(from: configuration.width, with: rows[0..<1])
            exchanged.replace(from: 2 * configuration.width, with: rows[2..<rows.shape[0]])
            values["pos_embed"] = exchanged
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
        let counts = [own.classes, own.registers, own.positionedPrefixTokens, own.projectionWidth]
        guard sizes.allSatisfy({ (1...1 << 20).contains($0) }), counts.allSatisfy({ (0...1 << 20).contains($0) }),
            own.depth <= max(tensors.shapes.count, 1), own.positionedPrefixTokens <= own.prefixTokens,
            own.pooling != .attention || own.hasSoundPool
        else { throw .malformedConfiguration(source: source, reason: "has sizes that no model of these tensors has") }
        return own
    }

    /// The configuration that another library stored in the metadata or beside the file.
    ///
    /// - Parameter hasOwnHead: the head is an adapter's, so that the configuration's classes are another's.
    private static func foreignConfiguration(
        _ tensors: NamedTensors, options: LoadOptions, hasOwnHead: Bool
    ) throws(LoadError) -> ArchitectureHints? {
        guard var hints = try statedConfiguration(tensors, options: options) else { return nil }
        if hasOwnHead {
            hints.claims.removeAll { $0.name == "classes" }
            (hints.classNames, hints.probabilities) = ([], nil)
        }
        return hints
    }

    private static func statedConfiguration(_ tensors: NamedTensors, options: LoadOptions) throws(LoadError) -> ArchitectureHints? {
        if let text = tensors.metadata["config"] {
            return try ArchitectureHints(json: Array(text.utf8), source: "\(tensors.path) (metadata)", isInFile: true)
        }
        guard options.readsNeighbouringConfiguration, let neighbour = tensors.neighbour else { return nil }
        return try ArchitectureHints(json: neighbour.text, source: neighbour.path)
    }

    /// Names of the classes: our own, or those of a configuration.
    private static func classNames(
        _ tensors: NamedTensors, hints: ArchitectureHints?, count: Int, head: HeadFile?, hasOwnHead: Bool, options: LoadOptions
    ) throws(LoadError) -> [String] {
        guard options.head == .asStored, count > 0 else { return [] }
        if !options.classNames.isEmpty {
            // One logit decides between two classes.
            guard options.classNames.count == count || (count == 1 && options.classNames.count == 2) else {
                throw .contradiction(source: tensors.path, what: "classes", configured: options.classNames.count, stored: count)
            }
            return options.classNames
        }
        if let head { return head.classNames }
        if hasOwnHead { return [] }
        guard let text = tensors.metadata[classNamesKey] else { return hints?.classNames ?? [] }
        guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
            throw .malformedConfiguration(source: "\(tensors.path) (\(classNamesKey))", reason: "is not a JSON list of names")
        }
        return names
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
            return Linear(weight: Tensor([c.classes, c.featureWidth]), bias: Tensor([c.classes]))
        }
        func maybeNorm(_ name: String) -> LayerNorm? { values[name + ".weight"] == nil ? nil : norm(name) }
        let blocks = (0..<c.depth).map { l in
            let name = "blocks.\(l)."
            var block = ViTBlock(
                norm1: norm(name + "norm1"), qkv: linear(name + "attn.qkv"), projection: linear(name + "attn.proj"),
                scale1: values[name + "ls1.gamma"], norm2: norm(name + "norm2"), fc1: linear(name + "mlp.fc1"),
                fc2: linear(name + "mlp.fc2"), scale2: values[name + "ls2.gamma"])
            block.queryNorm = maybeNorm(name + "attn.q_norm")
            block.keyNorm = maybeNorm(name + "attn.k_norm")
            block.contextNorm = maybeNorm(name + "attn.norm")
            block.hiddenNorm = maybeNorm(name + "mlp.norm")
            block.relativePositions = values[name + "attn.relative_position_bias_table"]
            if let all = values["rope.freqs"] {
                let shape: Shape = [1, all.shape[2], all.shape[3]]
                var own = Tensor([2, all.shape[2], all.shape[3]])
                for axis in 0..<2 { own.replace(from: axis * shape.count, with: all[axis][l].reshaped(shape)) }
                block.rotaryFrequencies = own
            }
            if !c.hasKeyBias { block.qkv.bias?.clearKeys() }
            return block
        }
        self.init(
            configuration: c, patchEmbedding: linear("patch_embed.proj"), classToken: values["cls_token"]?.reshaped([c.width]),
            distillationToken: values["dist_token"]?.reshaped([c.width]),
            registerTokens: values["reg_token"]?.reshaped([c.registers, c.width]),
            positionEmbedding: values["pos_embed"]?.reshaped([c.positionedPrefixTokens + c.positionGrid.count, c.width]),
            blocks: blocks, norm: c.lastNormName.map(norm) ?? LayerNorm(weight: Tensor([c.width]), bias: Tensor([c.width])),
            head: c.classes > 0 ? head("head") : nil,
            distillationHead: c.classes > 0 && c.pooling == .distilled ? head("head_dist") : nil,
            inputNorm: maybeNorm("norm_pre"),
            attentionPool: c.pooling == .attention
                ? AttentionPool(
                    probe: values["attn_pool.latent"]!.reshaped([c.pool.width]), query: linear("attn_pool.q"),
                    keysValues: linear("attn_pool.kv"),
                    projection: linear("attn_pool.proj"), keyNorm: maybeNorm("attn_pool.norm_k"),
                    mlp: c.pool.hasMLP
                        ? AttentionPool.MLP(
                            norm2: norm("attn_pool.norm"), fc1: linear("attn_pool.mlp.fc1"), fc2: linear("attn_pool.mlp.fc2")) : nil,
                    outputNorm: maybeNorm("attn_pool.norm_out")) : nil,
            visualProjection: c.projectionWidth > 0 ? linear("visual_projection") : nil)
    }
}

extension ViTConfiguration {
    /// `attn.qkv.bias` of `blocks.3.attn.qkv.bias`; nil for a tensor outside the blocks.
    fileprivate static func afterBlockNumber(_ name: String) -> Substring? {
        guard name.hasPrefix("blocks.") else { return nil }
        return name.dropFirst("blocks.".count).drop { $0 != "." }.dropFirst()
    }
}

extension ViTConfiguration {
    /// A pool can be of this size, behind these MLPs.
    fileprivate var hasSoundPool: Bool {
        (1...1 << 20).contains(pool.width) && (1...pool.width).contains(pool.heads) && pool.width % pool.heads == 0
            && !(pool.hasMLP && mlp == .swiGLU)
    }

    /// A stored configuration with what the options say instead.
    fileprivate func changed(by options: LoadOptions, path: String) throws(LoadError) -> ViTConfiguration {
        var c = self
        c.heads = options.heads ?? heads
        c.positionResampling = options.positionResampling ?? positionResampling
        c.normEpsilon = options.normEpsilon ?? normEpsilon
        c.probabilities = options.probabilities ?? probabilities
        if let activation = options.activation, case .activation = mlp { c.mlp = .activation(activation) }
        if let pooling = options.pooling, pooling != self.pooling {
            guard hasClassToken, [.classToken, .mean].contains(self.pooling), pooling != .attention else {
                throw .unsupported(
                    source: path, what: "pooling '\(pooling.words)' of a model stored with '\(self.pooling.words)'",
                    known: self.pooling.words)
            }
            c.pooling = pooling
        }
        if let kind = options.rotary {
            guard (kind.base == nil && !kind.isNone) == (rotary?.frequencies == .learned) else {
                throw .undecided(
                    path: path, setting: .rotary,
                    reason: "its positions turn as '\(rotary?.words ?? "none")', whose frequencies '\(kind)' cannot take over; leave it out"
                )
            }
            c.rotary = kind.positions(headWidth: c.headWidth)
        }
        if case .fresh(let classes) = options.head {
            c.classes = classes
            c.probabilities = classes == 1 ? .sigmoid : .softmax
            c.projectionWidth = 0
            c.hasUnitFeatures = false
        }
        guard c.width % c.heads == 0 else { throw .headsDoNotDivide(path: path, width: width, heads: c.heads) }
        return c
    }

    /// What a stored configuration says, as facts.
    fileprivate func facts(givenBy options: LoadOptions) -> [ModelFact] {
        func origin(_ isGiven: Bool) -> ModelFact.Origin { isGiven ? .given : .stored }
        let activation = if case .activation(let kind) = mlp { kind.rawValue } else { "SwiGLU" }
        return [
            ModelFact("blocks", "\(depth) of width \(width)", .stored),
            ModelFact("attention heads", "\(heads)", origin(options.heads != nil), setting: .heads),
            ModelFact("activation", activation, origin(options.activation != nil), setting: .activation),
            ModelFact(classes > 0 ? "head reads" : "pooling", pooling.words, origin(options.pooling != nil), setting: .pooling),
            ModelFact("position grid", "\(positionGrid)", .stored, setting: .positionGrid),
            ModelFact("rotary positions", rotary?.words ?? "none", origin(options.rotary != nil), setting: .rotary),
            ModelFact("LayerNorm epsilon", "\(normEpsilon)", origin(options.normEpsilon != nil), setting: .epsilon),
            ModelFact(
                "position resampling", positionResampling.rawValue, origin(options.positionResampling != nil), setting: .positionResampling),
            ModelFact("probabilities", probabilities.rawValue, origin(options.probabilities != nil), setting: .probabilities),
        ].filter { hasPositionEmbedding || $0.setting != .positionResampling }
    }
}

extension LoadedModel {
    /// Whether images of this grid can be explained without guessing at the model.
    ///
    /// - Throws: `LoadError.undecided` where the position embedding must be resampled and published codes differ in how, or where the
    ///   image has as many patches as a grid that was only assumed to be square.
    public func check(grid: PatchGrid) throws(LoadError) {
        let stored = model.configuration.positionGrid
        guard grid != stored else { return }
        for fact in report.facts {
            switch (fact.setting, fact.origin) {
            case (.positionResampling?, .open(let reason)):
                throw .undecided(
                    path: report.path, setting: .positionResampling,
                    reason: "an image of \(grid) patches needs positions resampled from \(stored), and codes differ in how (\(reason)); "
                        + "give it, or an image of \(stored) patches")
            case (.positionGrid?, .convention) where grid.count == stored.count:
                throw .undecided(
                    path: report.path, setting: .positionGrid,
                    reason: "an image of \(grid) patches has as many as the position embedding, which was taken for \(stored); "
                        + "give the grid that it was trained with")
            default: break
            }
        }
    }
}

/// A matrix with rows and columns exchanged.
private func transposed(_ matrix: Tensor) -> Tensor {
    let (rows, columns, values) = (matrix.shape[0], matrix.shape[1], matrix.values)
    return Tensor([columns, rows], (0..<matrix.count).map { values[$0 % rows * columns + $0 / rows] })
}
