/// A bright mass and a dark one: the label needs both.
///
/// Two fifths of the negatives show the bright mass, two fifths the dark one, the rest none: taking either away from a positive changes
/// what it should be called.
enum ConjunctionPhantom: TissueGenerator {
    static func contents(isPositive: Bool, draws: inout PhantomDraws) -> Set<PhantomPart> {
        guard !isPositive else { return .lesions }
        let kind = draws.uniform(0, 1)
        return kind < 0.4 ? [.lesion] : kind < 0.8 ? [.secondLesion] : []
    }

    static func label(_ parts: Set<PhantomPart>) -> Int? { parts.isSuperset(of: .lesions) ? 1 : 0 }
}
