/// The four modalities of the study that phantoms imitate.
public enum PhantomTask: String, Sendable, CaseIterable, Codable {
    /// Colonoscopy; the lesion is a polyp.
    case colon
    /// Breast MRI, axial, fat-suppressed and with contrast agent; the lesion is an enhancing mass.
    case breastMR = "breast-mr"
    /// Gastroscopy at the gastro-oesophageal junction; the lesion is inflamed streaks above the z-line.
    case oesophagus
    /// Radiograph of a limb; the lesion is a fracture, or a metal plate with screws.
    case bone

    func render(_ scene: PhantomScene) -> PhantomRendering {
        switch self {
        case .colon: ColonPhantom.render(scene)
        case .breastMR: BreastMRPhantom.render(scene)
        case .oesophagus: OesophagusPhantom.render(scene)
        case .bone: BonePhantom.render(scene)
        }
    }

    /// Radiographs and MRI have no colour.
    var isGrey: Bool { self == .breastMR || self == .bone }

    /// Standard deviation of the sensor's noise, of full scale.
    var noise: Float { self == .bone ? 0.020 : 0.012 }

    /// How far exposures differ, for `PhantomRendering.exposed`; MR intensities have no unit, so their scale is wide.
    var exposureSpread: Float { self == .breastMR ? 0.36 : 0.14 }
}
