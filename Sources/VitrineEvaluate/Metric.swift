/// A localisation metric: how well a map finds a mask.
///
/// A conforming type holds its parameters; `Evaluator` adds chance levels by permutation where `exactChance` has none, and
/// handles empty masks and maps without an answer, so that `value` sees only maps and masks that have pixels to compare.
public protocol Metric: Sendable {
    /// Name in tables and on the command line, with its options: `iou@5`, `pointing-game:first`.
    var identifier: String { get }
    /// One sentence: what it computes under its choices.
    var summary: String { get }
    /// Where it comes from.
    var citation: String { get }
    /// The metric; absent where the map's mass (mass metrics) or the mask (AUROC of a full mask) leaves it undefined.
    func value(of map: any RankedMap) -> Double?
    /// Expectation over all permutations of the map's values, where it has a closed form.
    func exactChance(of map: SiteRanking) -> Double?
    /// The most this metric can be for the mask, given how many pixels the map selects or ties.
    func ceiling(of map: SiteRanking) -> Double?
}
