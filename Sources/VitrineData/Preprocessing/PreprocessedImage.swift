import VitrineImage
import VitrineTensor

/// An image ready for the network, with what is needed to draw it and to bring its mask along.
public struct PreprocessedImage: Sendable {
    /// `[3, H, W]`, normalised.
    public let tensor: Tensor
    /// What the network sees, as a picture; for an array that came already preprocessed, the inverse of the normalisation.
    public let image: Image
    /// Width of the image as stored, in pixels.
    public let storedWidth: Int
    /// Height of the image as stored, in pixels.
    public let storedHeight: Int
    /// The preprocessing; its geometry was not applied when `wasPreprocessed`.
    public let preprocess: Preprocess
    /// The file was an `.npy` array and was taken as it is.
    public let wasPreprocessed: Bool
    /// SHA-256 of the very bytes that were decoded; nil for what came from memory or from an array.
    public let sha256: String?
    /// The orientation that EXIF asks viewers for and that was not applied; see `ImageFile.orientation`.
    public let orientation: Int
    /// What was assumed about the file, one sentence each.
    public let notes: [String]

    /// Preprocesses an image in memory.
    public init(_ stored: Image, preprocess: Preprocess) throws { try self.init(stored, file: nil, preprocess: preprocess) }

    private init(_ stored: Image, file: ImageFile?, preprocess: Preprocess) throws {
        image = try preprocess.prepared(stored)
        tensor = preprocess.tensor(fromPrepared: image)
        storedWidth = stored.width
        storedHeight = stored.height
        self.preprocess = preprocess
        wasPreprocessed = false
        sha256 = file?.sha256
        orientation = file?.orientation ?? 1
        notes = file?.notes ?? []
    }

    /// Reads and preprocesses a file; an `.npy` array of shape 3 x H x W is taken as preprocessed already, normalised included.
    ///
    /// - Throws: `ImageError`, `NPYError`, or `PreprocessError` for an array of another shape or with NaN or infinite elements.
    public init(contentsOf path: String, preprocess: Preprocess) throws {
        guard path.lowercased().hasSuffix(".npy") else {
            let file = try ImageFile(contentsOf: path)
            try self.init(file.image, file: file, preprocess: preprocess)
            return
        }
        let array = try NPY.read(path)
        guard array.shape.count == 3, array.shape[0] == 3, array.shape[1] > 0, array.shape[2] > 0 else {
            throw PreprocessError.notPreprocessed(path: path, shape: array.shape)
        }
        if let index = array.values.firstIndex(where: { !$0.isFinite }) { throw PreprocessError.notFinite(path: path, index: index) }
        // Far beyond what the normalisation makes of 0...255: pixels that nobody normalised, or another unit.
        let ends = (0..<3).flatMap { c in [UInt8(0), 255].map { preprocess.normalisation.value(of: $0, channel: c) } }
        let (low, high) = (ends.min()!, ends.max()!)
        let room = 4 * (high - low)
        if let value = array.values.first(where: { $0 < low - room || $0 > high + room }) {
            throw PreprocessError.notNormalised(path: path, value: value, range: [low, high])
        }
        self.init(preprocessed: Tensor(Shape(array.shape), array.values), preprocess: preprocess)
    }

    /// Takes a network input `[3, H, W]` as it is.
    public init(preprocessed tensor: Tensor, preprocess: Preprocess) {
        self.tensor = tensor
        image = preprocess.displayImage(from: tensor)
        storedWidth = image.width
        storedHeight = image.height
        self.preprocess = preprocess
        wasPreprocessed = true
        sha256 = nil
        orientation = 1
        notes = []
    }

    /// Brings a mask of this image to what the network sees.
    ///
    /// A mask of the stored image's size goes through the very same geometry. A mask that already has the size of the network's input
    /// (the study's experts drew on the preprocessed images) is taken as it is.
    ///
    /// - Parameters:
    ///   - mask: at either size.
    ///   - source: the file that the mask came from, for the error.
    /// - Throws: `PreprocessError.maskSize` for any other size.
    public func align(_ mask: Mask, source: String = "mask") throws -> Mask {
        if mask.width == storedWidth && mask.height == storedHeight { return wasPreprocessed ? mask : try preprocess.apply(to: mask) }
        guard mask.width == image.width && mask.height == image.height else {
            throw PreprocessError.maskSize(
                path: source, mask: [mask.width, mask.height], image: [storedWidth, storedHeight], network: [image.width, image.height])
        }
        return mask
    }
}
