import ArgumentParser
import Foundation

/// The files that arguments name: a file, a folder's files at any depth, or a pattern with `*` and `?` in its last part.
enum FileCollection {
    struct File: Equatable {
        /// What can be opened.
        var path: String
        /// The path below the folder that was searched, or the file's own name: what mirrors the tree.
        var relative: String
        /// `relative` without its ending.
        var name: String { PathText.withoutEnding(relative) }
    }

    /// Sorted within a folder or a pattern; in the order given otherwise.
    ///
    /// - Parameter endings: of the files to take from a folder; a file that is named outright is taken whatever it is called.
    /// - Throws: when an argument names nothing.
    static func expand(_ arguments: [String], endings: Set<String>) throws -> [File] {
        try expand(arguments, expected: "file ending in \(endings.sorted().joined(separator: ", "))") { endings.contains(ending($0.path)) }
    }

    /// - Parameter expected: what a folder should hold, for the error.
    static func expand(
        _ arguments: [String], expected: String, skipping isSkipped: (String) -> Bool = { _ in false }, where isTaken: (File) throws -> Bool
    ) throws -> [File] {
        var files: [File] = []
        for argument in arguments {
            if let isFolder = isFolder(argument) {
                guard isFolder else {
                    files.append(File(path: argument, relative: PathText.name(argument)))
                    continue
                }
                let found = try tree(argument, skipping: isSkipped).filter(isTaken)
                guard !found.isEmpty else { throw CommandFailure("\(argument): holds no \(expected), nor does a folder in it") }
                files += found
            } else {
                let folder = PathText.folder(argument)
                let pattern = PathText.name(argument)
                guard pattern.contains("*") || pattern.contains("?") else { throw CommandFailure("\(argument): there is no such file") }
                let found = try list(folder.isEmpty ? "." : folder).filter { matches(Array($0), Array(pattern)) }
                guard !found.isEmpty else { throw CommandFailure("\(argument): no file matches this pattern") }
                files += found.map { File(path: folder.isEmpty ? $0 : folder + "/" + $0, relative: $0) }
            }
        }
        return files
    }

    /// All files below a folder, by their paths below it; hidden ones and those of `__MACOSX` apart. A folder that several links reach is
    /// searched once, so that links to a folder above end.
    static func tree(_ folder: String, skipping isSkipped: (String) -> Bool = { _ in false }) throws -> [File] {
        var seen = Set<String>()
        var files: [File] = []
        func visit(_ path: String, _ relative: String) throws {
            guard seen.insert(URL(fileURLWithPath: path).resolvingSymlinksInPath().standardized.path).inserted else { return }
            for name in try list(path) where name != "__MACOSX" {
                let (path, relative) = (join(path, name), relative.isEmpty ? name : relative + "/" + name)
                switch isFolder(path) {
                case nil: continue
                case true?: if !isSkipped(path) { try visit(path, relative) }
                case false?: files.append(File(path: path, relative: relative))
                }
            }
        }
        try visit(folder, "")
        return files.sorted { $0.relative < $1.relative }
    }

    /// Whether a path is a folder; nil when there is nothing.
    static func isFolder(_ path: String) -> Bool? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        return (attributes?[.type] as? FileAttributeType).map { $0 == .typeDirectory }
    }

    static func ending(_ path: String) -> String { PathText.ending(path).lowercased() }
    static func stem(_ path: String) -> String { PathText.withoutEnding(PathText.name(path)) }
    static func join(_ folder: String, _ name: String) -> String { folder + (folder.hasSuffix("/") ? "" : "/") + name }

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
