import VitrineTensor

/// Reads a model's configuration off the names and shapes of its tensors.
///
/// What these do not show comes from the options or from a configuration of another library. A convention is used only where no
/// published model of the layout differs, and becomes a fact that says so; everything else is asked for.
struct ArchitectureInference {
    let path: String
    var keys: MappedKeys
    /// Shapes by published key.
    let shapes: [String: [Int]]
    /// Keys of the dictionaries around the tensors.
    let group: [String]
    let hints: ArchitectureHints?
    let options: LoadOptions
    /// The order in which a module's `state_dict` wrote the keys; empty where the file does not keep it.
    var order: [String] = []
    /// Names of all modules, parameters or not, where the file holds them (`_metadata` of a state dict).
    var modules: Set<String> = []
    /// A head from a file of its own.
    var head: HeadFile?
    /// Periods of DINOv3's rotation as its own files store them.
    var rotaryPeriods: [Float]?

    /// The shape of a tensor under our name; of several sources, one above the other.
    func shape(_ name: String) -> [Int]? {
        guard let sources = keys.sources[name] else { return nil }
        // A part that the file lacks because it is 0 is as large as the first.
        let parts = sources.compactMap { $0 == MappedKeys.zeros ? shapes[sources[0]] : shapes[$0] }
        guard var shape = parts.first, parts.count == sources.count else { return nil }
        if parts.count > 1 && !shape.isEmpty { shape[0] = parts.reduce(0) { $0 + ($1.first ?? 0) } }
        return shape
    }

    func has(_ name: String) -> Bool { keys.sources[name] != nil }

    /// - Parameter facts: receives everything that maps and logits depend on, and how it is known.
    func configuration(family: CheckpointFamily, facts: inout [ModelFact]) throws(LoadError) -> ViTConfiguration {
        if towerFamily == .huggingFaceSigLIP, shape("patch_embed.proj.weight")?.count == 2 {
            throw .architecture(path: path, name: "SigLIP 2 for images of any aspect (NaFlex)")
        }
        // Perception Encoders turn queries and keys, on a shifted grid, and no tensor shows it.
        if keys.map.style == .timm && has("norm_pre.weight") && has("attn_pool.latent") {
            throw .architecture(path: path, name: "a Perception Encoder")
        }
        guard let patch = shape("patch_embed.proj.weight"), patch.count == 4, patch[2] == patch[3], !patch.contains(0) else {
            throw .unsupported(
                source: path, what: "a patch embedding of shape \(shape("patch_embed.proj.weight") ?? [])",
                known: "[width, channels, side, side]")
        }
        let (width, patchSize) = (patch[0], patch[2])
        let depth = try depth()
        try checkBlocks(depth: depth, patchSize: patchSize, family: family)
        let hasClassToken = has("cls_token")
        let (hidden, isGated) = mlp(width: width)
        var classes = shape("head.weight")?.first ?? 0
        try confirm(width: width, depth: depth, patch: patch, hidden: isGated ? nil : hidden, classes: classes)
        if case .fresh(let count) = options.head { classes = count }
        facts.append(ModelFact("blocks", "\(depth) of width \(width)", .tensors))
        // Other styles belong to one library each, whose blocks are known.
        if keys.map.style == .timm && isPostNorm == nil && hints == nil {
            facts.append(ModelFact("norms", "before the branches", .convention(reason: "as published models with these tensors")))
        }
        let layout = KnownModels.Layout(
            width: width, depth: depth, hidden: hidden, hasClassToken: hasClassToken, hasDistillationToken: has("dist_token"),
            hasLayerScale: has("blocks.0.ls1.gamma"), patchSize: patchSize)
        let heads = try heads(layout, family: family, facts: &facts)
        let mlp = try activation(isGated: isGated, family: family, facts: &facts)
        let pooling = try pooling(width: width, family: family, facts: &facts)
        let registers = shape("reg_token").map { $0.count >= 2 ? $0[$0.count - 2] : 1 } ?? 0
        let named = (hasClassToken ? 1 : 0) + (has("dist_token") ? 1 : 0)
        let (positioned, grid) = try positions(layout, named: named, registers: registers, facts: &facts)
        var configuration = ViTConfiguration(
            patchSize: patchSize, width: width, depth: depth, heads: heads, hidden: hidden, classes: classes, channels: patch[1],
            positionGrid: grid, hasClassToken: hasClassToken, hasDistillationToken: has("dist_token"), registers: registers,
            positionedPrefixTokens: positioned, pooling: pooling, normPlacement: has("fc_norm.weight") ? .afterPooling : .beforePooling,
            mlp: mlp, hasLayerScale: has("blocks.0.ls1.gamma") || has("blocks.0.ls2.gamma"),
            normEpsilon: epsilon(family: family, facts: &facts),
            positionResampling: positionResampling(family: family, patchSize: patchSize, facts: &facts),
            probabilities: probabilities(classes: classes, facts: &facts))
        try addVariants(to: &configuration, family: family, facts: &facts)
        try addTower(to: &configuration, family: family, facts: &facts)
        try addMONAI(facts: &facts)
        return configuration
    }

