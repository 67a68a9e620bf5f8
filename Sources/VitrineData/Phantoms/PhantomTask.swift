/// What phantoms imitate: the four modalities of the study, and tissue in which causes of several kinds are planted.
public enum PhantomTask: String, Sendable, CaseIterable, Codable {
    /// Colonoscopy; the lesion is a polyp.
    case colon
    /// Breast MRI, axial, fat-suppressed and with contrast agent; the lesion is an enhancing mass.
    case breastMR = "breast-mr"
    /// Gastroscopy at the gastro-oesophageal junction; the lesion is inflamed streaks above the z-line.
    case oesophagus
    /// Radiograph of a limb; the lesion is a fracture, or a metal plate with screws.
    case bone
    /// Tissue with a bright mass, beside a strip that varies with the haze and must get no credit.
    case suppressor
    /// Tissue with a bright mass, a dark one or both: either makes the label.
    case twoCauses = "two-causes"
    /// Tissue with a bright mass and a dark one: the label needs both.
    case conjunction
    /// Tissue with a bright mass (class 1) or a dark one (class 2).
    case classSpecific = "class-specific"

    var generator: any PhantomGenerator.Type {
        switch self {
        case .colon: ColonPhantom.self
        case .breastMR: BreastMRPhantom.self
        case .oesophagus: OesophagusPhantom.self
        case .bone: BonePhantom.self
        case .suppressor: SuppressorPhantom.self
        case .twoCauses: TwoCausesPhantom.self
        case .conjunction: ConjunctionPhantom.self
        case .classSpecific: ClassSpecificPhantom.self
        }
    }

    /// What the labels mean, from 0.
    public var classNames: [String] { generator.classNames }

    /// Whether its lesions are masses in the same tissue, as those of other such tasks.
    public var isTissue: Bool { generator is any TissueGenerator.Type }

    /// The label of an image that shows these parts: what a counterfactual should be called. Nil where the task gives none.
    public func label(_ parts: Set<PhantomPart>) -> Int? { generator.label(parts) }
}
