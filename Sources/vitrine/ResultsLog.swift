import Foundation
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `results.jsonl` of a folder of maps, to which several runs add, one after the other or at the same time.
///
/// A run writes its provenance and then a line per image and method; a later line of the same map takes the place of the earlier one, all
/// other lines stay. Every addition is made under a lock on the folder, which the system gives back however the process ends.
final class ResultsLog: Sendable {
    let path: String
    private let folder: String

    /// - Parameter folder: must be there.
    init(folder: String) {
        self.folder = folder
        path = ExplainedFolder.file(folder)
    }

    /// Adds lines at the end.
    func append(_ lines: [String]) throws {
        guard !lines.isEmpty else { return }
        try locked {
            if FileCollection.isFolder(path) == nil { _ = FileManager.default.createFile(atPath: path, contents: nil) }
            guard let handle = FileHandle(forUpdatingAtPath: path) else {
                throw CommandFailure("\(path): cannot be written; check the folder and its permissions")
            }
            defer { try? handle.close() }
            do {
                try Self.cutTornLine(handle)
                try handle.seekToEnd()
                try handle.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
            } catch {
                throw FileFailure(path, .write, code: SystemError.code(of: error) ?? 0)
            }
        }
    }

    /// Leaves one line per map, the last, and all runs but those whose every line was replaced: one without lines may be at its first image.
    func dropSuperseded() throws {
        try locked {
            let lines = try ExplainedFolder.lines(folder)
            var last: [String: Int] = [:]
            for (i, line) in lines.enumerated() { if let file = line.line.mapFile { last[file] = i } }
            var runs: Set<String?> = []
            for i in last.values { runs.insert(lines[i].run) }
            let begun = Set(lines.filter { $0.line.mapFile != nil }.map(\.run))
            var seen: Set<String?> = []
            let kept = lines.enumerated().filter { i, line in
                guard let file = line.line.mapFile else {
                    return (runs.contains(line.run) || !begun.contains(line.run)) && seen.insert(line.run).inserted
                }
                return last[file] == i
            }
            guard kept.count < lines.count else { return }
            try AtomicFile.write(kept.flatMap { Array($0.element.text.utf8) + [10] }, to: path)
        }
    }

    /// What a killed run left of its last line.
    private static func cutTornLine(_ handle: FileHandle) throws {
        var end = try handle.seekToEnd()
        guard end > 0 else { return }
        let block: UInt64 = 1 << 16
        var isLast = true
        while end > 0 {
            let start = end > block ? end - block : 0
            try handle.seek(toOffset: start)
            let bytes = [UInt8](try handle.read(upToCount: Int(end - start)) ?? Data())
            if isLast && bytes.last == 10 { return }
            isLast = false
            if let newline = bytes.lastIndex(of: 10) {
                try handle.truncate(atOffset: start + UInt64(newline) + 1)
                return
            }
            end = start
        }
        try handle.truncate(atOffset: 0)
    }

    /// The lock lies on the folder, since the file itself is replaced; a file system without locks goes without.
    private func locked<Result>(_ body: () throws -> Result) throws -> Result {
        guard let handle = FileHandle(forReadingAtPath: folder) else { return try body() }
        defer {
            flock(handle.fileDescriptor, LOCK_UN)
            try? handle.close()
        }
        while flock(handle.fileDescriptor, LOCK_EX) != 0 && errno == EINTR {}
        return try body()
    }
}
