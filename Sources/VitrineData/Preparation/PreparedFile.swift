import VitrineImage

/// One file of a prepared data set.
public struct PreparedFile: Sendable {
    public enum Content: Sendable {
        /// The same bytes.
        case copy(of: String)
        /// The image through a preparation, written as PNG.
        case image(of: String, through: ImagePreparation)
        case text(String)
    }

    /// Path below the output folder.
    public let target: String
    public let content: Content
}

/// What the study does to a published image before it is stored: sizes and crops, bilinear with antialiasing.
public struct ImagePreparation: Sendable {
    private let stretchesToMaximum: Bool
    private let steps: @Sendable (_ width: Int, _ height: Int) -> [PreprocessGeometry.Step]

    init(
        stretchesToMaximum: Bool = false, steps: @escaping @Sendable (_ width: Int, _ height: Int) -> [PreprocessGeometry.Step]
    ) {
        self.stretchesToMaximum = stretchesToMaximum
        self.steps = steps
    }

    /// - Returns: the image as it is stored; grey stays grey.
    public func callAsFunction(_ image: Image) -> Image {
        var image = image
        if stretchesToMaximum, let maximum = image.pixels.max(), maximum > 0 {
            image.pixels = image.pixels.map { UInt8(Int($0) * 255 / Int(maximum)) }
        }
        return steps(image.width, image.height).reduce(image) { $0.applying($1, filter: .bilinear) }
    }
}
