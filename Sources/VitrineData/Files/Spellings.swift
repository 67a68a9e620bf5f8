import Foundation

/// Finds files by the names that tables give them: as written, with `\` for `/` as under Windows, and with accents composed or not,
/// since a table written on a Mac names the files of a Linux disk in other bytes.
struct Spellings {
    /// Where relative names start.
    let folder: String
    private var listings: [String: [String]] = [:]

    init(folder: String) { self.folder = folder }

    /// The name as it stands on the disk, relative to the folder as it was; nil when there is no such file.
    mutating func onDisk(_ name: String) -> String? {
        if fileExists(join(folder, name)) { return name }
        let slashed = name.replacing("\\", with: "/")
        if slashed != name, fileExists(join(folder, slashed)) { return slashed }
        return composed(slashed)
    }

    /// The name with each component as its folder lists it; Swift compares strings by what they mean, not by their bytes.
    private mutating func composed(_ name: String) -> String? {
        var found = name.hasPrefix("/") ? "/" : ""
        for part in name.split(separator: "/") where part != "." {
            let place = found.isEmpty ? folder : join(folder, found)
            guard let own = part == ".." ? ".." : names(in: place).first(where: { $0 == part }) else { return nil }
            found += (found.isEmpty || found == "/" ? "" : "/") + own
        }
        return fileExists(join(folder, found)) ? found : nil
    }

    private mutating func names(in folder: String) -> [String] {
        if let known = listings[folder] { return known }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        listings[folder] = names
        return names
    }
}
