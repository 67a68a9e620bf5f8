import VitrineTensor

/// What a batch enters the network with.
public enum NetworkInput: Sendable {
    /// `[B, channels, height, width]`, normalised; both sides multiples of the patch size.
    case images(Tensor)
    /// Tokens that enter a block, `[B, N, width]`: prefix tokens, then patches.
    ///
    /// - Parameters:
    ///   - kept: by image, which patches of `grid` the rows after the prefix are, ascending; nil when all are there.
    ///   - block: the first block to run; 0 for embedded tokens (`VisionTransformer.embedded`).
    case tokens(Tensor, grid: PatchGrid, kept: [[Int]]? = nil, block: Int = 0)
    /// Tokens that enter a block, with other values in the place of its first norm's output, `[B, N, width]` both; all patches are there.
    case normed(tokens: Tensor, norm1: Tensor, grid: PatchGrid, block: Int)
    /// Embedded tokens `[B, N, width]` of which only some patches can be attended to, in every block.
    ///
    /// - Parameter visible: by image, the patches that are keys, ascending; prefix tokens always are. All tokens go on as queries.
    case masked(Tensor, grid: PatchGrid, visible: [[Int]])
}

extension VisionTransformer {
    /// Tokens that go through the network together: about a thousand, which fill the matrix products.
    public static let tokensPerPass = 1056

    /// Images that do.
    public static func imagesPerPass(tokens: Int) -> Int { max(1, tokensPerPass / max(1, tokens)) }

    /// z_0 `[B, N, width]`: patches and prefix tokens with their positions, what block 0 reads; behind the norm before the blocks, where
    /// there is one, which takes each token for itself.
    ///
    /// - Parameter images: `[B, channels, height, width]`, normalised.
    public func embedded(_ images: Tensor, workspace: Workspace) throws(ViTError) -> Tensor {
        inputNormed(try unnormedEmbedding(images, workspace: workspace), workspace: workspace)
    }

    /// The same before that norm, `[B, N, width]`: each token the sum of its content and its position.
    public func unnormedEmbedding(_ images: Tensor, workspace: Workspace) throws(ViTError) -> Tensor {
        let grid = try checkedGrid(of: images)
        let layout = TokenLayout(configuration: configuration, grid: grid, request: .logits)
        return Pass(model: self, layout: layout, workspace: workspace).embed(images, grid: grid)
    }

    /// Tokens `[.., width]` behind the norm before the blocks; the tokens themselves where there is none.
    public func inputNormed(_ tokens: Tensor, workspace: Workspace) -> Tensor {
        guard let inputNorm else { return tokens }
        let layout = TokenLayout(configuration: configuration, grid: configuration.positionGrid, request: .logits)
        return Pass(model: self, layout: layout, workspace: workspace).normed(inputNorm, tokens).output
    }

    /// The tokens `[B, N, width]` after one block.
    public func tokens(_ tokens: Tensor, through block: Int, grid: PatchGrid, workspace: Workspace) -> Tensor {
        let layout = TokenLayout(configuration: configuration, grid: grid, request: TraceRequest(forward: [.tokens(configuration.depth)]))
        return Pass(model: self, layout: layout, workspace: workspace).block(block, tokens).output
    }

    /// The final norm of rows `[n, width]`; models that pool before it are given the rows as if each were pooled. The rows themselves where there
    /// is none, or where it norms what attention gives of them.
    public func finalNorm(_ rows: Tensor, workspace: Workspace) -> Tensor {
        switch (configuration.normPlacement, configuration.pooling) {
        case (.absent, _), (.afterPooling, .attention): return rows
        case (.beforePooling, _), (.afterPooling, _): break
        }
        let layout = TokenLayout(configuration: configuration, grid: configuration.positionGrid, request: .logits)
        return Pass(model: self, layout: layout, workspace: workspace).normed(norm, rows).output
    }

    /// Queries, keys and values `[n, 3 width]`, each behind a block's output projection.
    public func projected(_ qkv: Tensor, block: Int, workspace: Workspace) -> Tensor {
        let layout = TokenLayout(configuration: configuration, grid: configuration.positionGrid, request: .logits)
        let rows = qkv.reshaped([3 * qkv.shape[0], configuration.width])
        return Pass(model: self, layout: layout, workspace: workspace).linear(blocks[block].projection, rows).reshaped(qkv.shape)
    }

    /// The patch grid of images `[B, channels, height, width]` that this model takes.
    func checkedGrid(of images: Tensor) throws(ViTError) -> PatchGrid {
        guard images.shape.rank == 4, images.shape[0] > 0, images.shape[1] == configuration.channels else {
            throw .imageShape(expected: "[B, \(configuration.channels), height, width]", found: images.shape.description)
        }
        return try configuration.grid(height: images.shape[2], width: images.shape[3])
    }
}
