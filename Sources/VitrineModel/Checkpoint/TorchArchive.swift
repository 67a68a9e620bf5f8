import VitrineTensor

/// The files of `torch.save` since PyTorch 1.6: a zip archive with one pickle and one entry per storage.
public enum TorchArchive {
    static func read(_ file: MappedFile) throws(CheckpointError) -> CheckpointFile {
        let archive: ZipArchive
        do { archive = try ZipArchive(file) } catch { throw .zip(path: file.path, error) }
        let prefix: String
        let isSwapped: Bool
        do throws(TorchFault) {
            prefix = try folder(of: archive)
            isSwapped =
                try archive.entries[prefix + "byteorder"].map { (range) throws(TorchFault) in
                    try isByteSwapped(file.bytes(range.prefix(16)))
                } ?? false
        } catch { throw .torch(path: file.path, error) }

        let range = archive.entries[prefix + "data.pkl"]!
        let pickle: (root: PickleValue, heap: PickleHeap)
        do throws(PickleFault) {
            guard range.count <= Unpickler.maximumBytes else { throw .tooLarge(bytes: range.count, maximum: Unpickler.maximumBytes) }
            pickle = try Unpickler.read(file.bytes(range))
        } catch { throw .pickle(path: file.path, error) }

        var walk = PickleWalk(heap: pickle.heap)
        let groups: [TensorGroup]
        do throws(TorchFault) {
            try walk.visit(pickle.root, path: [])
            groups = try entries(walk, pickle.heap, archive, prefix: prefix, isSwapped: isSwapped, file)
        } catch { throw .torch(path: file.path, error) }
        // A whole pickled model, or nothing but settings: its class says more than that there are no tensors.
        if groups.isEmpty, let foreign = pickle.heap.objects.first(where: \.isForeign) {
            throw .pickle(path: file.path, .foreign(name: shortened(foreign.className)))
        }
        return try CheckpointFile(file: file, format: .torchArchive, groups: groups, opaque: walk.opaque)
    }

    /// The folder that holds `data.pkl`, with its slash; any name will do.
    private static func folder(of archive: ZipArchive) throws(TorchFault) -> String {
        let pickles = archive.names.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
        guard let first = pickles.first else { throw .noPickle(firstEntry: archive.names.first ?? "") }
        guard pickles.count == 1 else { throw .severalPickles(first: first, second: pickles[1]) }
        let folder = String(first.dropLast("data.pkl".count))
        guard archive.entries[folder + "constants.pkl"] == nil else { throw .torchScript }
        return folder
    }

    private static func isByteSwapped(_ record: [UInt8]) throws(TorchFault) -> Bool {
        switch String(decoding: record, as: UTF8.self) {
        case "little": false
        case "big": true
        case let other: throw .byteOrder(found: other)
        }
    }

    /// Checks every tensor against the bytes its storage really has.
    private static func entries(
        _ walk: PickleWalk, _ heap: PickleHeap, _ archive: ZipArchive, prefix: String, isSwapped: Bool, _ file: MappedFile
    ) throws(TorchFault) -> [TensorGroup] {
        var views: [StorageKey: Int] = [:]  // contiguous views of each storage
        var checked: [[(key: String, entry: TensorEntry, storage: StorageKey)]] = []
        for group in walk.groups {
            var entries: [(key: String, entry: TensorEntry, storage: StorageKey)] = []
            for (key, index) in group.tensors {
                let name = (group.path + [key]).joined(separator: "/")
                let tensor = heap.tensors[index]
                let range = try bytes(of: heap.storages[tensor.storage], archive, prefix: prefix, tensor: name)
                let entry = try entry(tensor, name, in: range, isSwapped: isSwapped, file)
                let storage = StorageKey(range: range, type: entry.type)
                if entry.strides == nil { views[storage, default: 0] += 1 }
                entries.append((key, entry, storage))
            }
            checked.append(entries)
        }

        var shared: [StorageKey: SharedStorage] = [:]
        var expanded = 0
        var groups: [TensorGroup] = []
        for (group, entries) in zip(walk.groups, checked) {
            var result: [(key: String, entry: TensorEntry)] = []
            for (key, entry, storage) in entries {
                if entry.strides == nil, entry.count > 0, views[storage, default: 0] > 1 {
                    let common =
                        shared[storage]
                        ?? SharedStorage(
                            byteOffset: storage.range.lowerBound, count: storage.range.count / entry.type.byteCount, type: entry.type,
                            isByteSwapped: isSwapped)
                    shared[storage] = common
                    result.append((key, entry.sharing(common)))
                } else {
                    let (sum, overflow) = expanded.addingReportingOverflow(entry.count)
                    expanded = overflow ? .max : sum
                    result.append((key, entry))
                }
            }
            groups.append(TensorGroup(path: group.path, entries: result, modules: group.modules))
        }
        // Views that repeat elements (`expand`, transposes of one storage) can ask for far more than the file holds.
        guard expanded <= 4 * file.count + (16 << 20) else {
            throw .expandsTooFar(bytes: expanded > Int.max / 4 ? .max : expanded * 4, fileBytes: file.count)
        }
        return groups
    }

