import VitrineImage
import VitrineModel
import VitrineTensor

/// A map that ignores the model: what every method must beat.
public protocol Control: Explainer {
    func map(_ input: ControlInput) -> HeatMap
}

/// What a control may know of an image.
public struct ControlInput: Sendable {
    /// `[channels, height, width]`, normalised; only its size matters to most controls.
    public let image: Tensor
    /// Patch grid of a control that draws per patch.
    public let grid: PatchGrid
    /// Names the image; with `seed` it keys every random draw.
    public let name: String
    public let seed: UInt64

    public var height: Int { image.shape[1] }
    public var width: Int { image.shape[2] }

    func patchMap(_ values: [Float], _ display: DisplayRule) -> HeatMap {
        HeatMap(rows: grid.rows, columns: grid.columns, values: values, height: height, width: width, display: display)
    }

    func pixelMap(_ values: [Float], _ display: DisplayRule) -> HeatMap {
        HeatMap(rows: height, columns: width, values: values, height: height, width: width, display: display)
    }
}

extension Control {
    public func needs(_ network: ViTConfiguration) -> Needs { Needs() }

    public func map(_ subject: Subject, _ probe: Probe) -> MethodResult {
        MethodResult(map(ControlInput(image: subject.image, grid: subject.grid, name: subject.name, seed: subject.seed)))
    }
}

extension ConfiguredMethod {
    /// The map of a control, for which no model is needed.
    ///
    /// - Parameters: as in `ControlInput`.
    /// - Returns: nil for a method that looks at a model.
    public func controlMap(of image: Tensor, grid: PatchGrid, name: String, seed: UInt64) -> HeatMap? {
        (explainer as? any Control)?.map(ControlInput(image: image, grid: grid, name: name, seed: seed))
    }
}
