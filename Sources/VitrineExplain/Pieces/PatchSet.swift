import VitrineImage

/// A set of patches and the rule that took the others away: what answers are kept by.
struct PatchSet: Hashable {
    private let rule: RemovalRule
    private let bits: [UInt64]

    /// - Parameter count: of all patches; a set of all of them is the image itself, whatever the rule.
    init(_ patches: [Int], of count: Int, by rule: RemovalRule) {
        self.rule = patches.count == count ? .drop : rule
        var bits = [UInt64](repeating: 0, count: (count + 63) / 64)
        for patch in patches { bits[patch / 64] |= 1 << UInt64(patch % 64) }
        self.bits = bits
    }
}
