import VitrineImage
import VitrineTensor

/// What happens to an image before the network sees it: geometry, then normalisation.
///
/// Its text form, such as `resize:224:imagenet`, is saved in the metadata of a checkpoint (`Preprocess.metadataKey`), so that training
/// and explaining cannot differ by mistake.
public struct Preprocess: Sendable, Equatable, CustomStringConvertible {
    /// The key of the text form in the metadata of a safetensors checkpoint.
    public static let metadataKey = "vitrine.preprocess"
    /// Sides accepted by the text form, in pixels.
    static let sides = 1...16_384

    /// The name of the geometry, one of `PreprocessGeometry.all`.
    public var name: String { geometry.name }
    public let geometry: PreprocessGeometry
    /// Sizes of the geometry in pixels: none, the side of the result, or the shorter side and the side of the result.
    let sizes: [Int]
    public let normalisation: Normalisation
    /// How images are resampled; masks always take the nearest pixel.
    public let filter: ResizeFilter

    init(geometry: PreprocessGeometry, sizes: [Int], normalisation: Normalisation, filter: ResizeFilter) {
        precondition(sizes.count == geometry.sizeCount, "\(geometry.name) takes \(geometry.sizeCount) sizes")
        precondition(sizes.allSatisfy(Self.sides.contains), "sides lie in \(Self.sides)")
        self.geometry = geometry
        self.sizes = sizes
        self.normalisation = normalisation
        self.filter = filter
    }

    /// The side of the square that the network sees; nil when images keep their own size or become no squares.
    public var size: Int? { geometry.isSquare ? sizes.last : nil }

    /// The whole image squeezed to `size` x `size`.
    public static func resize(_ size: Int, normalisation: Normalisation = .imagenet, filter: ResizeFilter = .bilinear) -> Preprocess {
        Preprocess(geometry: .resize, sizes: [size], normalisation: normalisation, filter: filter)
    }

    /// A square of `size` x `size` from the centre, without resizing.
    public static func centerCrop(_ size: Int, normalisation: Normalisation = .imagenet) -> Preprocess {
        Preprocess(geometry: .centerCrop, sizes: [size], normalisation: normalisation, filter: .bilinear)
    }

    /// The shorter side brought to `shorterSide`, then a square of `size` x `size` from the centre.
    public static func resizeShorterCrop(
        shorterSide: Int, size: Int, normalisation: Normalisation = .imagenet, filter: ResizeFilter = .bilinear
    ) -> Preprocess {
        Preprocess(geometry: .resizeShorterCrop, sizes: [shorterSide, size], normalisation: normalisation, filter: filter)
    }

    /// The image at its own size.
    public static func none(normalisation: Normalisation = .imagenet) -> Preprocess {
        Preprocess(geometry: .none, sizes: [], normalisation: normalisation, filter: .bilinear)
    }

    public static func == (a: Preprocess, b: Preprocess) -> Bool {
        a.name == b.name && a.sizes == b.sizes && a.normalisation == b.normalisation && a.filter == b.filter
    }

    /// The input of the network: geometry, then `(x / 255 - mean) / deviation` in Float32, as torchvision computes it.
    ///
    /// - Returns: `[3, H, W]`, red first; grey images are repeated in all three channels.
    /// - Throws: `PreprocessError.tooLarge` when a resize would make an unreasonable image (a strip of 1 x 10,000 pixels, say).
    public func callAsFunction(_ image: Image) throws -> Tensor { tensor(fromPrepared: try prepared(image)) }

    /// The image as the network sees it: RGB, after geometry, before normalisation.
    public func prepared(_ image: Image) throws -> Image {
        let steps = try steps(width: image.width, height: image.height)
        return steps.reduce(image.converted(toChannels: 3)) { $0.applying($1, filter: filter) }
    }

    /// The mask of an image through the very same geometry, with nearest-neighbour sampling.
    ///
    /// - Parameter mask: of the size of the image as stored.
    public func apply(to mask: Mask) throws -> Mask {
        try steps(width: mask.width, height: mask.height).reduce(mask) { $0.applying($1) }
    }

    /// Normalises an image that went through the geometry already: `[3, H, W]`.
    public func tensor(fromPrepared image: Image) -> Tensor {
        let (h, w) = (image.height, image.width)
        // 256 possible values per channel: a table costs nothing in exactness and saves the divisions.
        let table = (0..<3).map { c in (0...255).map { normalisation.value(of: UInt8($0), channel: c) } }
        var tensor = Tensor([3, h, w])
        tensor.withMutableSpan { out in
            for c in 0..<3 {
                let values = table[c]
                let channel = image.channels == 3 ? c : 0
                for i in 0..<h * w { out[c * h * w + i] = values[Int(image.pixels[i * image.channels + channel])] }
            }
        }
        return tensor
    }

    /// One grey level (1 of 255) in normalised units, per channel: the unit in which input perturbations are stated.
    public var greyLevel: [Float] { normalisation.deviation.map { 1 / 255 / $0 } }

