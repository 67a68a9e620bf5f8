/// A thing planted into a phantom, which a counterfactual can leave out.
public enum PhantomPart: String, Sendable, CaseIterable, Codable {
    /// The lesion of the first kind, alone or several of them.
    case lesion
    /// The lesion of the second kind, in tasks that have two.
    case secondLesion = "second-lesion"
    /// A look-alike that means nothing.
    case distractor
    /// A structure that varies with the picture's haze and knows nothing of the label.
    case suppressor
    /// A burnt-in tag that goes with the label.
    case shortcut
}

extension Set<PhantomPart> {
    static let lesions: Set<PhantomPart> = [.lesion, .secondLesion]

    /// In the order of `PhantomPart`.
    public var ordered: [PhantomPart] { PhantomPart.allCases.filter(contains) }
}
