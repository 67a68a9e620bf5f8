/// How positions enter, and what else attention and MLP have beside the plain ViT's.
extension ArchitectureInference {
    private var isTimmStyle: Bool { keys.map.style == .timm }
    var hasRelativePositions: Bool { has("blocks.0.attn.relative_position_bias_table") }
    /// The bias of keys is missing where queries and values have one.
    var lacksKeyBias: Bool {
        keys.sources["blocks.0.attn.qkv.bias"]?.contains(MappedKeys.zeros) == true || isDinov3Original
            || keys.tolerated.contains { $0.key.hasSuffix(".attn.qkv.bias_mask") }
    }
    private var all: [String] { Array(keys.sources.values.joined()) + keys.tolerated.map(\.key) }
    /// Names that only DINOv3's own code writes.
    var isDinov3Original: Bool { rotaryPeriods != nil || all.contains { $0.hasSuffix("storage_tokens") } }
    private var isGamma: Bool { keys.sources["blocks.0.ls1.gamma"]?.first?.hasSuffix("gamma_1") == true }
    /// Modules without parameters show in PyTorch's own files: nil where the file does not list them.
    private var hasRotaryModule: Bool? {
        modules.isEmpty ? nil : modules.contains { $0.split(separator: ".").contains { $0 == "rope" || $0 == "rope_embed" } }
    }
    private var hasGate: Bool {
        guard let first = shape("blocks.0.mlp.fc1.weight")?.first, let second = shape("blocks.0.mlp.fc2.weight")?.last else { return false }
        return first == 2 * second
    }

    /// What timm's style hides of these; nil for plain ViTs.
    var variantFamily: CheckpointFamily? {
        if keys.map.style == .huggingFace {
            if keys.map.anchor == KeyMap.dinov3.anchor { return .huggingFaceDinov3 }
            return hasRelativePositions || keys.sources["blocks.0.ls1.gamma"]?.first?.hasSuffix("lambda_1") == true ? .huggingFaceBeit : nil
        }
        guard isTimmStyle else { return nil }
        if isDinov3Original { return .dinov3 }
        if hasRelativePositions { return .beit }
        let hasNoPositions = !has("pos_embed")
        if hints?.rotary?.coordinates == .centred && hints?.rotary?.isNone == false { return .dinov3 }
        if isGamma && hasNoPositions && has("reg_token") && has("cls_token") && hints?.rotary == nil { return .dinov3 }
        let isSaidToTurn = (options.rotary ?? hints?.rotary)?.isNone == false
        if has("rope.freqs") || isGamma && (hasNoPositions || hasRotaryModule == true || isSaidToTurn) { return .ropeViT }
        return lacksKeyBias || has("blocks.0.attn.norm.weight") && hasGate ? .eva : nil
    }

    /// Heads where the tensors show them.
    func headsOfTensors(width: Int) -> Int? {
        if let frequencies = shape("rope.freqs"), frequencies.count == 4 { return frequencies[2] }
        if let table = shape("blocks.0.attn.relative_position_bias_table"), table.count == 2 { return table[1] }
        if let norm = shape("blocks.0.attn.q_norm.weight"), norm.count == 1, norm[0] > 0, norm[0] < width,
            width % norm[0] == 0
        {
            return width / norm[0]
        }
        if let periods = rotaryPeriods, !periods.isEmpty, width % (4 * periods.count) == 0 { return width / (4 * periods.count) }
        return nil
    }

    /// Fills in what this family's configuration has beside the plain ViT's.
    func addVariants(to c: inout ViTConfiguration, family: CheckpointFamily, facts: inout [ModelFact]) throws(LoadError) {
        c.hasQueryKeyNorm = has("blocks.0.attn.q_norm.weight")
        c.hasContextNorm = has("blocks.0.attn.norm.weight")
        c.hasHiddenNorm = has("blocks.0.mlp.norm.weight")
        c.hasRelativePositions = hasRelativePositions
        c.hasKeyBias = !lacksKeyBias
        try checkKeyBiases(depth: c.depth)
        c.rotary = try rotary(family: family, headWidth: c.headWidth, patchSize: c.patchSize, facts: &facts)
        c.hasPositionEmbedding = has("pos_embed") || !mayLackPositions(family, c)
        if !c.hasPositionEmbedding {
            c.positionedPrefixTokens = 0
            c.positionGrid = try usualGrid(c, facts: &facts)
        }
        if c.hasRelativePositions { try checkRelativePositions(&c, family: family, facts: &facts) }
    }

