import Foundation
import Testing

/// The documents say what the package does: compared, not promised.
@Suite("Architecture")
struct ArchitectureTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// What stands between an opening bracket, which the text begins with, and its closing one.
    private static func inside(_ text: Substring) -> Substring {
        var depth = 0
        for i in text.indices {
            if "([".contains(text[i]) { depth += 1 }
            if ")]".contains(text[i]) { depth -= 1 }
            if depth == 0 { return text[text.index(after: text.startIndex)..<i] }
        }
        return ""
    }

    /// Modules of `Package.swift` and what each may import: package products by their product's name.
    private static func package() throws -> [String: Set<String>] {
        // A comment may hold brackets.
        let source = try text("Package.swift").split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
            .joined(separator: "\n")
        var modules: [String: Set<String>] = [:]
        for opening in source.matches(of: /(?:\bmodule|\.target|\.executableTarget|\.systemLibrary)(?=\()/) {
            let call = inside(source[opening.range.upperBound...])
            guard !call.contains("\"Tests/"), let name = call.firstMatch(of: /^\s*(?:name:\s*)?"(\w+)"/) else { continue }
            let list = call.firstMatch(of: /(?:dependencies:\s*|^\s*"\w+",\s*)(?=\[)/).map { inside(call[$0.range.upperBound...]) } ?? ""
            let products = list.replacing(/,\s*package:\s*"[^"]*"/, with: "")
            modules[String(name.1)] = Set(products.matches(of: /"(\w+)"/).map { String($0.1) })
        }
        return modules
    }

    /// The same from the table of the document.
    private static func document() throws -> [String: Set<String>] {
        var modules: [String: Set<String>] = [:]
        for line in try text("Docs/Architecture.md").split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let imports = Set(cells.last!.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0 != "–" })
            for name in cells[0].matches(of: /`(\w+)`/) { modules[String(name.1)] = imports }
        }
        return modules
    }

    @Test("the table of modules says what Package.swift says")
    func table() throws {
        let (package, document) = (try Self.package(), try Self.document())
        #expect(package.count >= 17, "Package.swift is read")
        #expect(package["VitrineTrain"]?.contains("Yams") == true, "products are read")
        #expect(package.keys.sorted() == document.keys.sorted())
        for (name, imports) in package { #expect(document[name]?.sorted() == imports.sorted(), "\(name)") }
    }

    @Test("explanations, data and metrics know nothing of each other")
    func strangers() throws {
        let package = try Self.package()
        let strangers: Set = ["VitrineExplain", "VitrineData", "VitrineEvaluate"]
        for name in strangers { #expect(try #require(package[name]).isDisjoint(with: strangers), "\(name)") }
    }

    @Test("a package that others may depend on: no unsafe flags, and exact versions in place of a Package.resolved")
    func dependable() throws {
        let source = try Self.text("Package.swift")
        #expect(!source.contains("unsafeFlags"))
        let urls = source.matches(of: /\.package\(url: [^)]*\)/)
        #expect(!urls.isEmpty)
        for url in urls { #expect(url.0.contains("exact:"), "\(url.0)") }
    }
}
