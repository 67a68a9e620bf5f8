/// What an explanation method says about each place of an image: the raw, signed values at the method's native
/// resolution (a patch grid, or pixels) and the rule by which the reference displays them.
///
/// Nothing is lost by storing it: upsampling and normalisation happen when a metric or a figure asks
/// (`displayed()`), so a stored map can be scored again under another rule.
public struct HeatMap: Sendable, Equatable {
    /// Rows of the native grid; row 0 is the top of the image.
    public let rows: Int
    /// Columns of the native grid.
    public let columns: Int
    /// `rows * columns` values, row-major; any sign; may hold NaN, which `audit` counts.
    public var values: [Float]
    /// Height of the image as the network saw it, in pixels.
    public let height: Int
    /// Width of the image as the network saw it, in pixels.
    public let width: Int
    public var display: DisplayRule

    public init(rows: Int, columns: Int, values: [Float], height: Int, width: Int, display: DisplayRule) {
        precondition(values.count == rows * columns, "a heat map holds rows x columns values")
        self.rows = rows
        self.columns = columns
        self.values = values
        self.height = height
        self.width = width
        self.display = display
    }
}

/// How a native map becomes the picture that its reference implementation shows and scores.
public struct DisplayRule: Sendable, Equatable, Codable {
    /// How a grid cell becomes pixels (spec: methods.md §0).
    public enum Upsampling: String, Sendable, Codable, CaseIterable {
        /// Each cell repeated (NumPy's `kron` with ones).
        case nearest
        /// Half-pixel centres, edges clamped (OpenCV `INTER_LINEAR`, PyTorch `align_corners=False`).
        case bilinear
        /// Half-pixel centres, Keys kernel with a = -0.75, edges clamped (PyTorch `bicubic`).
        case bicubic
    }

    /// How values are brought to a common range.
    public enum Normalisation: String, Sendable, Codable, CaseIterable {
        case none
        /// `(m - min) / (max - min)`: no epsilon, a constant map has no answer and is flagged.
        case minMax
        /// `(m - min) / (1e-7 + max(m - min))`, as pytorch-grad-cam does it.
        case minMaxGuarded
    }

    /// Negative values become 0 before anything else (Grad-CAM's ReLU).
    public var clipsNegatives: Bool
    /// Applied on the native grid, before upsampling.
    public var gridNormalisation: Normalisation
    public var upsampling: Upsampling
    /// Applied at full size, after upsampling.
    public var normalisation: Normalisation

    public init(
        clipsNegatives: Bool = false, gridNormalisation: Normalisation = .none, upsampling: Upsampling,
        normalisation: Normalisation
    ) {
        self.clipsNegatives = clipsNegatives
        self.gridNormalisation = gridNormalisation
        self.upsampling = upsampling
        self.normalisation = normalisation
    }

    /// The study's raw attention: cells repeated, min-max.
    public static let attention = DisplayRule(upsampling: .nearest, normalisation: .minMax)
    /// Chefer's relevance and the maps derived from it: bilinear, min-max.
    public static let relevance = DisplayRule(upsampling: .bilinear, normalisation: .minMax)
    /// pytorch-grad-cam: ReLU, min-max on the grid, bilinear, min-max again.
    public static let gradCAM = DisplayRule(
        clipsNegatives: true, gridNormalisation: .minMaxGuarded, upsampling: .bilinear, normalisation: .minMaxGuarded)
    /// A map that is finished already (pixels in [0, 1]).
    public static let finished = DisplayRule(upsampling: .nearest, normalisation: .none)
}