    /// Who named these tensors.
    func family() -> CheckpointFamily {
        let all = Array(keys.sources.values.joined()) + keys.tolerated.map(\.key)
        func anyKey(_ part: String) -> Bool { all.contains { $0.contains(part) } }
        if let variant = towerFamily ?? variantFamily { return variant }
        switch keys.map.style {
        case .openCLIP: return .clip
        case .monai: return .monai
        case .torchvision: return .torchvision
        case .huggingFace:
            switch hints?.modelType {
            case "vit": return .huggingFaceViT
            case "vit_mae": return .huggingFaceMAE
            case "deit": return .huggingFaceDeiT
            case "dinov2": return .huggingFaceDinov2
            case "dinov2_with_registers": return .huggingFaceDinov2WithRegisters
            default: break
            }
            if has("reg_token") { return .huggingFaceDinov2WithRegisters }
            if has("blocks.0.ls1.gamma") { return .huggingFaceDinov2 }
            if has("dist_token") { return .huggingFaceDeiT }
            return anyKey("decoder.") ? .huggingFaceMAE : .huggingFaceViT
        case .timm:
            if has("dist_token") { return .deitDistilled }
            if anyKey("decoder_") { return .mae }
            if isDinov2Original || anyKey("mask_token") { return .dinov2 }
            if has("blocks.0.ls1.gamma"), shape("patch_embed.proj.weight")?.last == 14 { return .dinov2 }
            if anyKey("head.mlp.") || anyKey("head.last_layer.") || group.contains("teacher") || group.contains("student") { return .dino }
            // MAE's fine-tuning stores under `model`; timm under `state_dict`.
            return has("fc_norm.weight") && group.last == "model" ? .mae : .timm
        }
    }

    /// Names that only DINOv2's own code writes.
    private var isDinov2Original: Bool {
        let all = Array(keys.sources.values.joined()) + keys.tolerated.map(\.key)
        return all.contains { key in
            key.hasSuffix("register_tokens") || key.contains(".mlp.w12.") || key.contains("linear_head.") || key.contains("dino_head.")
        }
    }

    private func depth() throws(LoadError) -> Int {
        var last = 0
        for name in keys.sources.keys where name.hasPrefix("blocks.") {
            let number = name.dropFirst("blocks.".count).prefix { $0 != "." }
            // A block has at least eight tensors, so a number beyond the count of tensors is no plausible depth.
            guard let block = Int(number), block < keys.sources.count else {
                throw .unsupported(
                    source: path, what: "block \(shortened(String(number))) among \(keys.sources.count) tensors",
                    known: "blocks numbered from 0 without gaps")
            }
            last = max(last, block)
        }
        return last + 1
    }

