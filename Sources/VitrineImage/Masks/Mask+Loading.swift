/// Which values of a mask file are lesion.
public enum MaskRule: Sendable, Equatable {
    /// Every value above zero, in any channel: the study's rule. Grey halos and JPEG ringing count.
    case positive
    /// Values of at least this many 8-bit grey levels, 0...255; colour counts by its luma.
    case atLeast(UInt8)
    /// At least half of the range: 0.5 where no value exceeds 1, 128 up to 255, 32768 beyond.
    case half
}

extension Mask {
    /// Reads a mask from an image file or a two-dimensional NPY array, told apart by their first bytes.
    ///
    /// NPY arrays of shape height x width, or with a single channel in front or behind, are compared as stored; `atLeast(128)` of
    /// an array in 0...1 is therefore empty. Of a 16-bit image a sample below 256 counts as 1 grey level, so that
    /// masks of 0 and 1 survive.
    ///
    /// - Throws: `ImageError`; an NPY file that cannot be read gives `ImageError.damaged` with the words of `NPYError`.
    public init(contentsOf path: String, rule: MaskRule = .positive, limits: ImageLimits = .default) throws(ImageError) {
        let bytes = try Image.fileBytes(path, limits: limits)
        try self.init(encoded: bytes, source: path, rule: rule, limits: limits)
    }

    /// Decodes a mask that is already in memory; `source` names it in errors.
    public init(
        encoded bytes: [UInt8], source: String = "mask in memory", rule: MaskRule = .positive, limits: ImageLimits = .default
    ) throws(ImageError) {
        if bytes.starts(with: NPY.magic) {
            let array: NPYArray
            do throws(NPYError) { array = try NPY.read(encoded: bytes, source: source) } catch {
                throw .damaged(source: source, format: "NPY", reason: "\(error)")
            }
            try self.init(array, source: source, rule: rule, limits: limits)
        } else {
            let request = ImageCodec.Request(source: source, limits: limits, keepsFaintSamples: true)
            self.init(try Image(encoded: bytes, request: request), rule: rule)
        }
    }

    /// The pixels of an image that a rule selects.
    public init(_ image: Image, rule: MaskRule) {
        let bits: [Bool]
        switch rule {
        case .positive:
            let n = image.channels
            bits = (0..<image.width * image.height).map { i in (0..<n).contains { image.pixels[i * n + $0] > 0 } }
        case .atLeast(let level): bits = image.converted(toChannels: 1).pixels.map { $0 >= level }
        case .half:
            let grey = image.converted(toChannels: 1).pixels
            let level: UInt8 = (grey.max() ?? 0) <= 1 ? 1 : 128
            bits = grey.map { $0 >= level }
        }
        self.init(width: image.width, height: image.height, bits: bits)
    }

    private init(_ array: NPYArray, source: String, rule: MaskRule, limits: ImageLimits) throws(ImageError) {
        var shape = array.shape
        if shape.count == 3 && shape[0] == 1 { shape.removeFirst() } else if shape.count == 3 && shape[2] == 1 { shape.removeLast() }
        guard shape.count == 2 else {
            throw .unsupported(
                source: source, format: "NPY", reason: "has shape \(array.shape), which is no mask; save height x width values")
        }
        try limits.check(width: shape[1], height: shape[0], source: source, format: "NPY")
        let nan = array.values.count { $0.isNaN }
        guard nan == 0 else {
            throw .unsupported(
                source: source, format: "NPY", reason: "holds \(nan) NaN values, which are neither lesion nor not; replace them")
        }
        let most = array.values.max() ?? 0
        let bits: [Bool]
        switch rule {
        case .positive: bits = array.values.map { $0 > 0 }
        case .atLeast(let level): bits = array.values.map { $0 >= Float(level) }
        case .half:
            let level: Float = most <= 1 ? 0.5 : most <= 255 ? 128 : 32768
            bits = array.values.map { $0 >= level }
        }
        self.init(width: shape[1], height: shape[0], bits: bits)
    }
}
