import CVitrineKernels
import Synchronization

/// The weight of a linear map as products read it: copied once, in the order of their loops, instead of anew in every pass.
///
/// A weight that lies in a mapped file is packed when its map has been computed a few times, and its pages of the file are given back,
/// so that there is one copy of it before and after. Weights in memory of their own stay as they are: packed they would take up twice
/// their memory. No bit of a product depends on whether its weight is packed.
public final class PackedWeight: Sendable {
    /// Passes before a weight is packed: writing the copy costs about as much as making it anew so many times, and few passes never pay.
    public static let patience = 4

    private enum State {
        case waiting(uses: Int)
        case packing
        case done(Matrix)
    }
    private let state = Mutex(State.waiting(uses: 0))

    public init() {}

    /// `W` transposed, `[in, out]`, packed or as it lies.
    ///
    /// - Parameters:
    ///   - weight: `[out, in]`, always the same.
    ///   - threads: share the work of packing.
    public func transposed(_ weight: Tensor, threads: Int = 1) -> Matrix {
        let plain = weight.matrix.transposed
        guard weight.storage.isMapped else { return plain }
        let isMine = state.withLock { state in
            switch state {
            case .waiting(let uses) where uses + 1 < Self.patience: state = .waiting(uses: uses + 1)
            case .waiting:
                state = .packing
                return true
            case .packing, .done: break
            }
            return false
        }
        if isMine {
            let packed = plain.packed(threads: threads)
            state.withLock { $0 = .done(packed) }
            weight.forgetPages()
        }
        return state.withLock { if case .done(let packed) = $0 { packed } else { plain } }
    }

    /// `W`, `[out, in]`: read from its packed form where that is there.
    public func matrix(_ weight: Tensor) -> Matrix {
        state.withLock { if case .done(let packed) = $0 { packed.transposed } else { weight.matrix } }
    }
}

extension Matrix {
    /// Whether it is stored in panels.
    public var isPacked: Bool { panel > 0 }

    /// The same matrix in panels, as the second factor of products by the machine code of a path.
    func packed(threads: Int = 1, path: CInt = vk_cpu_path()) -> Matrix {
        let width = vk_panel_width(path)
        let panels = (columns + width - 1) / width
        var memory = Tensor(storage: TensorStorage(capacity: panels * rows * width), offset: 0, shape: [panels * rows * width])
        // SAFETY: fresh memory of whole panels, each written by one thread; the factor lies inside its tensor.
        let target = unsafe SharedFloats(pointer: memory.mutablePointer())
        share(panels, among: threads) { range in
            unsafe vk_pack(path, factor, rows, columns, range.lowerBound, range.upperBound, target.pointer)
        }
        return Matrix(
            tensor: memory, start: 0, storedRows: rows, storedColumns: columns, stride: rows, isTransposed: false, panel: width)
    }
}
