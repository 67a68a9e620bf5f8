import VitrineImage

extension Preprocess: Codable {
    /// The text form: `name:sizes:normalisation`, and `:filter` where it is not bilinear.
    ///
    /// Examples: `resize:224:imagenet`, `resize-shorter-crop:256,224:half:bicubic` (shorter side, side of the result), `none:imagenet`.
    /// A normalisation without a name is `MEAN/DEVIATION`, as in `resize:518:0.5307/0.2583`.
    public var description: String {
        var parts = [geometry.name]
        if !sizes.isEmpty { parts.append(sizes.map(String.init).joined(separator: ",")) }
        parts.append(normalisation.name)
        if filter != .bilinear { parts.append(filter.rawValue) }
        return parts.joined(separator: ":")
    }

    /// Reads the text form; all parts but the name may be missing.
    ///
    /// `preset:NAME`, or `preset:NAME:SIDE` where the published model comes in several sizes, is the preprocessing of a `PreprocessPreset`.
    ///
    /// - Parameters:
    ///   - text: as `description` writes it, or a bare name such as `resize`.
    ///   - defaultSize: the side of the network's input, for texts without a size; the shorter side of `resize-shorter-crop` is
    ///     then 256/224 of it, rounded, as torchvision's evaluation uses it.
    public init(parsing text: String, defaultSize: Int? = nil) throws(PreprocessError) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let name = parts.removeFirst()
        if name == "preset", let preset = parts.first {
            self = try Self.preset(preset, Array(parts.dropFirst()), text, defaultSize: defaultSize)
            return
        }
        guard let geometry = PreprocessGeometry.all.first(where: { $0.name == name }) else {
            throw .unknownGeometry(text: text, name: name)
        }
        var sizes: [Int] = []
        if let first = parts.first, !first.contains("/"), let byte = first.utf8.first, byte == UInt8(ascii: "-") || (48...57).contains(byte)
        {
            for size in first.split(separator: ",", omittingEmptySubsequences: false) {
                guard let side = Int(size), Self.sides.contains(side) else { throw .badSize(text: text, size: String(size)) }
                sizes.append(side)
            }
            parts.removeFirst()
            guard sizes.count == geometry.sizeCount else {
                throw .wrongSizeCount(text: text, expected: geometry.sizeCount, found: sizes.count)
            }
        } else if geometry.sizeCount > 0 {
            guard let side = defaultSize else { throw .missingSize(text: text, expected: geometry.sizeCount) }
            guard Self.sides.contains(side) else { throw .badSize(text: text, size: String(side)) }
            sizes =
                if geometry.sizeCount == 1 { [side] } else if geometry.isSquare { [(side * 256 + 112) / 224, side] } else { [side, side] }
            guard sizes.allSatisfy(Self.sides.contains) else { throw .badSize(text: text, size: String(sizes[0])) }
        }
        var normalisation = Normalisation.imagenet
        var filter = ResizeFilter.bilinear
        if let name = parts.first {
            // Without a normalisation a filter may follow at once.
            if ResizeFilter(rawValue: name) == nil {
                guard let known = Normalisation(name) else { throw .unknownNormalisation(text: text, name: name) }
                normalisation = known
                parts.removeFirst()
            }
        }
        if let name = parts.first {
            guard let known = ResizeFilter(rawValue: name) else { throw .unknownNormalisation(text: text, name: name) }
            filter = known
            parts.removeFirst()
        }
        guard parts.isEmpty else { throw .tooManyParts(text: text) }
        self.init(geometry: geometry, sizes: sizes, normalisation: normalisation, filter: filter)
    }

    private static func preset(
        _ name: String, _ rest: [String], _ text: String, defaultSize: Int?
    ) throws(PreprocessError) -> Preprocess {
        let preset = try PreprocessPreset.named(name)
        guard rest.count <= 1 else { throw .tooManyParts(text: text) }
        if let written = rest.first {
            guard preset.size == nil, let side = Int(written), sides.contains(side) else { throw .badSize(text: text, size: written) }
            return try preset.preprocess(side: side)
        }
        guard let side = preset.size ?? defaultSize else { throw .missingSize(text: text, expected: 1) }
        return try preset.preprocess(side: side)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        try self.init(parsing: container.decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
