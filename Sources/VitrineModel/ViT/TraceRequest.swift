/// The inner values of a vision transformer that a method needs; the union over all methods is computed once.
///
/// Passes stop where nothing asked for lies further down.
public struct TraceRequest: Sendable, Equatable {
    /// Values to keep.
    public var forward: Set<Site>
    /// Passes downwards, each with the places where its values are wanted.
    public var backward: [Backward: Set<Site>]

    /// - Parameters:
    ///   - gradient: places where the exact gradient of the target is wanted.
    ///   - relevance: places where relevance is wanted, by rule.
    public init(forward: Set<Site> = [], gradient: Set<Site> = [], relevance: [RelevanceRule: Set<Site>] = [:]) {
        self.forward = forward
        backward = gradient.isEmpty ? [:] : [.gradient(): gradient]
        for (rule, sites) in relevance { backward[.relevance(rule)] = sites }
    }

    /// Nothing but the logits.
    public static var logits: TraceRequest { TraceRequest() }

    /// Whether a class must be named.
    public var needsTarget: Bool { !backward.isEmpty }

    public mutating func formUnion(_ other: TraceRequest) {
        forward.formUnion(other.forward)
        backward.merge(other.backward) { $0.union($1) }
    }

    public func union(_ other: TraceRequest) -> TraceRequest {
        var result = self
        result.formUnion(other)
        return result
    }

    /// Forward passes that serve it: a second one in Float64 for relevance of double precision.
    public var forwardPasses: Int { backward(.double).isEmpty ? 1 : 2 }

    /// The passes downwards that read a forward pass of this precision.
    func backward(_ precision: Precision) -> [Backward: Set<Site>] { backward.filter { $0.key.precision == precision } }

    /// The lowest block whose inner values must outlive the forward pass of this precision; `depth` when none.
    func firstKeptBlock(depth: Int, _ precision: Precision = .single) -> Int {
        backward(precision).reduce(depth) { first, entry in
            var lowest = min(first, max(0, entry.value.lowest?.block ?? depth))
            // A reading below the top reads that block's output, even where nothing of the blocks is wanted.
            if case .gradient(_, .block(let block, _)) = entry.key { lowest = min(lowest, max(0, block)) }
            return lowest
        }
    }

    /// Whether the last block must compute all tokens, those that the head does not read too.
    func needsAllTokens(depth: Int) -> Bool {
        if forward.contains(where: { $0.needsAllTokens(depth: depth) }) { return true }
        return backward.contains { pass, sites in
            switch pass {
            // The stabilised rule measures the spread of all tokens.
            case .relevance(let rule) where rule.addition != .published: return true
            case .gradient(_, .block(depth - 1, .meanOfTokens)), .gradient(_, .block(depth - 1, .meanOfNormed)): return true
            default: return sites.contains { $0.needsAllTokens(depth: depth) }
            }
        }
    }

    func check(_ network: ViTConfiguration) throws(ViTError) {
        let depth = network.depth
        try forward.check(network)
        for (pass, sites) in backward {
            try sites.check(network)
            switch pass {
            case .relevance:
                for site in sites {
                    switch site {
                    case .pixels, .tokens, .attention: continue
                    default: throw .siteNotServed(site: "\(site)", pass: "a relevance pass")
                    }
                }
            case .gradient(_, let reading):
                let block = reading.block(depth: depth)
                if !(0..<depth).contains(block) { throw .blockOutOfRange(block: block, depth: depth) }
                if case .block(_, let pooling) = reading, pooling != .own, network.pooling == .attention {
                    throw .unfitting(what: "a mean of tokens in the place of the pool", network: "attention pooling")
                }
                // The pool reads whatever is given to it.
                for site in sites where site.position > 10 * (block + 1) && site.block < depth {
                    throw .siteNotServed(site: "\(site)", pass: "a gradient read after block \(block)")
                }
            }
        }
    }
}
