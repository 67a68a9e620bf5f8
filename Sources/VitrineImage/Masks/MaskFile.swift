import VitrineTensor

/// A mask file that was read whole, once: the lesion, and what a reader should know about the file.
///
/// Every command reads masks through this type, so that a mask means the same everywhere.
public struct MaskFile: Sendable {
    public let mask: Mask
    /// Number of distinct grey values as stored; of colours, of their luma. More than two are halos of resampling or compression.
    public let greyLevels: Int
    /// SHA-256 of the very bytes that were decoded, in hexadecimal.
    public let sha256: String
    /// The orientation that EXIF asks viewers for and that was not applied, as `ImageFile.orientation`.
    public let orientation: Int
    /// What may be wrong, one sentence each, without the file's name.
    public let notes: [String]

    /// Reads a mask from an image file or a two-dimensional NPY array, told apart by their first bytes.
    ///
    /// Values count as stored, whatever the depth: a 16-bit mask of 0 and 1 or of 0 and 255 is one of 8 bits. NPY arrays have shape
    /// height x width, or a single channel in front or behind.
    ///
    /// - Throws: `ImageError`: a file that cannot be read, or `ambiguousMask` where the rule would have to guess what is lesion.
    public init(contentsOf path: String, rule: MaskRule = .positive, limits: ImageLimits = .default) throws(ImageError) {
        try self.init(encoded: wholeFile(path, limits: limits), source: path, rule: rule, limits: limits)
    }

    /// Decodes a mask that is already in memory; `source` names it in errors.
    public init(
        encoded bytes: [UInt8], source: String = "mask in memory", rule: MaskRule = .positive, limits: ImageLimits = .default
    ) throws(ImageError) {
        sha256 = VitrineTensor.sha256(of: bytes)
        let values: MaskValues
        var notes: [String] = []
        if bytes.starts(with: NPY.magic) {
            values = try MaskValues(npy: bytes, source: source, limits: limits)
            orientation = 1
        } else {
            let (_, raster) = try Raster.decoded(bytes, ImageCodec.Request(source: source, limits: limits, isMask: true))
            values = try MaskValues(raster, source: source)
            orientation = raster.orientation
            notes = raster.notes
        }
        mask = Mask(width: values.width, height: values.height, bits: try values.selected(rule, source: source))
        if values.isLossy && rule == .positive && values.distinct > 2 {
            let half = values.luma.map { $0.count { $0 >= 128 } } ?? values.values.count { $0 >= 128 }
            if half != mask.count {
                let share = { (count: Int) in "\((Double(count) / Double(max(1, values.values.count)) * 1000).rounded() / 1000)" }
                notes.append(
                    """
                    a lossy mask of \(values.distinct) values: the rule positive takes every value above 0, ringing included \
                    (area \(share(mask.count))); the rule half gives \(share(half))
                    """)
            }
        }
        self.notes = notes
        if let luma = values.luma {
            var isPresent = [Bool](repeating: false, count: 256)
            for value in luma { isPresent[Int(value)] = true }
            greyLevels = isPresent.count { $0 }
        } else {
            greyLevels = values.distinct
        }
    }
}

extension Mask {
    /// Reads a mask as `MaskFile` does.
    public init(contentsOf path: String, rule: MaskRule = .positive, limits: ImageLimits = .default) throws(ImageError) {
        self = try MaskFile(contentsOf: path, rule: rule, limits: limits).mask
    }

    /// Decodes a mask that is already in memory; `source` names it in errors.
    public init(
        encoded bytes: [UInt8], source: String = "mask in memory", rule: MaskRule = .positive, limits: ImageLimits = .default
    ) throws(ImageError) {
        self = try MaskFile(encoded: bytes, source: source, rule: rule, limits: limits).mask
    }

    /// The pixels of a picture in memory that a rule selects: thresholds alone, nothing is asked.
    public init(_ image: Image, rule: MaskRule) {
        let n = image.channels
        let bits: [Bool]
        switch rule {
        case .positive: bits = (0..<image.width * image.height).map { i in (0..<n).contains { image.pixels[i * n + $0] > 0 } }
        case .atLeast(let level): bits = image.converted(toChannels: 1).pixels.map { $0 >= level }
        case .half:
            let grey = image.converted(toChannels: 1).pixels
            let level: UInt8 = (grey.max() ?? 0) <= 1 ? 1 : 128
            bits = grey.map { $0 >= level }
        case .values(let values):
            bits = (0..<image.width * image.height).map { i in
                values.contains((0..<n).reduce(0) { $0 << 8 | UInt32(image.pixels[i * n + $1]) })
            }
        }
        self.init(width: image.width, height: image.height, bits: bits)
    }
}

extension MaskValues {
    /// The values of a two-dimensional array.
    init(npy bytes: [UInt8], source: String, limits: ImageLimits) throws(ImageError) {
        let array: NPYArray
        do throws(NPYError) { array = try NPY.read(encoded: bytes, source: source, mostValues: limits.pixels) } catch {
            throw .damaged(source: source, format: "NPY", reason: "\(error)")
        }
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
        self.init(width: shape[1], height: shape[0], values: array.values)
    }
}
