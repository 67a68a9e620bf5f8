import Foundation
import Testing

@testable import VitrineTensor

/// A folder that goes when the test ends.
private final class Place {
    let path = NSTemporaryDirectory() + "vitrine-files-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { path + "/" + name }
    func write(_ text: String, _ name: String) throws { try Data(text.utf8).write(to: URL(filePath: file(name))) }
    func read(_ name: String) throws -> String { try String(contentsOf: URL(filePath: file(name)), encoding: .utf8) }
}

@Suite("Files and folders")
struct FileTests {
    @Test("folders are made with those above them, and what stands in the way is named with the system's words and a remedy")
    func makeFolder() throws {
        let place = try Place()
        for name in ["a/b/c", "a/b/c", "d//e/", "a/b/c/"] {
            try FileSystem.makeFolder(place.file(name))
            #expect(FileSystem.isFolder(place.file(name)))
        }
        try place.write("x", "f")
        try FileManager.default.createSymbolicLink(atPath: place.file("loop"), withDestinationPath: "loop")
        let failures: [(String, Int32, String)] = [
            ("f", EEXIST, "a file stands where a folder is needed"), ("f/under", ENOTDIR, "a file stands where a folder is needed"),
            ("f/under/it", ENOTDIR, "a file stands where a folder is needed"), ("loop/in", ELOOP, "go in a circle"),
            (String(repeating: "n", count: 300), ENAMETOOLONG, "choose a shorter name"),
        ]
        for (name, code, remedy) in failures {
            let failure = #expect(throws: FileFailure.self) { try FileSystem.makeFolder(place.file(name)) }
            #expect(failure?.code == code, "\(name): \(String(describing: failure))")
            #expect(failure?.description.contains(remedy) == true)
        }
        #expect(throws: FileFailure(place.file("gone"), .list, code: ENOENT)) { try FileSystem.list(place.file("gone")) }
        #expect(try FileSystem.list(place.file("a")) == ["b"])
    }

    @Test("a name of 250 bytes is written; a full device and a missing folder say so")
    func atomicFile() throws {
        let place = try Place()
        let long = String(repeating: "é", count: 125)
        try AtomicFile.write(Array("text".utf8), to: place.file(long))
        #expect(try place.read(long) == "text")
        #expect(try FileSystem.list(place.path) == [long])
        let failure = #expect(throws: FileFailure.self) { try AtomicFile.write([1], to: place.file("no/file")) }
        #expect(failure?.description.contains("make its folder first") == true)
        #expect(
            FileFailure("x", .write, code: ENOSPC).description
                == "x: cannot be written (No space left on device); free some space, or choose another folder")
    }

    @Test("who holds a lock is told to those who find it taken, and to those who only ask")
    func holder() throws {
        let place = try Place()
        let path = place.file("lock")
        #expect(FileLock.holder(of: path) == nil)
        var lock: FileLock? = try FileLock(path) { Issue.record("nobody holds it") }
        #expect(FileLock.holder(of: path)?.process == getpid())
        var found: FileLock.Holder?
        #expect(throws: FileLock.Taken.self) {
            try FileLock(path) {
                found = $0
                throw FileLock.Taken(path: path, work: "works here", holder: $0)
            }
        }
        #expect(found?.process == getpid() && found?.marker == nil)
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(FileLock.holder(of: path) == nil)
        #expect(try place.read("lock") == "")
    }

    // Lustre without flock says ENOSYS, NFS without a lock daemon ENOLCK, some user-space file systems the others.
    @Test("where a file system has no locks, a file stands for one", arguments: [ENOSYS, ENOLCK, EOPNOTSUPP, EINVAL])
    func noLocks(_ code: Int32) throws {
        let place = try Place()
        let path = place.file("lock")
        func take(_ whileTaken: (FileLock.Holder?) throws -> Void) throws -> FileLock {
            try FileLock(path, systemLock: { _ in code }, whileTaken: whileTaken)
        }
        func refusal() throws -> String {
            let failure = #expect(throws: FileLock.Taken.self) {
                try take { throw FileLock.Taken(path: path, work: "works here", holder: $0) }
            }
            return failure?.description ?? ""
        }
        var lock: FileLock? = try take { _ in Issue.record("nobody holds it") }
        let own = try place.read("lock.owner")
        #expect(try refusal().hasSuffix("if it is gone, remove \(path).owner)"))
        #expect(FileLock.holder(of: path)?.process == getpid())
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(!FileSystem.exists(path + ".owner"))

        // What a process of this host left that is gone, or whose number another process has now, is taken over.
        var fields = own.split(whereSeparator: \.isWhitespace).map(String.init)
        for (process, start) in [("4194303", fields[2]), (fields[1], "1")] {
            try place.write("\(fields[0]) \(process) \(start) \(fields[3])\n", "lock.owner")
            lock = try take { Issue.record("\($0 as Any) is gone") }
            #expect(try place.read("lock.owner") == own)
            withExtendedLifetime(lock) {}
            lock = nil
        }
        // A process of another host or container cannot be looked at, nor one that has not written its name yet.
        fields[1] = "4194303"
        for text in ["elsewhere \(fields[1]) 1 \(fields[3])\n", "\(fields[0]) \(fields[1]) 1 99\n", ""] {
            try place.write(text, "lock.owner")
            #expect(try refusal().hasPrefix("\(path): another process works here"))
            #expect(try place.read("lock.owner") == text)
        }
        #expect(try FileSystem.list(place.path) == ["lock", "lock.owner"])
    }

    @Test("a lock that the system refuses for another reason is a failure, with its words")
    func refusedLock() throws {
        let place = try Place()
        #expect(throws: FileFailure(place.file("lock"), .lock, code: EIO)) {
            try FileLock(place.file("lock"), systemLock: { _ in EIO }, whileTaken: { _ in })
        }
        #expect(throws: FileFailure(place.file("no/lock"), .lock, code: ENOENT)) { try FileLock(place.file("no/lock")) {} }
    }
}