    /// What must not be read as a ViT of this family although the names fit: blocks that are missing, norms behind the branches.
    private func checkBlocks(depth: Int, patchSize: Int, family: CheckpointFamily) throws(LoadError) {
        for module in modules {
            let parts = module.split(separator: ".")
            // Beside a tower stands another, with blocks of its own number.
            guard !keys.map.isTower || ("." + module).contains("." + keys.prefix) else { continue }
            let names: Set<Substring> = keys.map.isTower ? ["layers", "resblocks"] : ["blocks", "layer"]
            guard let place = parts.lastIndex(where: names.contains), place + 1 < parts.count,
                let block = Int(parts[place + 1]), block >= depth, keys.map.style != .torchvision
            else { continue }
            // DINOv2's chunks count twice.
            if place + 2 < parts.count, Int(parts[place + 2]) != nil { continue }
            throw .keys(path: path, missing: ["all tensors of block \(block), which the model had"], unused: [], mismatched: [])
        }
        guard keys.map.style == .timm else { return }
        if isPostNorm == true {
            throw .architecture(path: path, name: "a ViT with its norms behind the branches (post-norm, timm's ResPostBlock)")
        }
        if isPostNorm == nil && hints == nil && !has("cls_token") && !has("reg_token") && !has("blocks.0.ls1.gamma")
            && !has("blocks.0.attn.qkv.bias") && (family == .timm || family == .siglip)
        {
            throw .unsupported(
                source: path, what: "a model without class token and query bias, whose norms may stand before or behind the branches,",
                known: "the same with timm's config.json beside it")
        }
        let isGated = mlp(width: shape("patch_embed.proj.weight")?.first ?? 0).isGated
        if family == .eva && !isGated && isPostNorm == nil && hints == nil {
            throw .unsupported(
                source: path,
                what: "a plain MLP beside keys without bias, which EVA and EVA-02 Enormous share, whose norms stand elsewhere,",
                known: "the same with timm's config.json beside it, or saved by torch.save(model.state_dict())")
        }
        let isGamma = (keys.sources["blocks.0.ls1.gamma"]?.first).map { $0.hasSuffix("gamma_1") } ?? false
        if isGamma && has("pos_embed") && family != .beit && modules.isEmpty && hints == nil && options.rotary == nil {
            throw .undecided(
                path: path, setting: .rotary,
                reason:
                    "LayerScale under the name gamma_1 is DeiT III's, whose positions are learnt alone, and that of timm's rotary models "
                    + "(rope_ape); say which, or give timm's config.json beside it")
        }
    }

    /// By the order in which the modules stand in the state dict; nil where the file does not keep it.
    private var isPostNorm: Bool? {
        func place(_ name: String) -> Int? { keys.sources[name]?.first.flatMap { order.firstIndex(of: $0) } }
        guard let norm = place("blocks.0.norm1.weight"), let qkv = place("blocks.0.attn.qkv.weight"),
            let projection = place("blocks.0.attn.proj.weight"), let mlp = place("blocks.0.mlp.fc1.weight"), qkv < projection, qkv < mlp
        else { return nil }
        if norm < qkv { return false }
        return norm > projection && norm < mlp ? true : nil
    }

    /// Compares what the configuration claims with what the tensors show.
    private func confirm(width: Int, depth: Int, patch: [Int], hidden: Int?, classes: Int) throws(LoadError) {
        for claim in hints?.claims ?? [] {
            let stored: Int?
            switch claim.name {
            case "width": stored = width
            case "depth": stored = depth
            case "patchSize": stored = patch[2]
            case "channels": stored = patch[1]
            case "hidden": stored = hidden
            default: stored = options.head == .asStored && classes > 0 ? classes : nil
            }
            guard let stored, claim.value != stored else { continue }
            throw .contradiction(source: hints?.source ?? path, what: claim.name, configured: claim.value, stored: stored)
        }
    }

    private func configured(_ hints: ArchitectureHints?) -> ModelFact.Origin { .configuration(source: hints?.source ?? path) }

