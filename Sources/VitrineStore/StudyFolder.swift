import Foundation

/// Where a study's files lie, as seen from its results: what moves together finds itself again.
///
/// Paths are read as text; a symbolic link on the way is not followed, since `..` behind it leads elsewhere.
package enum StudyFolder {
    /// A folder as seen from another one: `..`, `.`, `../data`.
    package static func relative(_ folder: String, to base: String) -> String {
        let (target, start) = (components(absolute(folder)), components(absolute(base)))
        let common = zip(target, start).prefix { $0 == $1 }.count
        let steps = Array(repeating: "..", count: start.count - common) + target[common...]
        return steps.isEmpty ? "." : steps.joined(separator: "/")
    }

    /// A folder that is named as seen from another one.
    package static func absolute(_ folder: String, from base: String = ".") -> String {
        guard !folder.hasPrefix("/") else { return "/" + components(folder).joined(separator: "/") }
        let start = base.hasPrefix("/") ? base : FileManager.default.currentDirectoryPath + "/" + base
        return "/" + components(start + "/" + folder).joined(separator: "/")
    }

    private static func components(_ path: String) -> [String] {
        var result: [String] = []
        for step in path.split(separator: "/") where step != "." {
            if step == ".." { _ = result.popLast() } else { result.append(String(step)) }
        }
        return result
    }
}