    /// One storage as one element type sees it; a hostile pickle can declare the same entry in several ways.
    private struct StorageKey: Hashable {
        let range: Range<Int>
        let type: ElementType
    }

    /// The bytes that a storage claims, which its archive entry must have.
    private static func bytes(
        of storage: PickleHeap.Storage, _ archive: ZipArchive, prefix: String, tensor: String
    ) throws(TorchFault) -> Range<Int> {
        guard let range = archive.entries[prefix + "data/" + storage.key] else {
            throw .missingStorage(tensor: tensor, key: storage.key)
        }
        guard storage.count >= 0 else { throw .negative(tensor: tensor, what: "the element count of its storage", value: storage.count) }
        let (declared, overflow) = storage.count.multipliedReportingOverflow(by: storage.type?.byteCount ?? 1)
        guard !overflow else { throw .overflow(tensor: tensor, shape: [storage.count]) }
        guard declared <= range.count else {
            throw .storageTooShort(tensor: tensor, key: storage.key, declared: declared, actual: range.count)
        }
        return range.lowerBound..<range.lowerBound + declared
    }

    private static func entry(
        _ tensor: PickleHeap.Tensor, _ name: String, in storage: Range<Int>, isSwapped: Bool, _ file: MappedFile
    ) throws(TorchFault) -> TensorEntry {
        guard !tensor.isNegated else { throw .negatedView(tensor: name) }
        guard tensor.offset >= 0 else { throw .negative(tensor: name, what: "the offset", value: tensor.offset) }
        for extent in tensor.shape where extent < 0 { throw .negative(tensor: name, what: "the extent", value: extent) }
        for stride in tensor.strides where stride < 0 { throw .negative(tensor: name, what: "the stride", value: stride) }
        let width = tensor.type.byteCount
        guard let byteCount = checkedProduct(tensor.shape, times: 4) else { throw .overflow(tensor: name, shape: tensor.shape) }
        guard byteCount > 0 else {
            return TensorEntry(name: name, type: tensor.type, shape: tensor.shape, byteOffset: storage.lowerBound, file: file)
        }
        // One past the last element addressed, in bytes of the storage.
        var last = tensor.offset
        for (extent, stride) in zip(tensor.shape, tensor.strides) {
            let (reach, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, carried) = last.addingReportingOverflow(reach)
            guard !tooFar && !carried else { throw .overflow(tensor: name, shape: tensor.shape) }
            last = sum
        }
        let (needed, overflow) = last.addingReportingOverflow(1).partialValue.multipliedReportingOverflow(by: width)
        guard last < Int.max && !overflow else { throw .overflow(tensor: name, shape: tensor.shape) }
        guard needed <= storage.count else {
            throw .outsideStorage(tensor: name, needed: needed, available: storage.count)
        }
        return TensorEntry(
            name: name, type: tensor.type, shape: tensor.shape,
            strides: isContiguous(tensor.shape, tensor.strides) ? nil : tensor.strides,
            byteOffset: storage.lowerBound + tensor.offset * width, isByteSwapped: isSwapped, file: file)
    }

    /// Row-major without gaps; steps of dimensions of extent 1 do not matter. Any rank; extents are at least 1.
    private static func isContiguous(_ shape: [Int], _ strides: [Int]) -> Bool {
        var expected = 1
        for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
            guard stride == expected else { return false }
            expected *= extent
        }
        return true
    }
}