    private func heads(
        _ layout: KnownModels.Layout, family: CheckpointFamily, facts: inout [ModelFact]
    ) throws(LoadError) -> Int {
        let heads: Int
        let origin: ModelFact.Origin
        if let given = options.heads {
            (heads, origin) = (given, .given)
        } else if let shown = headsOfTensors(width: layout.width) {
            (heads, origin) = (shown, .tensors)
        } else if let configured = hints?.heads {
            guard hints?.namesWidth == true else {
                throw .undecided(
                    path: path, setting: .heads,
                    reason:
                        "\(hints?.source ?? "") says \(configured) attention heads but not of which width; it may be another model's: give the heads"
                )
            }
            (heads, origin) = (configured, self.configured(hints))
        } else if [.dinov3, .huggingFaceDinov3, .monai].contains(family) {
            throw .headsUnknown(path: path, width: layout.width)
        } else if let known = family == .eva && KnownModels.isEva02(layout) ? layout.width / 64 : KnownModels.heads(layout) {
            (heads, origin) = (known, .convention(reason: "every published model of this layout"))
        } else {
            throw .headsUnknown(path: path, width: layout.width)
        }
        if let shown = headsOfTensors(width: layout.width), shown != heads {
            throw .contradiction(source: path, what: "heads", configured: heads, stored: shown)
        }
        guard heads > 0 && layout.width % heads == 0 else { throw .headsDoNotDivide(path: path, width: layout.width, heads: heads) }
        facts.append(ModelFact("attention heads", "\(heads)", origin, setting: .heads))
        return heads
    }

    /// Hidden width, and whether the first map gives gate and value.
    private func mlp(width: Int) -> (hidden: Int, isGated: Bool) {
        guard let first = shape("blocks.0.mlp.fc1.weight")?.first else { return (4 * width, false) }
        guard let second = shape("blocks.0.mlp.fc2.weight"), second.count == 2 else { return (first, false) }
        return first == 2 * second[1] && first > 0 ? (second[1], true) : (first, false)
    }

    private func activation(
        isGated: Bool, family: CheckpointFamily, facts: inout [ModelFact]
    ) throws(LoadError) -> ViTConfiguration.MLP {
        func fact(_ value: String, _ origin: ModelFact.Origin) {
            facts.append(ModelFact("activation", value, origin, setting: .activation))
        }
        if isGated {
            let source = keys.sources["blocks.0.mlp.fc1.weight"]?.first ?? ""
            if options.isSwiGLU {
                fact("SwiGLU", .given)
            } else if hints?.isSwiGLU == true {
                fact("SwiGLU", configured(hints))
            } else if [".w12.", ".weights_in.", ".mlp.w1.", ".mlp.fc1_g."].contains(where: source.contains) {
                fact("SwiGLU", .tensors)
            } else if family == .eva {
                fact("SwiGLU", .convention(reason: "as EVA-02"))
            } else {
                throw .undecided(
                    path: path, setting: .activation,
                    reason:
                        "a gated MLP does not show its gate: SiLU of the first half (swiglu: DINOv2 giant, Virchow, UNI2-h, H-optimus), "
                        + "GELU, or another; if it is the first, say so; others are not supported")
            }
            return .swiGLU
        }
        if hints?.isSwiGLU == true {
            throw .unsupported(
                source: hints?.source ?? path, what: "a gated MLP beside tensors without a gate", known: "both with it, or both without")
        }
        guard !options.isSwiGLU else {
            throw .undecided(path: path, setting: .activation, reason: "its MLP is not gated, so that its activation cannot be swiglu")
        }
        if let given = options.activation {
            fact(given.rawValue, .given)
            return .activation(given)
        }
        if let activation = hints?.activation {
            fact(activation.rawValue, configured(hints))
            return .activation(activation)
        }
        if let name = hints?.unknownActivation {
            throw .unsupported(
                source: hints?.source ?? path, what: "activation '\(shortened(name))'", known: "gelu, gelu_tanh, quick_gelu")
        }
        if [.clip, .huggingFaceCLIP, .timmCLIP, .coca].contains(family) {
            throw .undecided(
                path: path, setting: .activation,
                reason:
                    "CLIP is published with quick GELU (OpenAI's weights and what grew from them) and with exact GELU (LAION's, DataComp's), "
                    + "and no tensor shows which; give it")
        }
        if family == .huggingFaceSigLIP || has("attn_pool.latent") && family != .conch
            || family == .timm && !has("cls_token") && !has("reg_token") && !has("fc_norm.weight")
        {
            throw .undecided(
                path: path, setting: .activation,
                reason: "models of this layout (SigLIP's and I-JEPA's: patches alone, no fc_norm) are published with exact GELU and with "
                    + "its tanh approximation, and no tensor shows which; give it")
        }
        // MONAI's class has no other.
        fact("exact GELU", family == .monai ? .tensors : .convention(reason: "tensors do not show it"))
        return .activation(.gelu)
    }

