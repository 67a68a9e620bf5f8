import VitrineTensor

/// Images of which as many patches are left: sequences of one length.
public struct TokenGroup: Sendable {
    /// What enters the first block `[B, N, width]`: prefix tokens, then patches.
    public let tokens: Tensor
    /// By image, which patches of the grid the rows after the prefix are, ascending.
    public let kept: [[Int]]

    public init(tokens: Tensor, kept: [[Int]]) {
        self.tokens = tokens
        self.kept = kept
    }

    var count: Int { tokens.shape[0] }
}

extension VisionTransformer {
    /// Logits of sequences of different lengths, which share every product of rows; attention stays within a sequence.
    ///
    /// A weight is read once for all of them, and short sequences fill its products together.
    ///
    /// - Returns: by group, then by image: what each sequence alone gives, bit for bit; empty ones for a backbone.
    /// - Throws: `ViTError` for a wrong shape.
    public func logits(of groups: [TokenGroup], grid: PatchGrid, workspace: Workspace) throws(ViTError) -> [[[Float]]] {
        var passes: [Pass] = []
        for group in groups {
            let (layout, _) = try layout(of: .tokens(group.tokens, grid: grid, kept: group.kept), request: .logits)
            passes.append(passes.first?.carrying(layout) ?? Pass(model: self, layout: layout, workspace: workspace))
        }
        guard let joint = passes.first else { return [] }
        let parts = zip(groups, passes).map { PackedPart(images: $0.count, pass: $1) }
        var z = workspace.tensor([groups.reduce(0) { $0 + $1.count * $1.tokens.shape[1] }, configuration.width])
        var row = 0
        for group in groups {
            z.replace(from: row * configuration.width, with: group.tokens)
            row += group.count * group.tokens.shape[1]
        }
        for l in 0..<configuration.depth { z = joint.packedBlock(l, z, parts) }
        row = 0
        return parts.map { part in
            let rows = part.rows(z, from: &row, part.pass.layout.lastRows)
            guard let logits = part.pass.readout(rows).logits else { return [[Float]](repeating: [], count: part.images) }
            return (0..<part.images).map { logits[$0].values }
        }
    }
}

/// The sequences of one length within the rows of a packed pass.
private struct PackedPart {
    let images: Int
    let pass: Pass

    /// The part's own rows `[B, count, D]` of `[rows, D]`, no copy; `start` moves behind them.
    func rows(_ x: Tensor, from start: inout Int, _ count: Int) -> Tensor {
        defer { start += images * count }
        return x[start..<start + images * count].reshaped([images, count, x.shape.last])
    }
}

extension Pass {
    /// A block of the forward pass over rows `[rows, D]` of several parts, one behind the other.
    fileprivate func packedBlock(_ l: Int, _ z: Tensor, _ parts: [PackedPart]) -> Tensor {
        let block = model.blocks[l]
        let d = configuration.width
        let mapped = linear(block.qkv, normed(block.norm1, z).output)
        let outputs = parts.reduce(0) { $0 + $1.images * $1.pass.headLayout(l).outputRows }
        let keepsAll = outputs == z.shape[0]
        var context = workspace.tensor([outputs, d])
        var skipped = keepsAll ? z : workspace.tensor([outputs, d])
        var (row, skippedRow, output) = (0, 0, 0)
        for part in parts {
            let own = part.pass.mixed(l, part.rows(mapped, from: &row, part.pass.layout.tokens)).context
            context.replace(from: output * d, with: own)
            if !keepsAll {
                let all = part.rows(z, from: &skippedRow, part.pass.layout.tokens)
                skipped.replace(from: output * d, with: part.pass.firstRows(all, own.shape[1]))
            }
            output += part.images * own.shape[1]
        }
        let read = block.contextNorm.map { normed($0, context).output } ?? context
        let middle = sum(skipped, scaled(linear(block.projection, read), by: block.scale1))
        return sum(middle, mlp(block, middle).branch)
    }
}
