#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory that tensors point into: its own, a workspace's, or a file's.
///
/// SAFETY: the floats are written only through a `Tensor` that holds the sole reference (`isKnownUniquelyReferenced`), so sharing
/// a storage between threads shares constants.
@safe final class TensorStorage: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
    /// Mapped files cannot be written; a tensor that wants to write copies first.
    let isReadOnly: Bool
    private let workspace: Workspace?
    private let file: MappedFile?

    /// Fresh memory, 64-byte aligned, not initialised.
    init(capacity: Int) {
        self.capacity = capacity
        unsafe base = TensorStorage.allocate(capacity)
        isReadOnly = false
        workspace = nil
        file = nil
    }

    /// Memory lent by a workspace, handed back when the last tensor lets go.
    init(block: MemoryBlock, workspace: Workspace) {
        unsafe base = block.base
        capacity = block.capacity
        isReadOnly = false
        self.workspace = workspace
        file = nil
    }

    /// The floats of a mapped file from `byteOffset`, which must be a multiple of four.
    init(file: MappedFile, byteOffset: Int, count: Int) {
        precondition(byteOffset % 4 == 0 && byteOffset >= 0 && count >= 0, "mapped floats must be aligned")
        precondition(byteOffset + count * 4 <= file.count, "mapped floats must lie inside the file")
        // SAFETY: bounds and alignment checked above; `file` keeps the mapping alive; `isReadOnly` keeps writers away.
        unsafe base = UnsafeMutablePointer(
            mutating: (file.base + byteOffset).assumingMemoryBound(to: Float.self))
        capacity = count
        isReadOnly = true
        workspace = nil
        self.file = file
    }

    var isMapped: Bool { file != nil }

    /// Gives back the pages of a mapped file that hold `count` floats from `offset`; reading them again brings them back.
    func forgetPages(offset: Int, count: Int) {
        guard let file else { return }
        // SAFETY: inside the mapping by the check in `init`; its pages are never written, so the file still has them.
        unsafe file.forget(UnsafeRawPointer(base + offset), byteCount: count * 4)
    }

    deinit {
        if let workspace {
            // SAFETY: the block came from this workspace and no tensor refers to it any more.
            workspace.takeBack(unsafe MemoryBlock(base: base, capacity: capacity))
        } else if file == nil {
            // SAFETY: allocated by `allocate` in `init(capacity:)`, released once.
            unsafe releaseMemory(base)
        }
    }

    /// 64-byte aligned memory for `capacity` floats.
    static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Float> {
        let bytes = (max(capacity, 1) * 4 + 63) / 64 * 64
        guard let memory = unsafe aligned_alloc(64, bytes) else {
            fatalError("out of memory: \(bytes) bytes for a tensor")
        }
        return unsafe memory.bindMemory(to: Float.self, capacity: max(capacity, 1))
    }
}

/// A piece of memory that a workspace owns.
///
/// SAFETY: nobody touches the floats but the one storage that the block was lent to.
@safe struct MemoryBlock: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let capacity: Int
}

/// Gives back what `TensorStorage.allocate` took.
@unsafe func releaseMemory(_ base: UnsafeMutablePointer<Float>) { unsafe free(base) }
