import Synchronization

/// Scratch memory that is used again: tensors made here return their memory when the last of them goes, so that the
/// second image of a run allocates no large memory.
///
/// One workspace per worker keeps workers out of each other's way; handing a tensor to another thread is safe all the same.
public final class Workspace: Sendable {
    private let free = Mutex<FreeList>(FreeList())
    /// Fills every new tensor with NaN, so that a test sees a value that was never written.
    public let poisons: Bool
    /// Threads that share the larger operations of one batch; its results do not depend on them.
    public let threads: Int

    private struct FreeList {
        var blocks: [Int: [MemoryBlock]] = [:]
        var allocated = 0
    }

    deinit {
        free.withLock { list in
            for block in list.blocks.values.joined() {
                // SAFETY: allocated by `TensorStorage.allocate`; a block in the list is referred to by nobody.
                unsafe releaseMemory(block.base)
            }
        }
    }

    public init(poisons: Bool = false, threads: Int = 1) {
        self.poisons = poisons
        self.threads = threads
    }

    /// Floats this workspace has ever taken from the system; constant in the steady state.
    public var allocatedCount: Int { free.withLock { $0.allocated } }

    /// A tensor whose values are undefined until written.
    public func tensor(_ shape: Shape) -> Tensor {
        let capacity = Workspace.capacityClass(shape.count)
        let block = free.withLock { list in
            if let block = list.blocks[capacity]?.popLast() { return block }
            list.allocated += capacity
            return unsafe MemoryBlock(base: TensorStorage.allocate(capacity), capacity: capacity)
        }
        var result = Tensor(storage: TensorStorage(block: block, workspace: self), offset: 0, shape: shape)
        if poisons { result.fill(.nan) }
        return result
    }

    /// A tensor of zeros.
    public func zeros(_ shape: Shape) -> Tensor {
        var result = tensor(shape)
        result.fill(0)
        return result
    }

    func takeBack(_ block: MemoryBlock) {
        free.withLock { list in list.blocks[block.capacity, default: []].append(block) }
    }

    /// Capacities in steps of an eighth of a power of two, so that near sizes share memory and at most 12 % is wasted.
    private static func capacityClass(_ count: Int) -> Int {
        let n = max(count, 64)
        let step = 1 << max(0, Int.bitWidth - n.leadingZeroBitCount - 4)
        return (n + step - 1) / step * step
    }
}
