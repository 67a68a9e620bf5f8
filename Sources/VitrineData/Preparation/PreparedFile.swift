import VitrineImage

/// One file of a prepared data set.
public struct PreparedFile: Sendable {
    public enum Content: Sendable {
        /// The same bytes.
        case copy(of: String)
        /// The image through a preparation, written as PNG.
        case image(of: String, through: ImagePreparation)
        /// The lesion of a sample as a mask of 0 and 255, through the geometry of the same preparation.
        case mask(of: Sample, through: ImagePreparation)
        case text(String)
    }

    /// Path below the output folder.
    public let target: String
    public let content: Content
}

/// What the study does to a published image before it is stored: sizes and crops, bilinear with antialiasing.
public struct ImagePreparation: Sendable {
    private let read: @Sendable (_ path: String) throws -> Image
    private let steps: @Sendable (_ width: Int, _ height: Int) -> [PreprocessGeometry.Step]

    /// - Parameter read: how files become pictures, where the study has a rule of its own.
    init(
        reading read: @escaping @Sendable (_ path: String) throws -> Image = { try Image(contentsOf: $0) },
        steps: @escaping @Sendable (_ width: Int, _ height: Int) -> [PreprocessGeometry.Step]
    ) {
        self.read = read
        self.steps = steps
    }

    /// - Returns: the image as it is stored; grey stays grey.
    func image(contentsOf path: String) throws -> Image {
        let image = try read(path)
        return steps(image.width, image.height).reduce(image) { $0.applying($1, filter: .bilinear) }
    }

    /// - Returns: the sample's lesion, nearest-neighbour sampled, as an image of 0 and 255.
    func maskImage(of sample: Sample) throws -> Image {
        let image = try read(sample.imagePath)
        let regions = sample.annotation ?? Annotation([])
        let stored = try regions.mask(width: image.width, height: image.height, source: sample.imagePath)
        let mask = steps(image.width, image.height).reduce(stored) { $0.applying($1) }
        return Image(width: mask.width, height: mask.height, channels: 1, pixels: mask.bits.map { $0 ? 255 : 0 })
    }
}
