extension KnownModels {
    /// What the name of an architecture of timm's classes `Eva` and `Beit` says, as timm 1.0.31 defines them.
    struct Eva: Equatable {
        var size: Named?
        var rotary = RotaryKind.none
        var normEpsilon: Float = 1e-6
        var isSwiGLU = false
    }

    /// nil for architectures of other classes.
    static func eva(_ architecture: String) -> Eva? {
        let name = architecture.split(separator: ".").first.map(String.init) ?? architecture
        let words = Set(name.split(separator: "_").map(String.init))
        func size(_ table: [String: Named]) -> Named? { table.first { words.contains($0.key) }?.value }
        let usual = [
            "tiny": Named(width: 192, depth: 12, heads: 3), "small": Named(width: 384, depth: 12, heads: 6),
            "medium": Named(width: 512, depth: 12, heads: 8), "mediumd": Named(width: 512, depth: 20, heads: 8),
            "betwixt": Named(width: 640, depth: 12, heads: 10), "base": Named(width: 768, depth: 12, heads: 12),
            "large": Named(width: 1024, depth: 24, heads: 16),
        ]
        if name.hasPrefix("beit") { return Eva(size: size(usual)) }
        if name.hasPrefix("eva02_") {
            return Eva(size: size(usual), rotary: .eva(PatchGrid(rows: 16, columns: 16)), isSwiGLU: !words.contains("enormous"))
        }
        if name.hasPrefix("eva_giant") { return Eva(size: Named(width: 1408, depth: 40, heads: 16)) }
        if words.contains("dinov3") || words.contains("lingbot") {
            let large = ["huge": Named(width: 1280, depth: 32, heads: 20), "7b": Named(width: 4096, depth: 40, heads: 32)]
            return Eva(
                size: size(large) ?? size(usual), rotary: .dinov3, normEpsilon: 1e-5,
                isSwiGLU: words.contains("plus") || words.contains("7b") || words.contains("giant"))
        }
        guard words.contains("rope") else { return nil }
        if words.contains("gap") { return Eva(size: size(usual), rotary: .eva(PatchGrid(rows: 16, columns: 16))) }
        return Eva(size: size(usual), rotary: words.contains("mixed") ? .mixed : .axial)
    }

    /// Whether a layout is that of a published EVA-02 or EVA-X, whose heads are 64 wide.
    static func isEva02(_ layout: Layout) -> Bool {
        [(192, 12, 512), (384, 12, 1024), (768, 12, 2048), (1024, 24, 2730)].contains { $0 == (layout.width, layout.depth, layout.hidden) }
    }
}
