import VitrineTensor

/// How many tokens of an image the passes carry.
struct TokenLayout: Sendable {
    /// r, tokens before the first patch.
    let prefix: Int
    /// N, prefix tokens included: rows per image.
    let tokens: Int
    /// Q, rows per image from the last block's context on. A head that reads class tokens sees them alone; of the other tokens nothing
    /// more is computed, unless somebody asks.
    let lastRows: Int
    /// The image's patches, there or not.
    let grid: PatchGrid
    /// By image, which patches of the grid are there, ascending; nil when all are.
    let kept: [[Int]]?
    /// By image, which patches can be attended to, ascending; nil when all can.
    let visible: [[Int]]?

    var patches: Int { tokens - prefix }

    /// Which patch of the grid a token behind the prefix is.
    func patch(_ token: Int, of image: Int) -> Int { kept.map { $0[image][token - prefix] } ?? token - prefix }

    /// - Parameter request: what later passes read.
    init(
        configuration: ViTConfiguration, grid: PatchGrid, kept: [[Int]]? = nil, visible: [[Int]]? = nil, request: TraceRequest
    ) {
        prefix = configuration.prefixTokens
        tokens = prefix + (kept?.first?.count ?? grid.count)
        self.grid = grid
        self.kept = kept
        self.visible = visible
        let wantsAllTokens = request.needsAllTokens(depth: configuration.depth)
        switch configuration.pooling {
        case .classToken: lastRows = wantsAllTokens ? tokens : 1
        case .distilled: lastRows = wantsAllTokens ? tokens : 2
        case .mean, .classAndMean, .attention: lastRows = tokens
        }
    }
}

/// One pass of a batch through a model: what every operation needs, named once.
///
/// Each operation stands in a file of its own under `Operations`, with its forward pass, gradient, relevance and weight gradient.
struct Pass: Sendable {
    let model: VisionTransformer
    private(set) var layout: TokenLayout
    let workspace: Workspace
    /// nil for a model whose positions do not rotate.
    let rotation: Rotation?

    init(model: VisionTransformer, layout: TokenLayout, workspace: Workspace) {
        self.model = model
        self.layout = layout
        self.workspace = workspace
        rotation = Rotation(model, grid: layout.grid)
    }

    /// The same for images of another number of tokens.
    func carrying(_ layout: TokenLayout) -> Pass {
        var pass = self
        pass.layout = layout
        return pass
    }

    var configuration: ViTConfiguration { model.configuration }
    var threads: Int { workspace.threads }

    /// A tensor of `x`'s shape with another last dimension; its values are undefined.
    func tensor(like x: Tensor, columns: Int) -> Tensor {
        var dimensions = x.shape.dimensions
        dimensions[dimensions.count - 1] = columns
        return workspace.tensor(Shape(dimensions))
    }
}
