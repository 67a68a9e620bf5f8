/// Files of a folder, found by the names of the maps or images they belong to.
struct NamedFiles {
    let folder: String
    private let what: String
    private var byName: [String: FileCollection.File] = [:]
    /// All files of a name, whatever their folders.
    private var byStem: [String: [FileCollection.File]] = [:]
    /// File names that several of those that ask have in different folders; their files must lie in the same folders.
    private var sharedStems: Set<String> = []

    /// - Parameters:
    ///   - what: what the files are, for errors: `mask`.
    ///   - names: of the maps or images that will ask, so that a file in no folder is never given to two of them.
    init(_ folder: String, endings: Set<String>, what: String, names: [String]) throws {
        self.folder = folder
        self.what = what
        guard FileCollection.isFolder(folder) == true else { throw CommandFailure("\(folder): there is no such folder of \(what)s") }
        for file in try FileCollection.expand([folder], endings: endings) {
            if let other = byName.updateValue(file, forKey: file.name) {
                throw CommandFailure("\(other.path) and \(file.path): two \(what)s of one name; keep one")
            }
            byStem[PathText.name(file.name), default: []].append(file)
        }
        noteSharedStems(names)
    }

    var all: [FileCollection.File] { byName.values.sorted { $0.relative < $1.relative } }

    /// The file of the map or image of this name: of the same name, or of the longest that the map's continues after a dot.
    ///
    /// - Throws: where files of several folders have the name, and none of them lies where the map lies.
    func file(_ name: String) throws -> FileCollection.File? {
        let folder = PathText.folder(name)
        var stem = PathText.name(name)[...]
        while true {
            if let file = byName[folder.isEmpty ? String(stem) : folder + "/" + stem] { return file }
            if let files = byStem[String(stem)] {
                // One file for the images of several folders would be somebody else's.
                guard files.count == 1, folder.isEmpty || !files[0].relative.contains("/") && !sharedStems.contains(String(stem)) else {
                    throw CommandFailure(
                        "\(name): it is not clear whose \(what) \(Words.some(files.map(\.path))) is; keep \(what)s in the same folders as the images"
                    )
                }
                return files[0]
            }
            guard let dot = stem.lastIndex(of: ".") else { return nil }
            stem = stem[..<dot]
        }
    }

    private mutating func noteSharedStems(_ names: [String]) {
        var folders: [String: Set<String>] = [:]
        for name in names {
            let folder = PathText.folder(name)
            var stem = PathText.name(name)[...]
            while true {
                folders[String(stem), default: []].insert(folder)
                guard let dot = stem.lastIndex(of: ".") else { break }
                stem = stem[..<dot]
            }
        }
        sharedStems = Set(folders.filter { $0.value.count > 1 }.keys)
    }
}
