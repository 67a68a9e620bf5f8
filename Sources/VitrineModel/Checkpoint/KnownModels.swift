/// What the published models have in common and their tensors do not show.
public enum KnownModels {
    /// Number of attention heads by token width, as timm 1.0.31, DINO, DINOv2, MAE, DeiT, Hugging Face and torchvision define their
    /// models of this family.
    static let headsByWidth: [Int: Int] = [
        192: 3,  // tiny
        256: 4,
        320: 5,  // little
        384: 6,  // small
        512: 8,  // medium
        640: 10,  // betwixt
        768: 12,  // base
        832: 13,
        896: 14,  // base plus
        1024: 16,  // large
        1152: 16,  // so400m
        1280: 16,  // huge
        1408: 16,  // giant
        1536: 24,  // DINOv2's giant
        1664: 16,  // gigantic
    ]

    /// Heads of timm's models of this width, or nil if there is none or there are two kinds.
    ///
    /// - Parameter hasClassToken: without one, models of width 768 come with 12 heads and with 16, and those of 1536 have 16.
    public static func heads(width: Int, hasClassToken: Bool) -> Int? {
        switch (width, hasClassToken) {
        case (768, false): nil
        case (1536, false): 16
        default: headsByWidth[width]
        }
    }

    /// What tensors show of a model's size.
    struct Layout: Equatable {
        var width: Int
        var depth: Int
        /// Hidden width of the MLP.
        var hidden: Int
        var hasClassToken: Bool
        var hasDistillationToken = false
        var hasLayerScale = false
        var patchSize = 16
    }

    /// Depth and hidden width of the published models of a width. Nothing else of a width is published, or its heads differ.
    private static let sizes: [(width: Int, depth: Int, hidden: Int)] = [
        (192, 12, 768), (256, 14, 1280), (320, 14, 1792), (384, 12, 1536), (384, 36, 1536), (512, 12, 2048), (512, 20, 2048),
        (640, 12, 2560), (768, 12, 3072), (832, 21, 2176), (896, 12, 3584), (896, 18, 2304), (1024, 24, 4096), (1152, 27, 4304),
        (1280, 32, 5120), (1280, 32, 3416), (1408, 40, 6144), (1536, 40, 4096), (1536, 40, 6144), (1664, 48, 8192),
    ]

    /// Heads of the published models of this layout; nil where they differ or there is none.
    ///
    /// Widths 192 and 384 with plain blocks come with 3 and 6 heads (timm, DeiT, DINO) and with 12 (MoCo v3, MAE-Lite, TinyMIM):
    /// a distillation token, DINOv2's and DeiT III's LayerScale, or another patch than 16, which the latter all have, tells the former.
    static func heads(_ layout: Layout) -> Int? {
        guard sizes.contains(where: { $0 == (layout.width, layout.depth, layout.hidden) }) else { return nil }
        let mayBeEither = !layout.hasDistillationToken && layout.patchSize == 16
        if layout.width == 192 && mayBeEither { return nil }
        if layout.width == 384 && mayBeEither && !layout.hasLayerScale && layout.depth == 12 { return nil }
        return heads(width: layout.width, hasClassToken: layout.hasClassToken)
    }

    /// Whether a model is one of DeiT III's, which give the class token no position: LayerScale, a published size, and 14 x 14, 16 x 16
    /// or 24 x 24 patches.
    static func isDeiT3(_ layout: Layout, rows: Int) -> Bool {
        layout.hasLayerScale && layout.hasClassToken && [196, 256, 576].contains(rows)
            && sizes.contains { $0 == (layout.width, layout.depth, layout.hidden) } && [384, 512, 768, 1024, 1280].contains(layout.width)
    }

