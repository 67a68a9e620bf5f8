import ArgumentParser
import Foundation

/// The files that arguments name: a file, a folder's files with known endings, or a pattern with `*` and `?` in its last part.
enum FileCollection {
    /// Sorted within a folder or a pattern; in the order given otherwise.
    ///
    /// - Throws: when an argument names nothing.
    static func expand(_ arguments: [String], endings: Set<String>) throws -> [String] {
        var files: [String] = []
        for argument in arguments {
            if let isFolder = isFolder(argument) {
                guard isFolder else {
                    files.append(argument)
                    continue
                }
                let found = try list(argument).filter { endings.contains(ending($0)) }
                guard !found.isEmpty else {
                    throw CommandFailure("\(argument): holds no file ending in \(endings.sorted().joined(separator: ", "))")
                }
                files += found.map { argument + (argument.hasSuffix("/") ? "" : "/") + $0 }
            } else {
                let folder = (argument as NSString).deletingLastPathComponent
                let pattern = (argument as NSString).lastPathComponent
                guard pattern.contains("*") || pattern.contains("?") else { throw CommandFailure("\(argument): there is no such file") }
                let found = try list(folder.isEmpty ? "." : folder).filter { matches(Array($0), Array(pattern)) }
                guard !found.isEmpty else { throw CommandFailure("\(argument): no file matches this pattern") }
                files += found.map { folder.isEmpty ? $0 : folder + "/" + $0 }
            }
        }
        return files
    }

    /// Whether a path is a folder; nil when there is nothing.
    static func isFolder(_ path: String) -> Bool? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        return (attributes?[.type] as? FileAttributeType).map { $0 == .typeDirectory }
    }

    static func ending(_ path: String) -> String { (path as NSString).pathExtension.lowercased() }
    static func stem(_ path: String) -> String { ((path as NSString).lastPathComponent as NSString).deletingPathExtension }

    private static func list(_ folder: String) throws -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted() } catch {
            throw CommandFailure("\(folder): cannot be listed; check the path and its permissions")
        }
    }

    /// Shell-style matching of `*` and `?`.
    static func matches(_ name: [Character], _ pattern: [Character]) -> Bool {
        var reachable = Set([0])
        for symbol in pattern {
            var next = Set<Int>()
            for i in reachable {
                if symbol == "*" {
                    next.formUnion(i...name.count)
                } else if i < name.count && (symbol == "?" || symbol == name[i]) {
                    next.insert(i + 1)
                }
            }
            reachable = next
        }
        return reachable.contains(name.count)
    }
}

/// A problem that ends a command, in one line.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
