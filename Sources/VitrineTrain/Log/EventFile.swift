/// Scalars in the format of TensorBoard's event files: TFRecords of `Event` protocol buffers.
///
/// A record is its length (8 bytes, little-endian), the masked CRC-32C of the length, the message, the masked CRC-32C of the message.
package enum EventFile {
    /// The first record of every file.
    package static func header(wallTime: Double) -> [UInt8] { record(double(1, wallTime) + bytes(3, Array("brain.Event:2".utf8))) }

    /// One scalar at one step.
    package static func scalar(_ tag: String, _ value: Double, step: Int, wallTime: Double) -> [UInt8] {
        let entry = bytes(1, Array(tag.utf8)) + float(2, Float(value))
        return record(double(1, wallTime) + varint(2, UInt64(step)) + bytes(5, bytes(1, entry)))
    }

    private static func record(_ message: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(message.count), 8)
        return length + littleEndian(UInt64(maskedCRC32C(length)), 4) + message + littleEndian(UInt64(maskedCRC32C(message)), 4)
    }

    // MARK: Protocol buffers: a key (field number and wire type), then the value.

    private static func varint(_ value: UInt64) -> [UInt8] {
        var out: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    private static func varint(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }
    private static func double(_ field: UInt64, _ value: Double) -> [UInt8] { varint(field << 3 | 1) + littleEndian(value.bitPattern, 8) }
    private static func float(_ field: UInt64, _ value: Float) -> [UInt8] {
        varint(field << 3 | 5) + littleEndian(UInt64(value.bitPattern), 4)
    }
    private static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(value.count)) + value
    }

    private static func littleEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    // MARK: CRC-32C (Castagnoli), reflected polynomial 0x82F63B78.

    private static let table: [UInt32] = (0..<256).map { i in
        (0..<8).reduce(UInt32(i)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
    }

    package static func crc32c(_ data: [UInt8]) -> UInt32 {
        ~data.reduce(~UInt32(0)) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
    }

    private static func maskedCRC32C(_ data: [UInt8]) -> UInt32 {
        let crc = crc32c(data)
        return (crc >> 15 | crc << 17) &+ 0xa282_ead8
    }
}
