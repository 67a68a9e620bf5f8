import VitrineImage
import VitrineModel
import VitrineTensor

extension ConfiguredMethod {
    /// The map of a control, for which no model is needed.
    ///
    /// - Parameters:
    ///   - image: `[channels, height, width]`, normalised; only its size matters to most controls.
    ///   - grid: patch grid of a control that draws per patch.
    ///   - name: names the image; with `seed` it keys every random draw.
    /// - Returns: nil for a method that looks at a model.
    public func controlMap(of image: Tensor, grid: PatchGrid, name: String, seed: UInt64) -> HeatMap? {
        guard method.isControl else { return nil }
        let nothing = ViTConfiguration(patchSize: 1, width: 1, depth: 1, heads: 1, classes: 0, positionGrid: grid)
        return explainer.map(Subject(configuration: nothing, image: image, grid: grid, name: name, seed: seed, traces: [:])).map
    }
}