    /// The picture that a network input `[3, H, W]` shows: the inverse of the normalisation, rounded and clamped to bytes.
    public func displayImage(from tensor: Tensor) -> Image {
        precondition(tensor.shape.rank == 3 && tensor.shape[0] == 3, "a network input is [3, H, W], not \(tensor.shape)")
        let (h, w) = (tensor.shape[1], tensor.shape[2])
        var image = Image(width: w, height: h, channels: 3)
        tensor.withSpan { values in
            for c in 0..<3 {
                for i in 0..<h * w { image.pixels[3 * i + c] = normalisation.byte(of: values[c * h * w + i], channel: c) }
            }
        }
        return image
    }

    private func steps(width: Int, height: Int) throws(PreprocessError) -> [PreprocessGeometry.Step] {
        let steps = geometry.steps(width: width, height: height, sizes: sizes)
        for case .resize(let newWidth, let newHeight) in steps
        where newWidth.multipliedReportingOverflow(by: newHeight).overflow || newWidth * newHeight > ImageLimits.default.pixels {
            throw .tooLarge(preprocess: description, width: width, height: height)
        }
        return steps
    }
}

/// Why a preprocessing could not be understood or applied.
public enum PreprocessError: Error, CustomStringConvertible, Equatable, Sendable {
    case unknownGeometry(text: String, name: String)
    case unknownNormalisation(text: String, name: String)
    case unknownPreset(name: String)
    /// A preset and the file's own configuration disagree.
    case presetConflict(preset: String, says: String, path: String, own: String)
    case badSize(text: String, size: String)
    /// The text gives no size, and no default was at hand.
    case missingSize(text: String, expected: Int)
    case wrongSizeCount(text: String, expected: Int, found: Int)
    case tooManyParts(text: String)
    /// A library's description of its preprocessing asks for what is not done here.
    case unsupported(source: String, what: String)
    case tooLarge(preprocess: String, width: Int, height: Int)
    /// An array that claims to be preprocessed is not 3 x H x W.
    case notPreprocessed(path: String, shape: [Int])
    case notFinite(path: String, index: Int)
    /// An array that claims to be preprocessed holds values that no image has after the normalisation.
    case notNormalised(path: String, value: Float, range: [Float])
    case maskSize(path: String, mask: [Int], image: [Int], network: [Int])

    public var description: String {
        switch self {
        case .unknownGeometry(let text, let name):
            return "preprocessing '\(text)': '\(name)' is none of \(PreprocessGeometry.all.map(\.name).joined(separator: ", "))"
        case .unknownNormalisation(let text, let name):
            let names = Normalisation.all.map(\.name).joined(separator: ", ")
            let filters = ResizeFilter.allCases.map(\.rawValue).joined(separator: ", ")
            return
                "preprocessing '\(text)': '\(name)' is no size, no normalisation (\(names), or MEAN/DEVIATION) and no filter (\(filters))"
        case .unknownPreset(let name):
            return "there is no preset '\(name)'; there are \(PreprocessPreset.all.map(\.name).joined(separator: ", "))"
        case .presetConflict(let preset, let says, let path, let own):
            return "preset '\(preset)' prepares images by \(says), and \(path) says \(own); leave the preset out, or name a preprocessing"
        case .badSize(let text, let size):
            return
                "preprocessing '\(text)': size '\(size)' is no whole number in 1...\(Preprocess.sides.upperBound)"
        case .missingSize(let text, let expected):
            return
                "preprocessing '\(text)' needs \(expected == 1 ? "a size, such as '\(text):224'" : "two sizes, such as '\(text):256,224'")"
        case .wrongSizeCount(let text, let expected, let found):
            return "preprocessing '\(text)' takes \(expected) size\(expected == 1 ? "" : "s"), \(found) given"
        case .unsupported(let source, let what):
            return "\(source): \(what) is not supported; give the preprocessing yourself"
        case .tooManyParts(let text):
            return "preprocessing '\(text)' has too many parts; write name:size:normalisation:filter, such as resize:224:imagenet:bilinear"
        case .tooLarge(let preprocess, let width, let height):
            return "an image of \(width) x \(height) pixels becomes too large under '\(preprocess)'; crop it first"
        case .notPreprocessed(let path, let shape):
            return "\(path): has shape \(shape), a preprocessed image has [3, height, width]; save pixels as PNG"
        case .notFinite(let path, let index):
            return "\(path): element \(index) is NaN or infinite; a preprocessed image holds finite numbers"
        case .notNormalised(let path, let value, let range):
            return """
                \(path): holds \(value), and a normalised image lies in about \(range[0])...\(range[1]): these may be pixels of 0...255; save them \
                as PNG, or normalise them first
                """
        case .maskSize(let path, let mask, let image, let network):
            return
                "\(path): mask of \(mask[0]) x \(mask[1]) pixels fits neither its image (\(image[0]) x \(image[1])) "
                + "nor the network's input (\(network[0]) x \(network[1])); export it at the image's size"
        }
    }
}
