import Foundation
import Testing
import VitrineExplain

/// The table of Docs/Methods.md against the registry and the files.
@Suite struct MethodTableTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The cells of the rows under "Explanations".
    private static func rows() throws -> [[String]] {
        let text = try String(contentsOf: root.appending(path: "Docs/Methods.md"), encoding: .utf8)
        let section = try #require(text.split(separator: "\n## ").first { $0.hasPrefix("Explanations") })
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        }
    }

    @Test func everyMethodHasOneRowWithAnEquationASourceAndAFile() throws {
        let rows = try Self.rows().filter { $0.count == 6 }
        let names = rows.map { $0[0].split(separator: "`")[0] }.map(String.init)
        #expect(names.sorted() == Method.all.map(\.identifier).sorted())
        for (name, row) in zip(names, rows) {
            let method = try #require(Method.named(name))
            #expect(row[0].hasSuffix("°") == !method.isClassSpecific, "\(name): class-agnostic methods are marked")
            #expect(!row[1].isEmpty && !row[2].isEmpty && !row[4].isEmpty, "\(name)")
            let file = "Sources/VitrineExplain/" + row[3].replacing("`", with: "")
            #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: file).path), "\(name): \(file)")
            let source = (try? String(contentsOf: Self.root.appending(path: file), encoding: .utf8)) ?? ""
            #expect(source.contains("\"\(name)\""), "\(name) stands in \(file)")
        }
    }
}
