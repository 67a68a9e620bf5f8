import VitrineTensor
import Yams

extension Recipe {
    /// The largest recipe file that is read, in bytes.
    static let largestFile = 1 << 20

    /// Reads the fields of a YAML file: a mapping of names of `RecipeField.all` to values, and optionally `recipe`, the preset to start
    /// from (else `base`).
    ///
    /// - Throws: `TrainingError`, naming the file and the field.
    public static func load(_ path: String, base: Recipe = Recipe()) throws(TrainingError) -> Recipe {
        let file: MappedFile
        do { file = try MappedFile(path: path) } catch { throw .unreadableRecipe(path: path, reason: "cannot be read (\(error))") }
        guard file.count <= largestFile else {
            throw .unreadableRecipe(path: path, reason: "has \(file.count) bytes, more than the \(largestFile) of a recipe")
        }
        return try parse(String(decoding: file.bytes(0..<file.count), as: UTF8.self), source: path, base: base)
    }

    package static func parse(_ yaml: String, source: String, base: Recipe = Recipe()) throws(TrainingError) -> Recipe {
        if let fault = YAMLKeys.fault(in: yaml) { throw .unreadableRecipe(path: source, reason: "line \(fault.line): \(fault.reason)") }
        let node: Node?
        do { node = try compose(yaml: yaml) } catch {
            let line = "\(error)".split(separator: "\n").joined(separator: " ")
            throw .unreadableRecipe(path: source, reason: "is no YAML (\(line))")
        }
        guard let mapping = node?.mapping else {
            throw .unreadableRecipe(path: source, reason: "holds no mapping; write lines such as 'learning-rate: 1e-4'")
        }
        var recipe = base
        var fields: [(name: String, value: String)] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? "\(key)"
            let text: String
            if let scalar = value.scalar {
                text = scalar.string
            } else if let sequence = value.sequence, sequence.allSatisfy({ $0.scalar != nil }) {
                text = sequence.compactMap { $0.scalar?.string }.joined(separator: ",")
            } else {
                throw .unreadableRecipe(path: source, reason: "'\(name)' is neither a value nor a list of values")
            }
            if name == "recipe" {
                recipe = try named(text)
            } else {
                fields.append((name, text))
            }
        }
        try RecipeField.apply(fields, to: &recipe, source: source)
        return recipe
    }
}
