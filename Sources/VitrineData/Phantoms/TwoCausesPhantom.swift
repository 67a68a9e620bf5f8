/// A bright mass, a dark one or both: either makes the label.
///
/// Half of the positives show both. There the prediction survives the loss of either, and falls with both: an explanation that takes one
/// thing away at a time sees nothing, and one that is right marks both.
enum TwoCausesPhantom: TissueGenerator {
    static func contents(isPositive: Bool, draws: inout PhantomDraws) -> Set<PhantomPart> {
        guard isPositive else { return [] }
        let kind = draws.uniform(0, 1)
        return kind < 0.5 ? .lesions : kind < 0.75 ? [.lesion] : [.secondLesion]
    }

    static func label(_ parts: Set<PhantomPart>) -> Int? { parts.isDisjoint(with: .lesions) ? 0 : 1 }
}
