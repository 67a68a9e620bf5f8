/// Files of a folder by the stem of their names.
struct StemFiles: Sendable {
    private let byStem: [String: String]

    /// - Parameter what: what the files are, for the error about two of one name: `masks`.
    init(_ folder: String, endings: Set<String>, what: String) throws {
        var byStem: [String: String] = [:]
        for file in try FileCollection.expand([folder], endings: endings) {
            if let other = byStem.updateValue(file, forKey: FileCollection.stem(file)) {
                throw CommandFailure("\(file) and \(other): two \(what) of one name; keep one")
            }
        }
        self.byStem = byStem
    }

    /// All files, by stem.
    var all: [String] { byStem.sorted { $0.key < $1.key }.map(\.value) }

    /// The stem that is the item's, or the longest that the item's continues after a dot.
    func stem(of item: String) -> String? {
        var stem = item[...]
        while true {
            if byStem[String(stem)] != nil { return String(stem) }
            guard let dot = stem.lastIndex(of: ".") else { return nil }
            stem = stem[..<dot]
        }
    }

    func file(of item: String) -> String? { stem(of: item).flatMap { byStem[$0] } }
}
