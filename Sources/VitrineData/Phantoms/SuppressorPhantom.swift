/// A bright mass in hazy tissue; a strip along the upper edge shows the haze, as a reference wedge would.
///
/// The strip is what statistics calls a suppressor: alone it says nothing about the label, but it goes with what disturbs the signal,
/// so that a linear reader gains by subtracting it. A network that finds the mass by its edges does not need it, which the
/// counterfactual check makes sure of; an explanation that credits the strip then credits what the network did not use.
/// Strip: 20 pixels high, of level 0.5 + 4 haze, in every image whatever its label.
/// Source: Haufe et al. 2014, https://doi.org/10.1016/j.neuroimage.2013.10.067; Clark et al. 2023, https://arxiv.org/abs/2306.12816.
enum SuppressorPhantom: TissueGenerator {
    static let kinds: Set<PhantomPart> = [.lesion, .suppressor]

    static func contents(isPositive: Bool, draws: inout PhantomDraws) -> Set<PhantomPart> {
        isPositive ? [.lesion, .suppressor] : [.suppressor]
    }

    static func render(_ scene: PhantomScene) -> PhantomRendering {
        let height = 20
        let tissue = Tissue(scene, kinds: [.lesion], free: Float(height))
        var out = tissue.render(scene)
        if scene.parts.contains(.suppressor) {
            var strip = Plane()
            for i in 0..<height * Plane.side {
                out.colours[i] = Colour(repeating: 0.5 + 4 * tissue.haze)
                strip.values[i] = 1
            }
            out.covers[.suppressor] = strip
        }
        return out
    }
}
