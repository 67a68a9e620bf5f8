import VitrineModel

extension ViTConfiguration {
    /// The block an option names; nil for the last.
    func block(_ named: Int?) throws(ViTError) -> Int {
        let block = named ?? depth - 1
        guard (0..<depth).contains(block) else { throw .blockOutOfRange(block: block, depth: depth) }
        return block
    }

    /// The last blocks, as many as an option names.
    func last(_ count: Int) throws(ViTError) -> Range<Int> {
        guard (1...depth).contains(count) else { throw .blockCount(asked: count, depth: depth) }
        return depth - count..<depth
    }

    /// All attentions from the block an option names on.
    func attentions(from start: Int) throws(ViTError) -> Range<Int> { try block(start)..<attentions.upperBound }

    /// The attention an option names; nil for the last, which is the pool's where attention pools.
    func attention(_ named: Int?) throws(ViTError) -> Int { named == nil ? attentions.upperBound - 1 : try block(named) }

    /// What `Subject.readout(at:)` reads.
    var readoutSites: Set<Site> { pooling == .attention ? [.attention(depth)] : [] }

    /// All blocks from the one an option names on.
    func blocks(from start: Int) throws(ViTError) -> Range<Int> { try block(start)..<depth }
}