    /// A bias of keys that one block lacks may be lacking in all, not in some.
    private func checkKeyBiases(depth: Int) throws(LoadError) {
        let biases = (0..<depth).compactMap { keys.sources["blocks.\($0).attn.qkv.bias"] }
        let lacking = biases.count { $0.contains(MappedKeys.zeros) }
        guard lacking == 0 || lacking == biases.count else {
            throw .keys(path: path, missing: ["the bias of keys of \(lacking) of \(biases.count) blocks"], unused: [], mismatched: [])
        }
    }

    /// Families of which models without learnt positions are published; of others an embedding that is not there is missing.
    private func mayLackPositions(_ family: CheckpointFamily, _ c: ViTConfiguration) -> Bool {
        if hints?.architecture?.contains("_ape_") == true { return false }
        switch family {
        case .dinov3, .huggingFaceDinov3, .ropeViT: return c.rotary != nil
        case .beit, .huggingFaceBeit: return c.hasRelativePositions
        default: return options.rotary != nil && c.rotary != nil
        }
    }

    private func rotary(
        family: CheckpointFamily, headWidth d: Int, patchSize: Int, facts: inout [ModelFact]
    ) throws(LoadError) -> RotaryPositions? {
        let (kind, origin) = try rotaryKind(family: family, patchSize: patchSize)
        guard let kind else { return nil }
        var value = kind.description
        if rotaryPeriods != nil { value += ", periods as stored" }
        facts.append(ModelFact("rotary positions", value, origin, setting: .rotary))
        guard !kind.isNone else { return nil }
        let parts = kind.base == nil ? 2 : 4
        guard d % parts == 0, rotaryPeriods.map({ $0.count == d / 4 }) ?? true else {
            throw .unsupported(
                source: path,
                what: "rotary positions with heads of width \(d)"
                    + (rotaryPeriods.map { " and \($0.count) stored periods" } ?? ""),
                known: "widths that are multiples of 4, and a quarter as many periods")
        }
        guard (kind.base == nil) == has("rope.freqs") else {
            throw .undecided(
                path: path, setting: .rotary,
                reason: has("rope.freqs")
                    ? "holds learnt frequencies (rope.freqs), and '\(kind)' has none"
                    : "'\(kind)' learns its frequencies, and there are none")
        }
        return kind.positions(headWidth: d, periods: rotaryPeriods)
    }

    /// nil for a plain ViT, of which nothing need be said.
    private func rotaryKind(
        family: CheckpointFamily, patchSize: Int
    ) throws(LoadError) -> (kind: RotaryKind?, origin: ModelFact.Origin) {
        func published(_ kind: RotaryKind) -> (RotaryKind?, ModelFact.Origin) {
            (kind, .convention(reason: "as published models with these tensors"))
        }
        if let given = options.rotary { return (given, .given) }
        if isDinov3Original { return (.dinov3, .tensors) }
        if let configured = hints?.rotary { return (configured, .configuration(source: hints?.source ?? path)) }
        switch family {
        case .dinov3, .huggingFaceDinov3: return published(.dinov3)
        case .ropeViT:
            if has("rope.freqs") { return published(.mixed) }
            let hasRegisters = has("reg_token")
            if has("cls_token") && !hasRegisters && has("blocks.0.attn.qkv.bias") && !lacksKeyBias { return published(.axial) }
            if !has("cls_token") && hasRegisters && !has("pos_embed") { return published(.eva(PatchGrid(rows: 16, columns: 16))) }
            throw .undecided(
                path: path, setting: .rotary,
                reason:
                    "its positions turn queries and keys, no published model has these tensors, and nothing shows how they turn; give it")
        case .eva:
            if hasRotaryModule == false || !hasGate { return published(.none) }
            if patchSize == 14 { return published(.eva(PatchGrid(rows: 16, columns: 16))) }
            if patchSize == 16 {
                let side = has("blocks.0.attn.norm.weight") ? 16 : 14
                return published(.eva(PatchGrid(rows: side, columns: side)))
            }
            throw .undecided(
                path: path, setting: .rotary,
                reason:
                    "EVA-02 of patch \(patchSize) is not published, and no tensor shows the grid that its rotary positions refer to; give it"
            )
        case .beit, .huggingFaceBeit: return (nil, .tensors)
        default:
            guard hasRotaryModule == true else { return (nil, .tensors) }
            throw .undecided(
                path: path, setting: .rotary, reason: "has rotary positions (a module 'rope'), and nothing shows which; give them")
        }
    }

