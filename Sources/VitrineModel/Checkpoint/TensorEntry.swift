import Synchronization
import VitrineTensor

/// A tensor of a checkpoint file: what it is called, how it is stored and where.
///
/// Entries are made by readers that have checked that every element lies inside the file.
public struct TensorEntry: Sendable, CustomStringConvertible {
    /// Name in the file; nested dictionaries are joined by `/`, as in `model/blocks.0.attn.qkv.weight`.
    public let name: String
    public let type: ElementType
    /// Extents, outermost first; empty for a scalar.
    public let shape: [Int]
    /// Steps in elements, one per dimension; `nil` for row-major order without gaps.
    public let strides: [Int]?
    /// First byte of element [0, 0, ...] in the file.
    public let byteOffset: Int
    /// Written with the other byte order.
    public let isByteSwapped: Bool
    let file: MappedFile
    let storage: SharedStorage?

    init(
        name: String, type: ElementType, shape: [Int], strides: [Int]? = nil, byteOffset: Int, isByteSwapped: Bool = false,
        file: MappedFile, storage: SharedStorage? = nil
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.strides = strides
        self.byteOffset = byteOffset
        self.isByteSwapped = isByteSwapped
        self.file = file
        self.storage = storage
    }

    /// Number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// The values as Float32: mapped straight from the file where it holds aligned, contiguous float32, otherwise converted.
    ///
    /// Entries that are contiguous views of one storage share one memory.
    ///
    /// - Throws: `CheckpointError.tooManyDimensions` beyond `Shape.maximumRank`.
    public func tensor() throws(CheckpointError) -> Tensor {
        guard shape.count <= Shape.maximumRank else {
            throw .tooManyDimensions(path: file.path, tensor: name, shape: shape, maximum: Shape.maximumRank)
        }
        let shape = Shape(self.shape)
        if let storage, strides == nil, shape.count > 0 {
            let first = (byteOffset - storage.byteOffset) / type.byteCount
            return storage.tensor(in: file)[first..<first + shape.count].reshaped(shape)
        }
        return file.tensor(byteOffset: byteOffset, shape: shape, type: type, strides: strides, isByteSwapped: isByteSwapped)
    }

    public var description: String { "\(name): \(type) \(shape)" }
}

/// A storage that several tensors of a file look into, converted at most once.
final class SharedStorage: Sendable {
    let byteOffset: Int
    private let count: Int
    private let type: ElementType
    private let isByteSwapped: Bool
    private let values = Mutex<Tensor?>(nil)

    init(byteOffset: Int, count: Int, type: ElementType, isByteSwapped: Bool) {
        self.byteOffset = byteOffset
        self.count = count
        self.type = type
        self.isByteSwapped = isByteSwapped
    }

    func tensor(in file: MappedFile) -> Tensor {
        values.withLock { values in
            if let values { return values }
            let made = file.tensor(byteOffset: byteOffset, shape: [count], type: type, isByteSwapped: isByteSwapped)
            values = made
            return made
        }
    }
}

extension TensorEntry {
    /// The same entry as one of several views of a storage.
    func sharing(_ storage: SharedStorage) -> TensorEntry {
        TensorEntry(
            name: name, type: type, shape: shape, strides: strides, byteOffset: byteOffset, isByteSwapped: isByteSwapped, file: file,
            storage: storage)
    }
}
