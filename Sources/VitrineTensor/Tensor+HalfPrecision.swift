import CVitrineKernels

extension Tensor {
    /// The elements as IEEE 754 binary16 bit patterns, rounded to nearest even; beyond 65504 they become infinite.
    public var halfPrecisionBits: [UInt16] {
        unsafe [UInt16](unsafeUninitializedCapacity: count) { buffer, initialized in
            // SAFETY: both hold `count` elements; an empty tensor touches neither.
            if count > 0 { unsafe vk_float_to_half(pointer, count, buffer.baseAddress!) }
            initialized = count
        }
    }
}