    private func epsilon(family: CheckpointFamily, facts: inout [ModelFact]) -> Float {
        let (value, origin): (Float, ModelFact.Origin) =
            if let given = options.normEpsilon {
                (given, .given)
            } else if let stated = hints?.normEpsilon {
                (stated, configured(hints))
            } else {
                (family.normEpsilon, .convention(reason: "of \(family.rawValue)"))
            }
        facts.append(ModelFact("LayerNorm epsilon", "\(value)", origin, setting: .epsilon))
        return value
    }

    private func pooling(width: Int, family: CheckpointFamily, facts: inout [ModelFact]) throws(LoadError) -> ViTConfiguration.Pooling {
        let hasClassToken = has("cls_token")
        let hasHead = options.head == .asStored && has("head.weight")
        func found(_ pooling: ViTConfiguration.Pooling, _ origin: ModelFact.Origin) -> ViTConfiguration.Pooling {
            facts.append(ModelFact(hasHead ? "head reads" : "pooling", pooling.words, origin, setting: .pooling))
            return pooling
        }
        func ask(_ reason: String) -> LoadError { .undecided(path: path, setting: .pooling, reason: reason) }
        if let given = options.pooling {
            guard hasClassToken || given == .mean || given == .attention else {
                throw .unsupported(source: path, what: "pooling '\(given.words)' without a class token", known: "mean")
            }
            guard given != .attention || has("attn_pool.latent") else {
                throw .unsupported(source: path, what: "pooling 'attention' without the weights of a pool", known: "class, mean")
            }
            return found(given, .given)
        }
        if let head {
            let (pooling, origin) = try self.pooling(of: head, width: width)
            return found(pooling, origin)
        }
        if hasHead {
            if has("head_dist.weight") { return found(.distilled, .tensors) }
            if let head = keys.headOutside {
                throw ask(
                    "its head '\(shortened(head))' stands outside the backbone, and nothing shows what it reads: the class token, the mean "
                        + "of the patches, or both; give it")
            }
            if keys.map.style == .huggingFace, keys.tolerated.contains(where: { $0.key.hasSuffix("pooler.dense.weight") }) {
                throw ask(
                    "keeps a pooler beside its classifier, which reads the pooler's output (tanh), and that is not supported; "
                        + "if the classifier reads the class token itself, say so")
            }
            if let head = shape("head.weight"), head.count == 2, head[1] == 2 * width, hasClassToken {
                if isDinov2Original || family == .huggingFaceDinov2 || family == .huggingFaceDinov2WithRegisters {
                    return found(
                        .classAndMean, hints?.modelType == nil ? .convention(reason: "as DINOv2's classifiers") : configured(hints))
                }
                throw ask("its head reads \(head[1]) values, two tokens' worth, and nothing shows which two; give it")
            }
            if let hints, hints.isBackboneOf(head: true) {
                throw ask(
                    "\(hints.source) describes a backbone, so that its head is not the library's and may read anything; give what it reads")
            }
            if family == .huggingFaceDinov2 || family == .huggingFaceDinov2WithRegisters {
                throw ask(
                    "Hugging Face's DINOv2 classifiers read class token and mean of the patches; this one reads \(width) values: give which"
                )
            }
        }
        if hasHead, let reason = openTowerHead { throw ask(reason) }
        if has("attn_pool.latent") {
            if let stated = hints?.pooling, stated == .attention || stated == .mean { return found(stated, configured(hints)) }
            if hasHead && [.coca, .conch].contains(family) {
                throw ask("has a classifier beside its pool, and nothing shows which of the two it reads; give it")
            }
            guard !hasHead || family == .siglip else {
                throw ask(
                    "has a classifier on a SigLIP tower: Hugging Face's own reads the mean of the patches (SiglipForImageClassification), "
                        + "others what attention pools; give it")
            }
            return found(.attention, .tensors)
        }
        if let stated = hints?.pooling, hasClassToken || stated == .mean || stated == .attention { return found(stated, configured(hints)) }
        if hasHead && (family == .dinov3 || family == .huggingFaceDinov3) {
            throw ask("DINOv3's own classifiers read the class token, timm's the mean of the patches unless told otherwise; give it")
        }
        if family == .huggingFaceBeit { return found(has("fc_norm.weight") ? .mean : .classToken, .tensors) }
        if family == .dinov3 { return found(.classToken, .convention(reason: "as DINOv3's own code; timm's default is the mean")) }
        if keys.map.style == .huggingFace && hints?.modelType != nil {
            return found(hasClassToken ? .classToken : .mean, configured(hints))
        }
        if isMONAI && hasClassToken { return found(.classToken, .tensors) }
        if !hasClassToken { return found(.mean, hasHead ? .convention(reason: "there is no class token") : .tensors) }
        guard hasHead else { return found(has("fc_norm.weight") ? .mean : .classToken, .tensors) }
        if has("fc_norm.weight") { return found(.mean, .convention(reason: "as models with fc_norm")) }
        return found(.classToken, .convention(reason: "as \(family.rawValue)"))
    }

