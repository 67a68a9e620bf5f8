import VitrineImage

/// Which part of an image the network sees, and at which size: a named sequence of resizing and cropping.
///
/// The steps depend on the size of the image alone, so an image and its mask go through the very same geometry.
public struct PreprocessGeometry: Sendable {
    /// One step; a mask takes it with nearest-neighbour sampling, an image with the filter of the preprocessing.
    public enum Step: Sendable, Equatable {
        case resize(width: Int, height: Int)
        /// The centre, with torchvision's rounding; zeros where the image is smaller.
        case centerCrop(width: Int, height: Int)
    }

    /// The name in preprocessing strings, checkpoint metadata and on the command line.
    public let name: String
    /// One line for help texts.
    public let summary: String
    /// How many sizes stand after the name: 0 none, 1 the side of the result, 2 the shorter side and the side of the result.
    let sizeCount: Int
    /// The result is a square of the last size.
    let isSquare: Bool
    private let plan: @Sendable (_ width: Int, _ height: Int, _ sizes: [Int]) -> [Step]

    private init(
        name: String, summary: String, sizeCount: Int, isSquare: Bool = true,
        plan: @escaping @Sendable (_ width: Int, _ height: Int, _ sizes: [Int]) -> [Step]
    ) {
        self.name = name
        self.summary = summary
        self.sizeCount = sizeCount
        self.isSquare = isSquare
        self.plan = plan
    }

    /// The steps for an image of `width` x `height` pixels.
    func steps(width: Int, height: Int, sizes: [Int]) -> [Step] { plan(width, height, sizes) }

    /// The whole image squeezed into a square, proportions not kept: the study's choice for CP-CHILD and DUKE.
    public static let resize = PreprocessGeometry(
        name: "resize", summary: "the whole image resized to a square, proportions not kept", sizeCount: 1
    ) { _, _, sizes in [.resize(width: sizes[0], height: sizes[0])] }

    /// A square from the centre without resizing: the study's choice for Kvasir and MURA, whose stored images have a shorter side of 256.
    public static let centerCrop = PreprocessGeometry(
        name: "center-crop", summary: "a square from the centre, without resizing; zeros where the image is smaller", sizeCount: 1
    ) { _, _, sizes in [.centerCrop(width: sizes[0], height: sizes[0])] }

    /// The shorter side resized, then a square from the centre: the evaluation preprocessing of most published classifiers.
    public static let resizeShorterCrop = PreprocessGeometry(
        name: "resize-shorter-crop", summary: "the shorter side resized, then a square from the centre", sizeCount: 2
    ) { width, height, sizes in
        // Torchvision cuts the longer side off to an integer, it does not round.
        let longer = max(1, Int(Double(sizes[0] * max(width, height)) / Double(min(width, height))))
        return [
            width <= height ? .resize(width: sizes[0], height: longer) : .resize(width: longer, height: sizes[0]),
            .centerCrop(width: sizes[1], height: sizes[1]),
        ]
    }

    /// The whole image squeezed into a square, then a square from the centre of that: DeiT in Hugging Face, `squash` in timm.
    public static let resizeCrop = PreprocessGeometry(
        name: "resize-crop", summary: "the whole image resized to a square, then a smaller square from its centre", sizeCount: 2
    ) { _, _, sizes in
        [.resize(width: sizes[0], height: sizes[0]), .centerCrop(width: sizes[1], height: sizes[1])]
    }

    /// The whole image squeezed into a rectangle, for models whose input is no square.
    public static let resizeRectangle = PreprocessGeometry(
        name: "resize-rectangle", summary: "the whole image resized to height, width", sizeCount: 2, isSquare: false
    ) { _, _, sizes in [.resize(width: sizes[1], height: sizes[0])] }

    /// The image as it is.
    public static let none = PreprocessGeometry(name: "none", summary: "the image as it is, at its own size", sizeCount: 0) { _, _, _ in []
    }

    /// All geometries; help and error messages list them.
    public static let all: [PreprocessGeometry] = [.resize, .centerCrop, .resizeShorterCrop, .resizeCrop, .resizeRectangle, .none]
}

extension Image {
    func applying(_ step: PreprocessGeometry.Step, filter: ResizeFilter) -> Image {
        switch step {
        case .resize(let width, let height): resized(width: width, height: height, filter: filter)
        case .centerCrop(let width, let height): centerCropped(width: width, height: height)
        }
    }
}

extension Mask {
    func applying(_ step: PreprocessGeometry.Step) -> Mask {
        switch step {
        case .resize(let width, let height): resized(width: width, height: height)
        case .centerCrop(let width, let height): centerCropped(width: width, height: height)
        }
    }
}
