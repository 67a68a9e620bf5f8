import VitrineTensor

extension TorchArchive {
    /// Writes a state dict that `torch.load(path, weights_only=True)` reads: contiguous float32 tensors in a dict, in alphabetical order.
    ///
    /// Storages are aligned to 64 bytes, so that our reader and `torch.load(mmap=True)` map them. The file appears once it is complete.
    ///
    /// - Throws: `CheckpointError.unwritable`; `.zip` beyond 4 GiB, where `Safetensors.write` still works.
    public static func write(_ tensors: [String: Tensor], to path: String) throws(CheckpointError) {
        let names = tensors.keys.sorted()
        let total = names.reduce(0) { $0 + tensors[$1]!.count * 4 }
        // Headers and the pickle take less than a kilobyte a tensor.
        guard total + (names.count + 1) * 1024 + names.reduce(0, { $0 + $1.utf8.count }) < Int(UInt32.max), names.count < 65_000 else {
            throw .zip(path: path, .tooLargeToWrite(bytes: total))
        }
        do throws(AtomicFile.Failure) {
            var zip = ZipWriter(file: try AtomicFile(path: path))
            try zip.add("archive/data.pkl", pickle(names.map { ($0, tensors[$0]!.shape) }))
            try zip.add("archive/byteorder", Array("little".utf8))
            for (i, name) in names.enumerated() { try zip.add("archive/data/\(i)", tensors[name]!) }
            try zip.add("archive/version", Array("3\n".utf8))
            try zip.finish()
        } catch { throw .unwritable(error) }
    }

    /// `{name: torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()), ...}` in protocol 2.
    private static func pickle(_ tensors: [(name: String, shape: Shape)]) -> [UInt8] {
        var out: [UInt8] = [0x80, 2]
        func global(_ module: String, _ name: String) { out += Array("c\(module)\n\(name)\n".utf8) }
        func text(_ value: String) {
            out.append(UInt8(ascii: "X"))
            out += littleEndian(value.utf8.count, 4)
            out += Array(value.utf8)
        }
        func integer(_ value: Int) {
            if value <= Int(Int32.max) {
                out.append(UInt8(ascii: "J"))
                out += littleEndian(value, 4)
            } else {
                out += [0x8a, 8]
                out += littleEndian(value, 8)
            }
        }
        func tuple(_ items: [Int]) {
            out.append(UInt8(ascii: "("))
            for item in items { integer(item) }
            out.append(UInt8(ascii: "t"))
        }
        out += Array("}(".utf8)
        for (i, tensor) in tensors.enumerated() {
            text(tensor.name)
            global("torch._utils", "_rebuild_tensor_v2")
            out += Array("((".utf8)
            text("storage")
            global("torch", "FloatStorage")
            text(String(i))
            text("cpu")
            integer(tensor.shape.count)
            out += Array("tQ".utf8)
            integer(0)
            tuple(tensor.shape.dimensions)
            tuple(tensor.shape.contiguousStrides)
            out.append(0x89)
            global("collections", "OrderedDict")
            out += Array(")RtR".utf8)
        }
        return out + Array("u.".utf8)
    }
}

private func littleEndian(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

/// Writes a zip archive of stored entries, each aligned to 64 bytes, below 4 GiB.
private struct ZipWriter: ~Copyable {
    private var file: AtomicFile
    private var directory: [UInt8] = []
    private var entryCount = 0

    init(file: consuming AtomicFile) { self.file = file }

    mutating func add(_ name: String, _ bytes: [UInt8]) throws(AtomicFile.Failure) {
        var checksum = CRC32()
        checksum.update(bytes)
        try header(name, checksum.value, bytes.count)
        try file.write(bytes)
    }

    mutating func add(_ name: String, _ tensor: Tensor) throws(AtomicFile.Failure) {
        var checksum = CRC32()
        checksum.update(tensor)
        try header(name, checksum.value, tensor.count * 4)
        try file.write(tensor)
    }

    consuming func finish() throws(AtomicFile.Failure) {
        let start = file.count
        let end =
            littleEndian(0x0605_4b50, 4) + littleEndian(0, 4) + littleEndian(entryCount, 2) + littleEndian(entryCount, 2)
            + littleEndian(directory.count, 4) + littleEndian(start, 4) + littleEndian(0, 2)
        try file.write(directory + end)
        try file.commit()
    }

    private mutating func header(_ name: String, _ checksum: UInt32, _ size: Int) throws(AtomicFile.Failure) {
        let nameBytes = Array(name.utf8)
        let at = file.count
        // An extra field of private kind ("FB", as PyTorch's) fills up to the next multiple of 64.
        let padding = (64 - (at + 30 + nameBytes.count + 4) % 64) % 64
        let extra = Array("FB".utf8) + littleEndian(padding, 2) + [UInt8](repeating: 0x5a, count: padding)
        // Version 2.0, names in UTF-8, stored, 1 January 1980.
        let common =
            littleEndian(20, 2) + littleEndian(0x0800, 2) + littleEndian(0, 2) + littleEndian(0, 2) + littleEndian(0x21, 2)
            + littleEndian(Int(checksum), 4) + littleEndian(size, 4) + littleEndian(size, 4) + littleEndian(nameBytes.count, 2)
        try file.write(littleEndian(0x0403_4b50, 4) + common + littleEndian(extra.count, 2) + nameBytes + extra)
        directory += littleEndian(0x0201_4b50, 4) + littleEndian(20, 2) + common + littleEndian(0, 2) + littleEndian(0, 2)
        directory += littleEndian(0, 2) + littleEndian(0, 2) + littleEndian(0, 4) + littleEndian(at, 4) + nameBytes
        entryCount += 1
    }
}