    /// Who has how many heads at this width, for a question.
    static func candidates(width: Int) -> String? {
        switch width {
        case 192: "3 in timm and DeiT, 12 in MAE-Lite and TinyMIM"
        case 384: "6 in timm, DeiT and DINO, 12 in MoCo v3 and TinyMIM"
        case 768: "12 in most models, 8 in timm's first small ones, 16 in some of I-JEPA's kind"
        default: headsByWidth[width].map { "\($0) in timm" }
        }
    }

    /// A size that timm's names spell.
    struct Named: Equatable {
        var width: Int
        var depth: Int
        var heads: Int
    }

    /// The size of a timm architecture of this family by its name; nil for names whose size is not here.
    static func timm(_ architecture: String) -> Named? {
        if let eva = eva(architecture) { return eva.size }
        let name = architecture.split(separator: ".").first.map(String.init) ?? architecture
        guard ["vit_", "deit_", "deit3_", "flexivit_"].contains(where: name.hasPrefix) else { return nil }
        if name.contains("_plus_") { return Named(width: 896, depth: 12, heads: 14) }
        if name == "vit_base_patch16_gap_224" { return Named(width: 768, depth: 12, heads: 16) }
        if name.hasSuffix("36x1_224") { return Named(width: 384, depth: 36, heads: 6) }
        if name.hasPrefix("vit_giant_") && (name.contains("dinov2") || name.contains("tips") || name.contains("radio")) {
            return Named(width: 1536, depth: 40, heads: 24)
        }
        let sizes: [(word: String, size: Named)] = [
            ("tiny", Named(width: 192, depth: 12, heads: 3)), ("small", Named(width: 384, depth: 12, heads: 6)),
            ("medium", Named(width: 512, depth: 12, heads: 8)), ("mediumd", Named(width: 512, depth: 20, heads: 8)),
            ("betwixt", Named(width: 640, depth: 12, heads: 10)), ("base", Named(width: 768, depth: 12, heads: 12)),
            ("large", Named(width: 1024, depth: 24, heads: 16)), ("huge", Named(width: 1280, depth: 32, heads: 16)),
            ("giant", Named(width: 1408, depth: 40, heads: 16)), ("giantopt", Named(width: 1536, depth: 40, heads: 16)),
            ("gigantic", Named(width: 1664, depth: 48, heads: 16)), ("so400m", Named(width: 1152, depth: 27, heads: 16)),
            ("so150m", Named(width: 896, depth: 18, heads: 14)), ("so150m2", Named(width: 832, depth: 21, heads: 13)),
            ("little", Named(width: 320, depth: 14, heads: 5)), ("wee", Named(width: 256, depth: 14, heads: 4)),
        ]
        return sizes.first { size in name.split(separator: "_").contains { $0 == size.word } }?.size
    }

    /// What a timm architecture does that no tensor shows and that is not supported.
    static func unsupportedTimm(_ architecture: String) -> String? {
        if architecture.hasPrefix("vit_pe_") { return "the rotary grid of Perception Encoders, which starts at 1" }
        if architecture.contains("sapiens2") { return "grouped queries and gated attention" }
        if architecture.hasPrefix("eva02_enormous") { return "blocks with their norms behind the branches (post-norm)" }
        if architecture.contains("_rpn_") { return "blocks with their norms behind the branches (post-norm)" }
        if architecture.contains("_parallel_") || architecture.contains("_xp_") || architecture.contains("18x2") {
            return "parallel blocks"
        }
        return nil
    }

    /// The MLP's activation of a timm architecture: exact GELU but for some of SigLIP's and OpenAI's kind.
    static func activationOfTimm(_ architecture: String) -> TimmActivation {
        if architecture.contains("quickgelu") { return .quick }
        let tanh = [
            "vit_base_patch32_siglip", "vit_large_patch16_siglip_gap_512", "vit_large_patch16_siglip_512", "vit_giantopt_patch16_siglip",
            "vit_so400m_patch16_siglip",
        ]
        return tanh.contains(where: architecture.hasPrefix) ? .tanh : .exact
    }

    enum TimmActivation { case exact, tanh, quick }
}