    private func probabilities(classes: Int, facts: inout [ModelFact]) -> ViTConfiguration.Probabilities {
        guard classes > 0 else { return .softmax }
        let (value, origin): (ViTConfiguration.Probabilities, ModelFact.Origin) =
            if let given = options.probabilities {
                (given, .given)
            } else if options.head != .asStored {
                (classes == 1 ? .sigmoid : .softmax, .given)
            } else if hasTanhHead {
                (.tanh, .convention(reason: "MONAI's losses see what the Tanh behind the classifier gives"))
            } else if classes == 1 {
                (.sigmoid, .tensors)
            } else if let stated = hints?.probabilities {
                (stated, configured(hints))
            } else {
                (.softmax, .convention(reason: "several logits"))
            }
        facts.append(ModelFact("probabilities", value.rawValue, origin, setting: .probabilities))
        return value
    }

    /// How many prefix tokens have a position, and the grid that the other positions make.
    private func positions(
        _ layout: KnownModels.Layout, named: Int, registers: Int, facts: inout [ModelFact]
    ) throws(LoadError) -> (prefix: Int, grid: PatchGrid) {
        guard let shape = shape("pos_embed"), shape.count >= 2 else {
            // Reported as missing, or by its shape, with all other faults.
            return (named, options.positionGrid ?? PatchGrid(rows: 1, columns: 1))
        }
        func found(_ prefix: Int, _ grid: PatchGrid, _ origin: ModelFact.Origin) -> (Int, PatchGrid) {
            facts.append(ModelFact("position grid", "\(grid)", origin, setting: .positionGrid))
            if prefix < named { facts.append(ModelFact("prefix tokens", "without positions of their own", .tensors)) }
            return (prefix, grid)
        }
        let rows = shape[shape.count - 2]
        // timm gives a position to all prefix tokens or to none; all others to all but the registers.
        let isTimm = keys.map.style == .timm && !isDinov2Original
        // MONAI puts the class token before the patches after these have their positions.
        let candidates = isTimm ? Set([named + registers, 0]).sorted(by: >) : [isMONAI ? 0 : named]
        if let grid = options.positionGrid {
            for prefix in candidates where rows - prefix == grid.count { return found(prefix, grid, .given) }
            throw .positionGridMismatch(path: path, positions: rows, grid: grid)
        }
        for (size, isStrict) in [(hints?.imageSize, true), (hints?.weakImageSize, false)] {
            guard let size, size[0] > 0, size[1] > 0, size[0] < 1 << 20, size[1] < 1 << 20 else { continue }
            let grid = PatchGrid(rows: size[0] / layout.patchSize, columns: size[1] / layout.patchSize)
            for prefix in candidates where grid.count > 0 && rows - prefix == grid.count { return found(prefix, grid, configured(hints)) }
            if isStrict {
                throw .contradiction(
                    source: hints?.source ?? path, what: "image positions", configured: grid.count, stored: rows - candidates[0])
            }
        }
        // Only models with registers, RoPE-ViT, and DeiT III in its own sizes give their class token no position: for all others, the rows
        // that make a square without it are a grid that is not square and a class token.
        let mayLackOwn = registers > 0 || variantFamily == .ropeViT || KnownModels.isDeiT3(layout, rows: rows)
        let plausible = mayLackOwn || isMONAI ? candidates : [named]
        let squares = plausible.compactMap { prefix -> (Int, PatchGrid)? in
            guard rows > prefix else { return nil }
            let side = Int(Double(rows - prefix).squareRoot().rounded())
            return side * side == rows - prefix ? (prefix, PatchGrid(rows: side, columns: side)) : nil
        }
        guard squares.count == 1 else { throw .positionGridUnknown(path: path, positions: rows, prefixTokens: named + registers) }
        return found(squares[0].0, squares[0].1, .convention(reason: "published models are square"))
    }

