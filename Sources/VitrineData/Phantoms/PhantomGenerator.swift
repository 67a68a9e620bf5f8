/// What draws the images of one task, and what their parts mean.
///
/// A new task is one file with a type that conforms, and its lines in `PhantomTask`.
protocol PhantomGenerator {
    /// Radiographs, MRI and ultrasound have no colour.
    static var isGrey: Bool { get }
    /// Standard deviation of the sensor's noise, of full scale.
    static var noise: Float { get }
    /// How far exposures differ, for `PhantomRendering.exposed`; MR intensities have no unit, so their scale is wide.
    static var exposureSpread: Float { get }
    /// What the labels mean, from 0.
    static var classNames: [String] { get }
    /// Options of `PhantomOptions` that the task takes; all take contrast.
    static var takes: Set<PhantomOptions.Name> { get }
    /// Parts that `contents` draws from.
    static var kinds: Set<PhantomPart> { get }
    /// Whether renderings say which part covers what.
    static var tellsParts: Bool { get }
    /// Lesions, and whatever belongs to the picture itself, of an image that is drawn as positive or negative; a distractor and a
    /// tag come on top.
    static func contents(isPositive: Bool, draws: inout PhantomDraws) -> Set<PhantomPart>
    /// The label of an image that shows these parts; nil where the task gives none.
    static func label(_ parts: Set<PhantomPart>) -> Int?
    static func render(_ scene: PhantomScene) -> PhantomRendering
}

extension PhantomGenerator {
    static var isGrey: Bool { false }
    static var noise: Float { 0.012 }
    static var exposureSpread: Float { 0.14 }
    static var classNames: [String] { ["negative", "positive"] }
    static var takes: Set<PhantomOptions.Name> { [.size, .contrast] }
    static var kinds: Set<PhantomPart> { [.lesion] }
    static var tellsParts: Bool { false }
    static func contents(isPositive: Bool, draws: inout PhantomDraws) -> Set<PhantomPart> { isPositive ? [.lesion] : [] }
    static func label(_ parts: Set<PhantomPart>) -> Int? { parts.contains(.lesion) ? 1 : 0 }
}

/// A task whose causes lie in `Tissue`.
protocol TissueGenerator: PhantomGenerator {}

extension TissueGenerator {
    static var isGrey: Bool { true }
    static var takes: Set<PhantomOptions.Name> { Set(PhantomOptions.Name.allCases) }
    static var kinds: Set<PhantomPart> { .lesions }
    static var tellsParts: Bool { true }
    static func render(_ scene: PhantomScene) -> PhantomRendering { Tissue(scene, kinds: kinds.ordered).render(scene) }
}