    /// The grid that images usually have where no tensor has one.
    private func usualGrid(_ c: ViTConfiguration, facts: inout [ModelFact]) throws(LoadError) -> PatchGrid {
        if c.hasRelativePositions { return PatchGrid(rows: 1, columns: 1) }
        let (side, origin): ([Int], ModelFact.Origin) =
            if let grid = options.positionGrid {
                ([grid.rows * c.patchSize, grid.columns * c.patchSize], .given)
            } else if let size = hints?.imageSize ?? hints?.weakImageSize {
                (size, .configuration(source: hints?.source ?? path))
            } else {
                ([224, 224], .convention(reason: "where no preprocessing is known; the network takes any size"))
            }
        guard side.allSatisfy({ ($0 / c.patchSize) > 0 && $0 < 1 << 20 }) else {
            throw .malformedConfiguration(
                source: hints?.source ?? path, reason: "says images of \(side) pixels with patches of \(c.patchSize)")
        }
        facts.append(ModelFact("usual image", "\(side[0])x\(side[1]) pixels", origin))
        return PatchGrid(rows: side[0] / c.patchSize, columns: side[1] / c.patchSize)
    }

    /// The grid of a table of relative positions, and that no other embedding contradicts it.
    private func checkRelativePositions(
        _ c: inout ViTConfiguration, family: CheckpointFamily, facts: inout [ModelFact]
    ) throws(LoadError) {
        guard let rows = shape("blocks.0.attn.relative_position_bias_table")?.first else { return }
        func fits(_ grid: PatchGrid) -> Bool { RelativePositions(grid: grid, hasClassToken: c.hasClassToken).count == rows }
        guard !has("relative_position_bias_table") else {
            throw .unsupported(source: path, what: "relative positions of each block beside shared ones", known: "one of the two")
        }
        guard c.prefixTokens == (c.hasClassToken ? 1 : 0) else {
            throw .unsupported(source: path, what: "relative positions beside registers", known: "a class token or none")
        }
        if has("pos_embed") {
            guard fits(c.positionGrid) else {
                throw .positionGridMismatch(path: path, positions: rows, grid: c.positionGrid)
            }
            return
        }
        let configured = (hints?.imageSize ?? hints?.weakImageSize).map {
            PatchGrid(rows: $0[0] / c.patchSize, columns: $0[1] / c.patchSize)
        }
        let side = Int(Double(rows - (c.hasClassToken ? 3 : 0)).squareRoot().rounded())
        let (grid, origin): (PatchGrid, ModelFact.Origin) =
            if let given = options.positionGrid {
                (given, .given)
            } else if let configured {
                (configured, .configuration(source: hints?.source ?? path))
            } else {
                (PatchGrid(rows: (side + 1) / 2, columns: (side + 1) / 2), .convention(reason: "published models are square"))
            }
        guard fits(grid) else {
            if options.positionGrid == nil && configured == nil {
                throw .positionGridUnknown(path: path, positions: rows, prefixTokens: c.hasClassToken ? 3 : 0)
            }
            throw .positionGridMismatch(path: path, positions: rows, grid: grid)
        }
        guard family != .huggingFaceBeit || grid.rows == grid.columns else {
            throw .unsupported(
                source: path, what: "a grid of \(grid) with transformers' relative positions, whose table it misreads there,",
                known: "square grids")
        }
        c.positionGrid = grid
        facts.append(ModelFact("position grid", "\(grid)", origin, setting: .positionGrid))
    }
}