    private func positionResampling(
        family: CheckpointFamily, patchSize: Int, facts: inout [ModelFact]
    ) -> ViTConfiguration.PositionResampling {
        let (mode, origin): (ViTConfiguration.PositionResampling, ModelFact.Origin) =
            if let given = options.positionResampling {
                (given, .given)
            } else if hints?.isTimm == true {
                (.bicubicAntialias, configured(hints))
            } else {
                switch family {
                case .timm: (.bicubicAntialias, .convention(reason: "as timm"))
                case .torchvision: (.bicubicAlignCorners, .convention(reason: "as torchvision"))
                case .dino: (.bicubicOffset, .convention(reason: "as DINO's own code"))
                case .mae: (.bicubic, .convention(reason: "as MAE's own code"))
                case .monai: (.bicubic, .open(reason: "MONAI's ViT takes images of one size"))
                case .deitDistilled: (.bicubic, .open(reason: "timm bicubicAntialias, DeiT's own code bicubic"))
                case .dinov2:
                    if has("reg_token") {
                        (.bicubicAntialias, .convention(reason: "as timm and DINOv2's own code with registers"))
                    } else if isDinov2Original || keys.tolerated.contains(where: { $0.key.hasSuffix("mask_token") }) {
                        (.bicubicOffset, .convention(reason: "as DINOv2's own code"))
                    } else {
                        (.bicubic, .open(reason: "timm bicubicAntialias, DINOv2's own code bicubicOffset, Hugging Face bicubic"))
                    }
                case .dinov3, .huggingFaceDinov3, .eva, .ropeViT, .beit: (.bicubicAntialias, .convention(reason: "as timm"))
                case .clip: (.bicubicAntialias, .convention(reason: "as open_clip"))
                case .siglip, .conch: (.bicubicAntialias, .convention(reason: "as timm"))
                case .coca: (.bicubicAntialias, .convention(reason: "as open_clip"))
                case .huggingFaceSigLIP: (.bicubic, .convention(reason: "as Hugging Face"))
                case .timmCLIP: (.bicubicAntialias, .convention(reason: "as timm"))
                case .huggingFaceCLIP: (.bicubic, .convention(reason: "as Hugging Face"))
                case .huggingFaceDinov2WithRegisters: (.bicubicAntialias, .convention(reason: "as Hugging Face"))
                case .huggingFaceViT, .huggingFaceMAE, .huggingFaceDeiT, .huggingFaceDinov2, .huggingFaceBeit:
                    (.bicubic, .convention(reason: "as Hugging Face"))
                }
            }
        if has("pos_embed") { facts.append(ModelFact("position resampling", mode.rawValue, origin, setting: .positionResampling)) }
        return mode
    }
}

extension ViTConfiguration.Pooling {
    /// In the words of `LoadSetting.pooling`.
    var words: String {
        switch self {
        case .classToken: "class"
        case .mean: "mean"
        case .classAndMean: "class+mean"
        case .distilled: "distilled"
        case .attention: "attention"
        }
    }
}
