import CVitrineKernels

/// The checksum of zip archives, taken piece by piece.
public struct CRC32: Sendable {
    public private(set) var value: UInt32 = 0

    private static let tables: [UInt32] = unsafe [UInt32](unsafeUninitializedCapacity: 8 * 256) { buffer, initialized in
        // SAFETY: room for the 8 x 256 words that the function writes.
        unsafe vk_crc32_tables(buffer.baseAddress!)
        initialized = 8 * 256
    }

    public init() {}

    public mutating func update(_ bytes: [UInt8]) { unsafe update(bytes.span.bytes) }

    /// The elements as they lie in memory.
    public mutating func update(_ tensor: Tensor) {
        value = tensor.withSpan { unsafe CRC32.advance(value, $0.bytes) }
    }

    private mutating func update(_ bytes: RawSpan) { value = CRC32.advance(value, bytes) }

    private static func advance(_ crc: UInt32, _ bytes: RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let start = buffer.baseAddress else { return crc }
            // SAFETY: the tables have 8 x 256 words; the buffer is valid for its count during the call.
            return unsafe vk_crc32(tables, crc, start.assumingMemoryBound(to: UInt8.self), buffer.count)
        }
    }
}
