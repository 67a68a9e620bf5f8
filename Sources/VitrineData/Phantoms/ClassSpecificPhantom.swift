/// A bright mass (class 1) or a dark one (class 2): two positive classes with lesions of their own.
///
/// An image with both has no label. It exists as a counterfactual only: under each class's target, a map should mark that class's lesion.
enum ClassSpecificPhantom: TissueGenerator {
    static let classNames = ["negative", "bright", "dark"]

    static func contents(isPositive: Bool, draws: inout PhantomDraws) -> Set<PhantomPart> {
        guard isPositive else { return [] }
        return draws.chance(0.5) ? [.lesion] : [.secondLesion]
    }

    static func label(_ parts: Set<PhantomPart>) -> Int? {
        switch (parts.contains(.lesion), parts.contains(.secondLesion)) {
        case (false, false): 0
        case (true, false): 1
        case (false, true): 2
        case (true, true): nil
        }
    }
}
