import VitrineImage

/// Infidelity: the mean square of β I·φ - (f(x) - f(x - I)) over random perturbations I, with the factor β that makes it smallest.
///
/// I takes a random set of patches away, each patch with the same chance and any number of them equally likely, so that I·φ is the
/// map's sum over the set; β = E[ab] / E[a²] as captum's `normalize` has it, which makes the value invariant to scaling. In units of
/// the squared answer: between images it grows with the answer's range. Chance: random maps under the same model.
/// Source: Yeh et al. 2019, https://arxiv.org/abs/1901.09392; captum `infidelity(normalize=True)`.
public struct Infidelity: ModelMetric {
    public static let facts = MetricFacts(
        "infidelity", .faithfulness, better: .lower, options: ["samples=100", RemovalCurve.removalOption, RemovalCurve.scaleOption],
        summary: "mean squared error of the map's sums over random sets of patches, best scaled, against the falls of the model's answer",
        citation: "Yeh et al. 2019, https://arxiv.org/abs/1901.09392; captum infidelity(normalize=True)")

    public let identifier: String
    private let samples: Int
    private let removal: RemovalRule
    private let scale: AnswerScale

    public init(_ options: inout MetricOptions) throws(MetricError) {
        identifier = options.identifier
        samples = try options.count("samples", default: 100, in: 2...1_000_000)
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        let values = try PatchOrder(map, witness).values
        let sizes = (0..<samples).map { sample -> Int in
            var random = witness.random("infidelity-size", sample)
            return 1 + random.below(witness.patchCount)
        }
        let subsets = try RandomSubsets("infidelity", sizes: sizes, removal, scale, witness)
        return Measurement(Self.value(subsets.sums(values), subsets.falls), note: witness.emptyNote(removal))
    }

    /// From the map's sums and the falls of the answer.
    static func value(_ a: [Double], _ b: [Double]) -> Double {
        let (aa, ab) = (a.reduce(0) { $0 + $1 * $1 }, zip(a, b).reduce(0) { $0 + $1.0 * $1.1 })
        let factor = aa > 0 ? ab / aa : 0
        return zip(a, b).reduce(0) { $0 + (factor * $1.0 - $1.1) * (factor * $1.0 - $1.1) } / Double(a.count)
    }
}
