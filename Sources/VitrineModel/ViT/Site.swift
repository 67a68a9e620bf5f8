/// A place in a vision transformer whose values, gradients or relevance a pass can keep.
///
/// Blocks count from 0. Shapes are those of one image; a trace holds them with the batch in front.
public enum Site: Sendable, Hashable, CustomStringConvertible {
    /// `[channels, height, width]`, normalised. Relevance of pixels has its channels summed: `[height, width]`.
    case pixels
    /// z_l `[tokens, width]`: what enters block l. 0 are the embedded tokens, positions included; `depth` those after the last block.
    case tokens(Int)
    /// u = LN1 z of a block, `[tokens, width]`.
    case norm1(Int)
    /// Queries, keys and values of a block, bias included, `[tokens, 3 width]`.
    case qkv(Int)
    /// S = Q K^T / sqrt(d) of a block, before the softmax, `[heads, tokens, tokens]`; with `depth`, of attention pooling, as below.
    case scores(Int)
    /// A = softmax(S) of a block, `[heads, tokens, tokens]`; rows sum to 1. With `depth`, where attention pools, the one row in which its
    /// query asks the patches, `[heads, 1, tokens]`, 0 at prefix tokens.
    case attention(Int)
    /// o = A V of a block, heads side by side, `[tokens, width]`.
    case context(Int)
    /// z' of a block, after the attention branch was added, `[tokens, width]`.
    case middle(Int)

    public var description: String {
        switch self {
        case .pixels: "the pixels"
        case .tokens(let block): "the tokens that enter block \(block)"
        case .norm1(let block): "the first norm of block \(block)"
        case .qkv(let block): "the queries, keys and values of block \(block)"
        case .scores(let block): "the attention scores of block \(block)"
        case .attention(let block): "the attention of block \(block)"
        case .context(let block): "the context of block \(block)"
        case .middle(let block): "the middle of block \(block)"
        }
    }

    /// Where it stands from the pixels up: a pass downwards meets the larger ones first.
    var position: Int {
        switch self {
        case .pixels: -1
        case .tokens(let block): 10 * block
        case .norm1(let block): 10 * block + 1
        case .qkv(let block): 10 * block + 2
        case .scores(let block): 10 * block + 3
        case .attention(let block): 10 * block + 4
        case .context(let block): 10 * block + 5
        case .middle(let block): 10 * block + 6
        }
    }

    /// The block it belongs to; -1 for the pixels, and `depth` for the tokens after the last block.
    var block: Int {
        switch self {
        case .pixels: -1
        case .tokens(let l), .norm1(let l), .qkv(let l), .scores(let l), .attention(let l), .context(let l), .middle(let l): l
        }
    }

    /// The block whose inner values hold it: tokens are what the block below put out.
    var stateBlock: Int { if case .tokens(let block) = self { block - 1 } else { block } }

    /// Whether the last block must compute all tokens for it, those that the head does not read too.
    func needsAllTokens(depth: Int) -> Bool {
        switch self {
        case .context(let block), .middle(let block): block == depth - 1
        case .tokens(let block): block == depth
        default: false
        }
    }
}

extension Set<Site> {
    /// The lowest place, which ends a pass downwards.
    var lowest: Site? { self.min { $0.position < $1.position } }

    func check(_ network: ViTConfiguration) throws(ViTError) {
        let depth = network.depth
        for site in sorted(by: { $0.position < $1.position }) {
            let top =
                switch site {
                case .tokens: depth
                case .attention, .scores: network.attentions.upperBound - 1
                default: depth - 1
                }
            if site != .pixels && !(0...top).contains(site.block) { throw .blockOutOfRange(block: site.block, depth: depth) }
        }
    }
}
