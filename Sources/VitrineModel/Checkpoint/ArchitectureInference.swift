import VitrineTensor

/// Reads a model's configuration off the names and shapes of its tensors; what these do not show comes from options, from a
/// configuration beside the tensors, or from the family's convention, in this order.
struct ArchitectureInference {
    let path: String
    let keys: MappedKeys
    /// Shapes by published key.
    let shapes: [String: [Int]]
    /// Keys of the dictionaries around the tensors.
    let group: [String]
    let hints: ArchitectureHints?
    let options: LoadOptions

    /// The shape of a tensor under our name; of several sources, one above the other.
    func shape(_ name: String) -> [Int]? {
        guard let sources = keys.sources[name] else { return nil }
        let parts = sources.compactMap { shapes[$0] }
        guard var shape = parts.first, parts.count == sources.count else { return nil }
        if parts.count > 1 && !shape.isEmpty { shape[0] = parts.reduce(0) { $0 + ($1.first ?? 0) } }
        return shape
    }

    func has(_ name: String) -> Bool { keys.sources[name] != nil }

    /// - Parameter notes: receives a line for all that is convention and not visible in the tensors.
    func configuration(family: CheckpointFamily, notes: inout [String]) throws(LoadError) -> ViTConfiguration {
        guard let patch = shape("patch_embed.proj.weight"), patch.count == 4, patch[2] == patch[3], !patch.contains(0) else {
            throw .unsupported(
                source: path, what: "a patch embedding of shape \(shape("patch_embed.proj.weight") ?? [])",
                known: "[width, channels, side, side]")
        }
        let (width, patchSize) = (patch[0], patch[2])
        let depth = try depth()
        let hasClassToken = has("cls_token")
        let heads = try heads(width: width, hasClassToken: hasClassToken, notes: &notes)
        let (hidden, isGated) = mlp(width: width)
        let pooling = try pooling(width: width, hasClassToken: hasClassToken, notes: &notes)
        let registers = shape("reg_token").map { $0.count >= 2 ? $0[$0.count - 2] : 1 } ?? 0
        let named = (hasClassToken ? 1 : 0) + (has("dist_token") ? 1 : 0)
        let (positioned, grid) = try positions(named: named, registers: registers, patchSize: patchSize)
        if positioned < named {
            notes.append("prefix tokens have no position of their own: \(grid.count) positions make the square \(grid)")
        }
        let activation: Activation? = isGated ? nil : try activation(notes: &notes)
        let epsilon = options.normEpsilon ?? hints?.normEpsilon ?? family.normEpsilon
        if options.normEpsilon == nil && hints?.normEpsilon == nil {
            notes.append("LayerNorm epsilon \(epsilon): convention of \(family.rawValue)")
        }
        var classes = shape("head.weight")?.first ?? 0
        if case .fresh(let count) = options.head { classes = count }
        let configuration = ViTConfiguration(
            patchSize: patchSize, width: width, depth: depth, heads: heads, hidden: hidden, classes: classes, channels: patch[1],
            positionGrid: grid, hasClassToken: hasClassToken, hasDistillationToken: has("dist_token"), registers: registers,
            positionedPrefixTokens: positioned, pooling: pooling, normPlacement: has("fc_norm.weight") ? .afterPooling : .beforePooling,
            mlp: activation.map { .activation($0) } ?? .swiGLU, hasLayerScale: has("blocks.0.ls1.gamma") || has("blocks.0.ls2.gamma"),
            normEpsilon: epsilon, positionResampling: positionResampling(family: family, patchSize: patchSize, notes: &notes))
        for claim in hints?.claims ?? [] {
            let stored =
                switch claim.name {
                case "width": width
                case "depth": depth
                case "patchSize": patchSize
                default: patch[1]
                }
            guard claim.value == stored else {
                throw .contradiction(source: hints?.source ?? path, what: claim.name, configured: claim.value, stored: stored)
            }
        }
        return configuration
    }

