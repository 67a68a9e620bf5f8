import VitrineTensor

/// Opening checkpoint files by what is in them, not by what they are called.
public enum Checkpoint {
    /// Reads the table of contents of a safetensors file or a PyTorch zip archive, of the shards that an index names, or of the
    /// checkpoint in a folder as Hugging Face and timm write it.
    ///
    /// Nothing in the file is ever imported, called or executed, and the numbers are not touched yet.
    ///
    /// - Throws: `CheckpointError`, naming the file, the key and the two values that disagree.
    public static func open(_ path: String) throws(CheckpointError) -> CheckpointFile {
        let file: MappedFile
        do { file = try MappedFile(path: path) } catch {
            if case .notARegularFile = error, let inside = checkpoint(inFolder: path) { return try open(inside) }
            if case .notARegularFile = error { throw .noCheckpoint(folder: path, names: folderNames) }
            throw .unreadable(error)
        }
        if path.hasSuffix(".index.json") { return try ShardIndex(file).open() }
        let first = file.bytes(0..<min(16, file.count))
        if first.starts(with: NumpyArray.magic) { return try NumpyArray.read(file) }
        if first.starts(with: [0x50, 0x4b]) { return try TorchArchive.read(file) }
        if first.count > 8 && first[8] == UInt8(ascii: "{") { return try Safetensors.read(file) }
        if first.starts(with: "version https://".utf8) { throw .gitLFSPointer(path: path) }
        if first.starts(with: "<!DOCTYPE".utf8) || first.starts(with: "<!doctype".utf8) || first.starts(with: "<html".utf8) {
            throw .webPage(path: path)
        }
        if first[0] == 0x80 { throw .legacyPyTorch(path: path) }
        if file.count >= 262 && file.bytes(257..<262) == Array("ustar".utf8) { throw .legacyTar(path: path) }
        if path.hasSuffix(".safetensors") { return try Safetensors.read(file) }
        throw .unknownFormat(path: path, firstBytes: Array(first.prefix(8)))
    }

    /// What a folder's checkpoint is called, most wanted first.
    static let folderNames = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
        "open_clip_model.safetensors",
    ]

    private static func checkpoint(inFolder folder: String) -> String? {
        let start = folder.hasSuffix("/") ? folder : folder + "/"
        return folderNames.map { start + $0 }.first { (try? MappedFile(path: $0)) != nil }
    }
}
