import VitrineImage

/// Symmetric relevance gain: the area when the least important patches go first, minus the area when the most important do.
///
/// The difference cancels what the removal rule does to every image alike, so that rankings of maps agree between rules. Invariant to
/// monotone changes of the map; the reversed map has the opposite value. Chance: random orders (0 in expectation). The note holds the
/// rule's own score: the share of ten random removals, of 5 to 95 %, that leave the prediction as it was (R-OMS).
/// Source: Blücher, Vielhaben & Strodthoff 2024, https://arxiv.org/abs/2401.06654.
public struct SymmetricRelevanceGain: ModelMetric {
    public static let facts = MetricFacts(
        "srg", .faithfulness, better: .higher, options: RemovalCurve.options,
        curve: "the model's answer from the whole image to nothing, most important patches first; then the same, least important first",
        summary: "area under the model's answer with the least important patches removed first, minus with the most important",
        citation: "Blücher, Vielhaben & Strodthoff 2024, https://arxiv.org/abs/2401.06654")

    public let identifier: String
    private let curve: RemovalCurve

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        curve = try RemovalCurve(&options)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let order = try PatchOrder(map, witness).patches
        let most = try curve.deletion(order, witness)
        let least = try curve.deletion(order.reversed(), witness)
        try requireChange(most + least)
        let note = try reliability(witness) + (witness.emptyNote(curve.removal).map { "; " + $0 } ?? "")
        return Measurement(area(least) - area(most), curve: (most + least).map { Float($0) }, note: note)
    }

    private func reliability(_ witness: some Witness) throws -> String {
        let (patches, draws) = (witness.patchCount, 10)
        let sets = (0..<draws).map { draw -> [Int] in
            var random = witness.random("random-removal", draw)
            let removed = PatchOrder.count(2 * draw + 1, of: 2 * draws, patches)
            return random.permutation(patches)[removed...].sorted()
        }
        let answers = try witness.logits(keeping: [Array(0..<patches)] + sets, by: curve.removal)
        let kept = answers.dropFirst().count { predictedClass($0) == predictedClass(answers[0]) }
        return "\(kept) of \(draws) random removals by '\(curve.removal.rawValue)' keep the prediction"
    }
}