    /// Who named these tensors.
    func family() -> CheckpointFamily {
        let all = Array(keys.sources.values.joined()) + keys.tolerated.map(\.key)
        func anyKey(_ part: String) -> Bool { all.contains { $0.contains(part) } }
        switch keys.map.style {
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
                    source: path, what: "block \(number) among \(keys.sources.count) tensors", known: "blocks numbered from 0 without gaps")
            }
            last = max(last, block)
        }
        return last + 1
    }

    private func heads(width: Int, hasClassToken: Bool, notes: inout [String]) throws(LoadError) -> Int {
        let heads: Int
        if let given = options.heads {
            heads = given
        } else if let configured = hints?.heads {
            heads = configured
            notes.append("\(heads) attention heads: \(hints?.source ?? path)")
        } else if let known = KnownModels.heads(width: width, hasClassToken: hasClassToken) {
            heads = known
            notes.append("\(heads) attention heads: every published model of width \(width)")
        } else {
            throw .headsUnknown(path: path, width: width)
        }
        guard heads > 0 && width % heads == 0 else { throw .headsDoNotDivide(path: path, width: width, heads: heads) }
        return heads
    }

    /// Hidden width, and whether the first map gives gate and value.
    private func mlp(width: Int) -> (hidden: Int, isGated: Bool) {
        guard let first = shape("blocks.0.mlp.fc1.weight")?.first else { return (4 * width, false) }
        guard let second = shape("blocks.0.mlp.fc2.weight"), second.count == 2 else { return (first, false) }
        return first == 2 * second[1] && first > 0 ? (second[1], true) : (first, false)
    }

    private func activation(notes: inout [String]) throws(LoadError) -> Activation {
        if let given = options.activation { return given }
        if let configured = hints?.activation { return configured }
        if let name = hints?.unknownActivation {
            throw .unsupported(source: hints?.source ?? path, what: "activation '\(name)'", known: "gelu, gelu_tanh, quick_gelu")
        }
        notes.append("exact GELU: tensors do not show the activation")
        return .gelu
    }

    private func pooling(width: Int, hasClassToken: Bool, notes: inout [String]) throws(LoadError) -> ViTConfiguration.Pooling {
        if let given = options.pooling {
            guard hasClassToken || given == .mean else {
                throw .unsupported(source: path, what: "pooling '\(given.rawValue)' without a class token", known: "mean")
            }
            return given
        }
        if options.head == .asStored {
            if has("head_dist.weight") { return .distilled }
            if let head = shape("head.weight"), head.count == 2, head[1] == 2 * width, hasClassToken { return .classAndMean }
        }
        if let configured = hints?.pooling, hasClassToken || configured == .mean { return configured }
        if !hasClassToken { return .mean }
        if has("fc_norm.weight") {
            notes.append("mean of the patch tokens: convention of models with `fc_norm`")
            return .mean
        }
        return .classToken
    }

    /// How many prefix tokens have a position, and the grid that the other positions make.
    private func positions(named: Int, registers: Int, patchSize: Int) throws(LoadError) -> (prefix: Int, grid: PatchGrid) {
        guard let shape = shape("pos_embed"), shape.count >= 2 else {
            // Reported as missing, or by its shape, with all other faults.
            return (named, options.positionGrid ?? PatchGrid(rows: 1, columns: 1))
        }
        let rows = shape[shape.count - 2]
        // timm gives a position to all prefix tokens or to none; all others to all but the registers.
        let isTimm = keys.map.style == .timm && !isDinov2Original
        var candidates = [named]
        if isTimm { candidates = Set([named + registers, 0]).sorted(by: >) }
        if let grid = options.positionGrid {
            for prefix in candidates where rows - prefix == grid.count { return (prefix, grid) }
            throw .positionGridMismatch(path: path, positions: rows, grid: grid)
        }
        for size in [hints?.imageSize, hints?.weakImageSize] {
            guard let size, size[0] > 0, size[1] > 0, size[0] < 1 << 20, size[1] < 1 << 20 else { continue }
            let grid = PatchGrid(rows: size[0] / patchSize, columns: size[1] / patchSize)
            for prefix in candidates where grid.count > 0 && rows - prefix == grid.count { return (prefix, grid) }
        }
        let squares = candidates.compactMap { prefix -> (Int, PatchGrid)? in
            guard rows > prefix else { return nil }
            let side = Int(Double(rows - prefix).squareRoot().rounded())
            return side * side == rows - prefix ? (prefix, PatchGrid(rows: side, columns: side)) : nil
        }
        guard squares.count == 1 else { throw .positionGridUnknown(path: path, positions: rows, prefixTokens: named + registers) }
        return squares[0]
    }

    private func positionResampling(
        family: CheckpointFamily, patchSize: Int, notes: inout [String]
    ) -> ViTConfiguration.PositionResampling {
        if let given = options.positionResampling { return given }
        let (mode, reason): (ViTConfiguration.PositionResampling, String) =
            switch family {
            case _ where hints?.isTimm == true: (.bicubicAntialias, "as timm, which wrote the configuration")
            case .timm: (.bicubicAntialias, "as timm")
            case .torchvision: (.bicubicAlignCorners, "as torchvision")
            case .dino: (.bicubicOffset, "as DINO's own code")
            case .mae, .deitDistilled: (.bicubic, "as \(family.rawValue)'s own code")
            case .dinov2:
                if has("reg_token") {
                    (.bicubicAntialias, "as timm and DINOv2's own code with registers")
                } else if isDinov2Original || keys.tolerated.contains(where: { $0.key.hasSuffix("mask_token") }) {
                    (.bicubicOffset, "as DINOv2's own code")
                } else {
                    (
                        .bicubic,
                        "as Hugging Face; DINOv2 weights under timm's names do not say whose code resamples them "
                            + "(timm: bicubicAntialias, DINOv2's own: bicubicOffset)"
                    )
                }
            case .huggingFaceDinov2WithRegisters: (.bicubicAntialias, "as Hugging Face")
            case .huggingFaceViT, .huggingFaceMAE, .huggingFaceDeiT, .huggingFaceDinov2: (.bicubic, "as Hugging Face")
            }
        notes.append("position resampling \(mode.rawValue): \(reason)")
        return mode
    }
}
