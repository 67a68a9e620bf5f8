import VitrineImage

/// How the model's answer moves while patches go or come in the order of a map: what deletion, insertion and their kin share.
struct RemovalCurve: Sendable {
    /// Points besides the first; point k stands at the fraction k / steps of the patches.
    let steps: Int
    let removal: RemovalRule
    let scale: AnswerScale

    static let options = ["steps=20", removalOption, scaleOption]
    static let removalOption = RemovalRule.option()
    static let scaleOption = "value=probability|logit"

    init(_ options: inout MetricOptions) throws(MetricError) {
        steps = try options.count("steps", default: 20, in: 1...100_000)
        removal = try options.choice("removal", default: .drop)
        scale = try options.choice("value", default: .probability)
    }

    init(steps: Int, removal: RemovalRule = .drop, scale: AnswerScale = .probability) {
        (self.steps, self.removal, self.scale) = (steps, removal, scale)
    }

    /// From the whole image to nothing, the first patches of an order first.
    func deletion(_ order: [Int], _ witness: some Witness) throws -> [Double] {
        try witness.values(
            keeping: (0...steps).map { order[PatchOrder.count($0, of: steps, order.count)...].sorted() }, by: removal, scale)
    }

    /// From nothing to the whole image, the first patches of an order first.
    func insertion(_ order: [Int], _ witness: some Witness) throws -> [Double] {
        try witness.values(
            keeping: (0...steps).map { order[..<PatchOrder.count($0, of: steps, order.count)].sorted() }, by: removal, scale)
    }

    func measurement(_ curve: [Double], _ witness: some Witness) throws(Undefined) -> Measurement {
        try requireChange(curve)
        return Measurement(area(curve), curve: curve.map { Float($0) }, note: witness.emptyNote(removal))
    }
}
