/// Parts of a path, by its text alone.
///
/// Foundation's own (`NSString.deletingLastPathComponent`) trap on Linux for a path of one character, such as an image called `a`.
enum PathText {
    /// What stands before the last part: empty for a name without folder, `/` for one at the root.
    static func folder(_ path: String) -> String {
        let trimmed = trimmed(path)
        guard let slash = trimmed.lastIndex(of: "/") else { return "" }
        return slash == trimmed.startIndex ? "/" : String(Self.trimmed(String(trimmed[..<slash])))
    }

    /// The last part.
    static func name(_ path: String) -> String {
        let trimmed = trimmed(path)
        guard let slash = trimmed.lastIndex(of: "/") else { return String(trimmed) }
        return trimmed.count == 1 ? "/" : String(trimmed[trimmed.index(after: slash)...])
    }

    /// What follows the last dot of the last part, as written; empty for a hidden file without another dot.
    static func ending(_ path: String) -> String {
        let name = name(path)
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[name.index(after: dot)...])
    }

    /// The path without its ending and the dot before it.
    static func withoutEnding(_ path: String) -> String {
        let ending = ending(path)
        return ending.isEmpty ? path : String(trimmed(path).dropLast(ending.count + 1))
    }

    private static func trimmed(_ path: String) -> Substring {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return path
    }
}
