import Foundation
import VitrineExplain

/// A folder that `vitrine explain` wrote.
struct ExplainedFolder: Sendable {
    /// A line of `results.jsonl`: the provenance, or one image and method.
    struct Line: Decodable {
        struct Provenance: Decodable { var options: [String: String] }
        var provenance: Provenance?
        var image: String?
        var method: String?
    }

    /// The preprocessing of the maps.
    let preprocess: String?
    /// What they explain: a class index, or `predicted`.
    let target: String?
    /// Of methods that draw at random.
    let seed: UInt64?
    /// Methods by the name of their maps' files.
    private let methods: [String: ConfiguredMethod]

    /// - Returns: nil for maps of another tool.
    init?(_ folder: String) throws {
        guard FileManager.default.fileExists(atPath: folder + "/results.jsonl") else { return nil }
        let lines = try Self.lines(folder)
        let options = lines.first?.provenance?.options ?? [:]
        preprocess = options["preprocess"]
        target = options["target"]
        seed = options["seed"].flatMap { UInt64($0) }
        var methods: [String: ConfiguredMethod] = [:]
        // A method that this version does not know can still be scored, but not be asked again.
        for name in Set(lines.compactMap(\.method)) { methods[ConfiguredMethodFile.name(name)] = try? ConfiguredMethod(name) }
        self.methods = methods
    }

    static func lines(_ folder: String) throws -> [Line] {
        let path = folder + "/results.jsonl"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(path): cannot be read; name a folder that vitrine explain wrote")
        }
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            do { return try JSONDecoder().decode(Line.self, from: line) } catch {
                throw CommandFailure("\(path): holds a line that is not a result; explain the images again")
            }
        }
    }

    /// The method that made a map, by the stem of its file; the longest name wins.
    func method(_ item: String) -> ConfiguredMethod? { name(item).flatMap { methods[$0] } }

    /// The stem of the image behind a map.
    func stem(of item: String) -> String? { name(item).map { String(item.dropLast($0.count + 1)) } }

    private func name(_ item: String) -> String? {
        methods.keys.filter { item.hasSuffix("." + $0) }.max { $0.count < $1.count }
    }
}
