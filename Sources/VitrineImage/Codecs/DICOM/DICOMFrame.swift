import VitrineTensor

/// The values of a DICOM frame as stored: before rescaling, windows, palettes and colour conversion.
public struct DICOMFrame: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// Values per pixel: 1 or 3.
    public let samples: Int
    /// Bits of a value.
    public let bits: Int
    /// Values lie in -2^(bits - 1) ..< 2^(bits - 1), not in 0 ..< 2^bits.
    public let isSigned: Bool
    private let lowBit: Int
    private let sampleBytes: Int
    /// Little-endian samples, those of a pixel side by side.
    private let bytes: [UInt8]

    init(header: DICOMHeader, bytes: [UInt8]) {
        precondition(bytes.count == header.rows * header.columns * header.samplesPerPixel * header.sampleBytes, "a frame is complete")
        width = header.columns
        height = header.rows
        samples = header.samplesPerPixel
        bits = header.bitsStored
        isSigned = header.isSigned
        lowBit = header.highBit + 1 - header.bitsStored
        sampleBytes = header.sampleBytes
        self.bytes = bytes
    }

    /// How many values there are: height x width x samples.
    public var count: Int { width * height * samples }

    /// The value of (row y, column x, sample c) stands at `(y * width + x) * samples + c`.
    ///
    /// Bits outside the stored ones, where old files keep overlays, are cut off.
    public subscript(index: Int) -> Int {
        let at = index * sampleBytes
        var pattern = Int(bytes[at])
        for b in 1..<max(1, sampleBytes) { pattern |= Int(bytes[at + b]) << (8 * b) }
        pattern = pattern >> lowBit & (1 << bits - 1)
        return isSigned && pattern >> (bits - 1) == 1 ? pattern - 1 << bits : pattern
    }

    /// The smallest and the largest value.
    public var range: ClosedRange<Int> {
        var (low, high) = (self[0], self[0])
        for i in 1..<max(1, count) {
            let value = self[i]
            if value < low { low = value } else if value > high { high = value }
        }
        return low...high
    }

    /// The values as an NPY file of the smallest whole-number type that holds them, shape height x width, or height x width x 3.
    public func npyData() -> [UInt8] {
        var data: [UInt8] = []
        data.reserveCapacity(count * sampleBytes)
        for i in 0..<count {
            let value = self[i]
            for b in 0..<sampleBytes { data.append(UInt8(truncatingIfNeeded: value >> (8 * b))) }
        }
        return NPY.header(
            descriptor: "<\(isSigned ? "i" : "u")\(sampleBytes)", shape: samples == 1 ? [height, width] : [height, width, samples])
            + data
    }
}
