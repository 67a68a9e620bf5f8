/// A dense row-major array of Float32 with value semantics: copies share memory until one of them is written.
///
/// Slices (`tensor[i]`, `reshaped`) are views without a copy. Element loops belong into this module or into C leaves
/// (`CVitrineKernels`); other modules pass whole tensors, or read and write through spans.
public struct Tensor: Sendable {
    var storage: TensorStorage
    var offset: Int
    public private(set) var shape: Shape

    init(storage: TensorStorage, offset: Int, shape: Shape) {
        precondition(offset >= 0 && offset + shape.count <= storage.capacity, "a tensor must lie inside its storage")
        self.storage = storage
        self.offset = offset
        self.shape = shape
    }

    /// Zeros.
    public init(_ shape: Shape) {
        self.init(storage: TensorStorage(capacity: shape.count), offset: 0, shape: shape)
        fill(0)
    }

    public init(_ shape: Shape, _ values: some Collection<Float>) {
        precondition(values.count == shape.count, "\(values.count) values for a tensor of shape \(shape)")
        self.init(storage: TensorStorage(capacity: shape.count), offset: 0, shape: shape)
        withMutableSpan { span in
            var i = 0
            for value in values {
                span[i] = value
                i += 1
            }
        }
    }

    /// Number of elements.
    public var count: Int { shape.count }

    /// A copy of the elements in row-major order.
    public var values: [Float] {
        // SAFETY: the initialiser checked that `count` floats from `offset` lie inside the storage.
        unsafe [Float](UnsafeBufferPointer(start: pointer, count: count))
    }

    // SAFETY: inside the storage by the check in `init`; valid while `storage` is held.
    var pointer: UnsafePointer<Float> { unsafe UnsafePointer(storage.base + offset) }

    /// Of a tensor in a mapped file: takes its pages out of memory until they are read again. Nothing for any other.
    func forgetPages() { storage.forgetPages(offset: offset, count: count) }

    /// The writable memory, after making sure that nobody else sees it.
    mutating func mutablePointer() -> UnsafeMutablePointer<Float> {
        if !isKnownUniquelyReferenced(&storage) || storage.isReadOnly {
            let copy = TensorStorage(capacity: count)
            // SAFETY: both ranges hold `count` floats and are distinct memory.
            unsafe copy.base.update(from: pointer, count: count)
            storage = copy
            offset = 0
        }
        return unsafe storage.base + offset
    }

    public func withSpan<R: ~Copyable, E: Error>(_ body: (borrowing Span<Float>) throws(E) -> R) throws(E) -> R {
        // SAFETY: `count` floats inside a storage that `self` keeps alive during the call.
        try unsafe body(Span(_unsafeStart: pointer, count: count))
    }

    public mutating func withMutableSpan<R: ~Copyable, E: Error>(
        _ body: (inout MutableSpan<Float>) throws(E) -> R
    ) throws(E) -> R {
        let n = count
        // SAFETY: `mutablePointer` made the memory ours alone; `n` floats from there lie inside the storage.
        var span = unsafe MutableSpan(_unsafeStart: mutablePointer(), count: n)
        return try body(&span)
    }

    public mutating func fill(_ value: Float) {
        let n = count
        // SAFETY: as in `withMutableSpan`.
        unsafe mutablePointer().update(repeating: value, count: n)
    }

    /// The same elements under another shape; no copy.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(shape.count == count, "\(self.shape) cannot be seen as \(shape)")
        return Tensor(storage: storage, offset: offset, shape: shape)
    }

    /// The `i`-th slice along the first dimension; no copy.
    public subscript(_ i: Int) -> Tensor {
        precondition(shape.rank > 0 && i >= 0 && i < shape[0], "slice \(i) of a tensor of shape \(shape)")
        let rest = Shape(shape.dimensions.dropFirst())
        return Tensor(storage: storage, offset: offset + i * rest.count, shape: rest)
    }

    /// The slices `range` along the first dimension; no copy.
    public subscript(_ range: Range<Int>) -> Tensor {
        precondition(
            shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "slices \(range) of a tensor of shape \(shape)")
        var dimensions = shape.dimensions
        dimensions[0] = range.count
        let step = shape[0] == 0 ? 0 : count / shape[0]
        return Tensor(storage: storage, offset: offset + range.lowerBound * step, shape: Shape(dimensions))
    }

    /// The element at a full index; bounds-checked, for tests and small tensors.
    public subscript(at indices: Int...) -> Float {
        precondition(indices.count == shape.rank, "\(indices.count) indices for a tensor of shape \(shape)")
        var position = 0
        for (d, i) in indices.enumerated() {
            precondition(i >= 0 && i < shape[d], "index \(i) of dimension \(d) of \(shape)")
            position = position * shape[d] + i
        }
        return withSpan { $0[position] }
    }

    /// Copies all of `source` into the elements from flat position `position` on.
    public mutating func replace(from position: Int, with source: Tensor) {
        precondition(position >= 0 && position + source.count <= count, "\(source.shape) at \(position) of \(shape)")
        let n = source.count
        // SAFETY: both ranges checked; `mutablePointer` guarantees that they do not overlap.
        unsafe (mutablePointer() + position).update(from: source.pointer, count: n)
    }
}
