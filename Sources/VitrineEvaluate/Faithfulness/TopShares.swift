import VitrineImage

/// The answers without, or with only, the top 1, 5, 10, 20 and 50 % of the patches: what comprehensiveness and sufficiency share.
struct TopShares: Sendable {
    let removal: RemovalRule
    let scale: AnswerScale

    static let shares: [Double] = [1, 5, 10, 20, 50]
    static let options = [RemovalCurve.removalOption, RemovalCurve.scaleOption]

    init(_ options: inout MetricOptions) throws(MetricError) {
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    /// Falls from the answer to the whole image; half away from zero, at least one patch.
    func falls(_ map: HeatMap, _ witness: some Witness, keepingTop: Bool) throws -> Measurement {
        let order = try PatchOrder(map, witness)
        let sets = Self.shares.map { share -> [Int] in
            let count = max(1, Int((Double(witness.patchCount) * share / 100).rounded()))
            return keepingTop ? order.top(count) : order.rest(count)
        }
        let values = try witness.values(keeping: [Array(0..<witness.patchCount)] + sets, by: removal, scale)
        try requireChange(values)
        let falls = values.dropFirst().map { values[0] - $0 }
        return Measurement(mean(falls), curve: falls.map { Float($0) })
    }
}
