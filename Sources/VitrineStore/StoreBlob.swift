import Foundation

/// Numbers as a store holds them: little-endian, one after the other.
enum StoreBlob {
    static func data(_ values: [Float]) -> Data { bytes(values.map(\.bitPattern)) }
    static func data(_ values: [Double]) -> Data { bytes(values.map(\.bitPattern)) }
    static func data(_ values: [Int32]) -> Data { bytes(values.map { UInt32(bitPattern: $0) }) }

    static func floats(_ data: Data) -> [Float] { words(data, UInt32.self).map(Float.init(bitPattern:)) }
    static func doubles(_ data: Data) -> [Double] { words(data, UInt64.self).map(Double.init(bitPattern:)) }
    static func integers(_ data: Data) -> [Int32] { words(data, UInt32.self).map(Int32.init(bitPattern:)) }

    private static func bytes<Word: FixedWidthInteger>(_ words: [Word]) -> Data {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.count * Word.bitWidth / 8)
        for word in words {
            for shift in stride(from: 0, to: Word.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return Data(bytes)
    }

    private static func words<Word: FixedWidthInteger>(_ data: Data, _: Word.Type) -> [Word] {
        let bytes = [UInt8](data)
        let size = Word.bitWidth / 8
        return (0..<bytes.count / size).map { i in
            (0..<size).reduce(Word(0)) { $0 | Word(truncatingIfNeeded: bytes[i * size + $1]) << Word(8 * $1) }
        }
    }
}
