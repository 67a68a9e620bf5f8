import VitrineTensor

/// How many tokens of an image the passes carry.
struct TokenLayout {
    /// N, prefix tokens included: rows per image.
    let tokens: Int
    /// Q, rows per image from the last block's context on. A head that reads class tokens sees them alone; of the other tokens nothing
    /// more is computed, unless somebody asks.
    let lastRows: Int

    /// - Parameter request: what later passes read. The stabilised rule measures the spread of all tokens, those of the last block too.
    init(configuration: ViTConfiguration, grid: PatchGrid, request: TraceRequest) {
        tokens = configuration.prefixTokens + grid.count
        let wantsAllTokens = request.relevance.keys.contains { if case .stabilised = $0 { true } else { false } }
        switch configuration.pooling {
        case .classToken: lastRows = wantsAllTokens ? tokens : 1
        case .distilled: lastRows = wantsAllTokens ? tokens : 2
        case .mean, .classAndMean: lastRows = tokens
        }
    }
}

/// The first `count` rows of every image: `[B, rows, D]` -> `[B, count, D]`.
func firstRows(_ x: Tensor, _ count: Int, workspace: Workspace) -> Tensor {
    let (batch, rows, d) = (x.shape[0], x.shape[1], x.shape[2])
    guard count != rows else { return x }
    var first = workspace.tensor([batch, count, d])
    for b in 0..<batch { first.replace(from: b * count * d, with: x[b][0..<count]) }
    return first
}

/// The transpose of `firstRows`: zeros behind the rows given, `[B, count, D]` -> `[B, rows, D]`.
func behind(_ x: Tensor, rows: Int, workspace: Workspace) -> Tensor {
    let (batch, count, d) = (x.shape[0], x.shape[1], x.shape[2])
    guard count != rows else { return x }
    var all = workspace.zeros([batch, rows, d])
    for b in 0..<batch { all.replace(from: b * rows * d, with: x[b]) }
    return all
}

/// Where the queries, keys, values, attention matrix and context of a head lie in the batch tensors of a block.
struct HeadLayout {
    /// Rows per image of the context and all that follows.
    let outputRows: Int
    private let layout: TokenLayout
    private let heads: Int
    private let d: Int

    init(configuration: ViTConfiguration, layout: TokenLayout, block: Int) {
        self.layout = layout
        heads = configuration.heads
        d = configuration.headWidth
        outputRows = block == configuration.depth - 1 ? layout.lastRows : layout.tokens
    }

    private var width: Int { heads * d }

    private func part(_ b: Int, _ h: Int, _ i: Int, rows: Int) -> MatrixWindow {
        MatrixWindow(start: b * layout.tokens * 3 * width + i * width + h * d, rows: rows, columns: d, stride: 3 * width)
    }

    func allQueries(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 0, rows: layout.tokens) }
    func query(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 0, rows: outputRows) }
    func key(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 1, rows: layout.tokens) }
    func value(_ b: Int, _ h: Int) -> MatrixWindow { part(b, h, 2, rows: layout.tokens) }

    private func scores(_ b: Int, _ h: Int, rows: Int) -> MatrixWindow {
        let n = layout.tokens
        return MatrixWindow(start: (b * heads + h) * n * n, rows: rows, columns: n, stride: n)
    }

    /// In `[B, H, N, N]`.
    func allAttention(_ b: Int, _ h: Int) -> MatrixWindow { scores(b, h, rows: layout.tokens) }
    /// The rows of `allAttention` that belong to `query`.
    func attention(_ b: Int, _ h: Int) -> MatrixWindow { scores(b, h, rows: outputRows) }

    /// In `[B, Q, D]`.
    func context(_ b: Int, _ h: Int) -> MatrixWindow {
        MatrixWindow(start: b * outputRows * width + h * d, rows: outputRows, columns: d, stride: width)
    }
}
