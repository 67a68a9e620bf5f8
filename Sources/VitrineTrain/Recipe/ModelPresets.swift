import VitrineModel
import VitrineTensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Architectures by name, for training from scratch.
public enum ModelPresets {
    /// timm's sizes, from tiny to large; patch 14 with LayerScale, as DINOv2.
    public static let names: [String] = sizes.flatMap { size in patches.map { "vit_\(size.name)_patch\($0)" } }

    private static let sizes = [
        (name: "tiny", width: 192, depth: 12, heads: 3), (name: "small", width: 384, depth: 12, heads: 6),
        (name: "base", width: 768, depth: 12, heads: 12), (name: "large", width: 1024, depth: 24, heads: 16),
    ]
    private static let patches = [8, 14, 16, 32]

    /// The configuration that a text names.
    ///
    /// - Parameters:
    ///   - text: a preset; the path of a JSON file such as `vitrine.configuration` holds; or a list such as
    ///     `patch=16,width=192,depth=6,heads=3` with, optionally, hidden, registers, pooling (classToken, mean), layer-scale and swiglu
    ///     (true or false).
    public static func configuration(_ text: String, imageSize: Int, classes: Int) throws(TrainingError) -> ViTConfiguration {
        var configuration: ViTConfiguration
        if let size = sizes.first(where: { text.hasPrefix("vit_\($0.name)_patch") }), names.contains(text) {
            let patch = Int(text.split(separator: "h").last!)!
            configuration = ViTConfiguration(
                patchSize: patch, width: size.width, depth: size.depth, heads: size.heads, classes: classes,
                positionGrid: PatchGrid(rows: 1, columns: 1), hasLayerScale: patch == 14)
        } else if text.contains("=") {
            configuration = try list(text, classes: classes)
        } else if let file = try? MappedFile(path: text) {
            guard file.count <= Recipe.largestFile,
                let stored = try? JSONDecoder().decode(ViTConfiguration.self, from: Data(file.bytes(0..<file.count)))
            else { throw .badModel(text: text, reason: "is not the JSON of a configuration") }
            configuration = stored
            configuration.classes = classes
        } else {
            throw .unknownModel(text: text, known: names)
        }
        let c = configuration
        guard c.patchSize > 0, c.width > 0, c.depth > 0, c.heads > 0, c.hidden > 0, c.channels == 3, c.registers >= 0 else {
            throw .badModel(text: text, reason: "sizes must be positive, with three channels")
        }
        guard c.width % c.heads == 0 else { throw .badModel(text: text, reason: "\(c.heads) heads do not divide the width \(c.width)") }
        guard imageSize % c.patchSize == 0 else { throw .imageSize(size: imageSize, patch: c.patchSize) }
        configuration.positionGrid = PatchGrid(rows: imageSize / c.patchSize, columns: imageSize / c.patchSize)
        return configuration
    }

    private static func list(_ text: String, classes: Int) throws(TrainingError) -> ViTConfiguration {
        var values: [String: String] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { throw .badModel(text: text, reason: "'\(part)' is not name=value") }
            values[pair[0]] = pair[1]
        }
        func number(_ name: String, _ standard: Int?) throws(TrainingError) -> Int {
            guard let value = values.removeValue(forKey: name) else {
                guard let standard else { throw .badModel(text: text, reason: "'\(name)' is missing") }
                return standard
            }
            guard let parsed = Int(value), (0...1 << 16).contains(parsed) else { throw .badModel(text: text, reason: "'\(name)=\(value)'") }
            return parsed
        }
        func flag(_ name: String) throws(TrainingError) -> Bool {
            guard let value = values.removeValue(forKey: name) else { return false }
            guard let parsed = Bool(value) else { throw .badModel(text: text, reason: "'\(name)=\(value)' is not true or false") }
            return parsed
        }
        let (patch, width, depth, heads) = (
            try number("patch", nil), try number("width", nil), try number("depth", nil), try number("heads", nil)
        )
        let hidden = try number("hidden", 4 * width)
        let registers = try number("registers", 0)
        let poolingName = values.removeValue(forKey: "pooling") ?? "classToken"
        guard let pooling = ViTConfiguration.Pooling(rawValue: poolingName), pooling == .classToken || pooling == .mean else {
            throw .badModel(text: text, reason: "'pooling=\(poolingName)' is not classToken or mean")
        }
        let (scale, gated) = (try flag("layer-scale"), try flag("swiglu"))
        if let unknown = values.keys.sorted().first { throw .badModel(text: text, reason: "'\(unknown)' is not known") }
        return ViTConfiguration(
            patchSize: patch, width: width, depth: depth, heads: heads, hidden: hidden, classes: classes,
            positionGrid: PatchGrid(rows: 1, columns: 1), registers: registers, positionedPrefixTokens: registers > 0 ? 0 : nil,
            pooling: pooling, normPlacement: pooling == .mean ? .afterPooling : .beforePooling, mlp: gated ? .swiGLU : .activation(.gelu),
            hasLayerScale: scale)
    }
}
