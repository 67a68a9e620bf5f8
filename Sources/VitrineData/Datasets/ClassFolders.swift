import VitrineTensor

/// The class folders of a data set of image folders: which folders are classes, which are sides of a split, and which are neither.
struct ClassFolders {
    struct Entry {
        let split: Split?
        /// Relative to the data set.
        let folder: String
        let name: String
        /// Relative to the class folder.
        let images: [String]
    }

    private(set) var entries: [Entry] = []
    private(set) var notes: [DataNote] = []

    /// Folders that hold something else than a class, by the names that people give them.
    private static let notClasses: Set<String> = [
        "annotations", "annotation", "masks", "mask", "labels", "logs", "log", "groundtruth", "ground_truth", "ground-truth", "metadata",
    ]

    /// - Parameter asked: the classes that the user named; folders of these names are classes whatever else they look like.
    init(_ path: String, asked: [String]?) throws(DataError) {
        let folders = try listSubfolders(path, neededBy: "the data set")
        var inner: [String: [String]] = [:]
        let named = folders.filter { Split(name: $0) != nil && !(asked?.contains($0) ?? false) }
        for side in named { inner[side] = try listSubfolders(join(path, side), neededBy: "the data set") }
        let sides = named.filter { inner[$0]?.isEmpty == false }
        guard !sides.isEmpty || named.isEmpty || named.count == folders.count else {
            throw .unclearFolders(path: path, sides: named, others: folders.filter { !named.contains($0) })
        }
        var candidates: [(split: Split?, folder: String, name: String)] = []
        if named.isEmpty {
            candidates = folders.map { (nil, $0, $0) }
        } else {
            for side in sides { for name in inner[side] ?? [] { candidates.append((Split(name: side), side + "/" + name, name)) } }
            if asked == nil {
                try leaveOut(folders.filter { !named.contains($0) }, of: path, because: "neither train, validation nor test")
            }
        }
        // Links that lead back up would bring the images of other classes along.
        let places = [path] + named.map { join(path, $0) } + candidates.map { join(path, $0.folder) }
        let identities = Set(places.compactMap { FileFacts(of: $0)?.identity })
        let top = FileFacts(of: path)?.identity
        for (split, folder, name) in candidates {
            let place = join(path, folder)
            guard let own = FileFacts(of: place)?.identity, own != top else {
                notes.append(.loss("\(oneLine(place)): left out, a link to the data set itself"))
                continue
            }
            if let asked, !asked.contains(name) { continue }
            if Self.notClasses.contains(name.lowercased()) && asked == nil {
                try leaveOut([folder], of: path, because: "no class by its name; name the classes with classes= if it is one")
                continue
            }
            let listing = ImageListing(
                place, try FolderWalk(place, neededBy: "the data set", avoiding: identities.subtracting([own])))
            if let line = listing.note(place) { notes.append(.loss(line)) }
            let (images, masks, orphans) = MaskName.sorted(listing.images)
            if !masks.isEmpty {
                notes.append(.remark("\(oneLine(place)): \(Self.files(masks.count)) beside images are their masks, no images"))
            }
            if let first = orphans.first {
                notes.append(.loss("\(oneLine(place)): \(Self.files(orphans.count)) left out, masks by their names: \(oneLine(first))"))
            }
            entries.append(Entry(split: split, folder: folder, name: name, images: images))
        }
        let filled = Set(entries.filter { !$0.images.isEmpty }.map(\.name))
        for entry in entries where !filled.contains(entry.name) && !(asked?.contains(entry.name) ?? false) {
            notes.append(.remark("\(oneLine(join(path, entry.folder))): left out, no image in it"))
        }
        entries.removeAll { !filled.contains($0.name) && !(asked?.contains($0.name) ?? false) }
        for place in [path] + named.map({ join(path, $0) }) {
            let loose = try ImageListing(of: place, isDeep: false, neededBy: "the data set").images
            guard let first = loose.first else { continue }
            notes.append(.loss("\(oneLine(place)): \(Self.files(loose.count)) left out, in no folder of a class: \(oneLine(first))"))
        }
    }

    /// The classes, by the bytes of their names.
    var names: [String] { Set(entries.map(\.name)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    private static func files(_ count: Int) -> String { "\(count) file\(count == 1 ? "" : "s")" }

    /// Says that folders are no classes; a loss where they hold images.
    private mutating func leaveOut(_ folders: [String], of path: String, because reason: String) throws(DataError) {
        for folder in folders {
            let place = join(path, folder)
            let count = try ImageListing(of: place, neededBy: "the data set").images.count
            let what = count == 0 ? "no image in it" : "\(Self.files(count)) in it"
            notes.append(DataNote(isLoss: count > 0, text: "\(oneLine(place)): left out, \(reason) (\(what))"))
        }
    }
}
