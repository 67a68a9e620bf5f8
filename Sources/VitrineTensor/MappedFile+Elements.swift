import CVitrineKernels

extension MappedFile {
    /// A tensor of elements of any stored type, converted to Float32.
    ///
    /// Contiguous, aligned, little-endian float32 is mapped without a copy; all else is converted into fresh memory. Integers beyond
    /// 2^24 and float64 lose digits, as any conversion to Float32 does; float64 beyond its range becomes infinite.
    ///
    /// - Parameters:
    ///   - byteOffset: where element [0, 0, ...] starts.
    ///   - strides: steps in elements, one per dimension, not negative; `nil` for row-major order without gaps.
    ///   - isByteSwapped: the file was written with the other byte order.
    /// - Precondition: every element addressed lies inside the file.
    public func tensor(
        byteOffset: Int, shape: Shape, type: ElementType, strides: [Int]? = nil, isByteSwapped: Bool = false
    ) -> Tensor {
        let size = type.byteCount
        let isContiguous = strides.map { shape.isContiguous(strides: $0) } ?? true
        if isContiguous && type == .float32 && byteOffset % 4 == 0 && !isByteSwapped && shape.count > 0 {
            return tensor(byteOffset: byteOffset, shape: shape)
        }
        var result = Tensor(storage: TensorStorage(capacity: shape.count), offset: 0, shape: shape)
        guard shape.count > 0 else { return result }
        let steps = isContiguous ? shape.contiguousStrides : strides ?? shape.contiguousStrides
        var last = 0
        for d in 0..<shape.rank {
            precondition(steps[d] >= 0, "a stride cannot be negative")
            last += (shape[d] - 1) * steps[d]
        }
        precondition(byteOffset >= 0 && byteOffset + (last + 1) * size <= count, "elements outside the mapped file")

        // Runs along the innermost dimension, or one run over everything.
        let run = isContiguous ? shape.count : shape.last
        let stride = isContiguous || shape.rank == 0 ? 1 : steps[shape.rank - 1]
        let outerRank = isContiguous ? 0 : max(0, shape.rank - 1)
        var index = [Int](repeating: 0, count: outerRank)
        let target = unsafe result.mutablePointer()
        var written = 0
        while true {
            var first = 0
            for d in 0..<outerRank { first += index[d] * steps[d] }
            // SAFETY: the largest address was checked above and all steps are >= 0; `written + run` stays within `shape.count`.
            unsafe vk_to_float(
                Int32(type.rawValue),
                (base + byteOffset + first * size).assumingMemoryBound(to: UInt8.self), stride, run,
                isByteSwapped ? 1 : 0, target + written)
            written += run
            var d = outerRank - 1
            while d >= 0 {
                index[d] += 1
                if index[d] < shape[d] { break }
                index[d] = 0
                d -= 1
            }
            if d < 0 { break }
        }
        return result
    }
}

extension Shape {
    /// Steps in elements of row-major order without gaps.
    public var contiguousStrides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for d in stride(from: rank - 2, through: 0, by: -1) { strides[d] = strides[d + 1] * self[d + 1] }
        return strides
    }

    /// Whether these steps walk the memory in row-major order without gaps; steps of dimensions of extent 1 do not matter.
    public func isContiguous(strides: [Int]) -> Bool {
        let expected = contiguousStrides
        for d in 0..<rank where self[d] != 1 && strides[d] != expected[d] { return false }
        return true
    }
}
