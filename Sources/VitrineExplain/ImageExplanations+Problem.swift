extension ImageExplanations {
    /// Why nothing that was read off the network can be believed; nil while its logits are finite numbers.
    ///
    /// Half-precision training leaves weights that overflow; every map under such logits is NaN or, worse, looks like one.
    public var problem: String? {
        let bad = logits.count { !$0.isFinite }
        guard bad > 0 else { return nil }
        return "the network answers with \(bad) of \(logits.count) logits NaN or infinite; look for NaN and overflow in its weights"
    }
}
