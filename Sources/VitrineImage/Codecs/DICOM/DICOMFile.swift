import CDICOM

/// A DICOM file (PS3.10): its header, the values as stored, and pictures of its frames.
///
/// The file may lack its preamble and its meta header; pixels may be uncompressed, in either byte order, deflated, RLE, JPEG, lossless
/// JPEG, JPEG-LS or JPEG 2000.
public struct DICOMFile: Sendable {
    /// What the header says.
    public let header: DICOMHeader
    /// The path, or another name of the file, as errors show it.
    public var source: String { handle.source }
    let handle: DICOMHandle
    private let limits: ImageLimits

    public init(contentsOf path: String, limits: ImageLimits = .default) throws(ImageError) {
        try self.init(encoded: wholeFile(path, limits: limits), source: path, limits: limits)
    }

    /// Parses a file that is already in memory; `source` names it in errors.
    ///
    /// - Throws: `ImageError`, also for files that hold no pixels, such as directories and reports.
    public init(encoded bytes: [UInt8], source: String = "DICOM in memory", limits: ImageLimits = .default) throws(ImageError) {
        guard bytes.count <= limits.fileBytes else {
            throw .fileTooLarge(source: source, bytes: bytes.count, limit: limits.fileBytes)
        }
        handle = try DICOMHandle(bytes, source: source, limits: limits)
        self.limits = limits
        header = try DICOMHeader(handle)
        try limits.check(width: header.columns, height: header.rows, source: source, format: "DICOM")
    }

    /// Whether bytes are a DICOM file: by the mark behind the preamble, or, without one, by the first element.
    ///
    /// That element belongs to group 0002 or 0008 in either byte order; then comes a known type of value, or, where types are
    /// implicit, a length that the file has room for.
    public static func recognises(_ bytes: [UInt8]) -> Bool {
        if bytes.count >= 132 && bytes[128..<132].elementsEqual("DICM".utf8) { return true }
        guard bytes.count >= 8 else { return false }
        let isLittle = (bytes[0] == 2 || bytes[0] == 8) && bytes[1] == 0
        let isBig = bytes[0] == 0 && (bytes[1] == 2 || bytes[1] == 8)
        guard isLittle || isBig else { return false }
        if ["UL", "OB", "UI", "CS", "SH", "DA", "TM", "LO"].contains(where: { bytes[4..<6].elementsEqual($0.utf8) }) { return true }
        let length = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        // Elements 0000 to 00FF, values of an even length below 64 characters.
        return isLittle && bytes[3] == 0 && length % 2 == 0 && length <= min(64, bytes.count - 8)
    }

    /// Decodes one frame.
    ///
    /// - Parameter index: counted from 0.
    /// - Throws: `ImageError`; sizes are checked against the limits before memory is asked for.
    public func frame(_ index: Int = 0) throws(ImageError) -> DICOMFrame {
        let h = header
        guard (0..<h.frames).contains(index) else {
            throw unsupported("has \(h.frames) frame\(h.frames == 1 ? "" : "s"), counted from 0; there is no frame \(index)")
        }
        // Two luma samples share a pair of chroma samples, which only uncompressed data shows.
        let isHalved = h.photometric == "YBR_FULL_422" && !handle.isEncapsulated
        let samples = isHalved ? 2 : h.samplesPerPixel
        guard !isHalved || (h.columns % 2 == 0 && h.bitsAllocated == 8) else {
            throw damaged("YBR_FULL_422 needs an even number of columns of 8 bits, not \(h.columns) of \(h.bitsAllocated)")
        }
        let bits = h.rows * h.columns * samples * h.bitsAllocated
        var bytes: [UInt8]
        if handle.isEncapsulated {
            let size = vitrine_dicom_size(
                rows: UInt32(h.rows), columns: UInt32(h.columns), samples: UInt32(samples), bits: UInt32(h.bitsAllocated))
            bytes = try handle.decode(frame: index, size: size, count: (bits + 7) / 8)
            if h.bitsAllocated == 1 { bytes = Self.unpacked(bytes, from: 0, count: bits) }
        } else {
            let (start, overflows) = bits.multipliedReportingOverflow(by: index)
            let available = handle.byteCount(DICOMTag.pixelData) ?? 0
            guard !overflows, start <= Int.max - bits - 7, (start + bits + 7) / 8 <= available else {
                throw damaged(
                    "\(available) bytes of pixels cannot hold \(h.frames) x \(h.columns) x \(h.rows) x \(samples) samples of \(h.bitsAllocated) bits"
                )
            }
            bytes = handle.bytes(DICOMTag.pixelData, from: start / 8, count: (start + bits + 7) / 8 - start / 8)
            if h.bitsAllocated == 1 { bytes = Self.unpacked(bytes, from: start % 8, count: bits) }
            // Words are in order already, but big-endian files put the high word first.
            if h.bitsAllocated == 32 && handle.isBigEndian {
                for i in stride(from: 0, to: bytes.count, by: 4) {
                    bytes.swapAt(i, i + 2)
                    bytes.swapAt(i + 1, i + 3)
                }
            }
            if h.isPlanar && samples == 3 { bytes = Self.interleaved(bytes, samples: samples, sampleBytes: h.sampleBytes) }
        }
        if isHalved { bytes = Self.doubled(bytes) }
        return DICOMFrame(header: h, bytes: bytes)
    }

    func damaged(_ reason: String) -> ImageError { .damaged(source: source, format: "DICOM", reason: reason) }
    func unsupported(_ reason: String) -> ImageError { .unsupported(source: source, format: "DICOM", reason: reason) }

    /// One byte per bit, the lowest bit of a byte first.
    private static func unpacked(_ bytes: [UInt8], from start: Int, count: Int) -> [UInt8] {
        (start..<start + count).map { bytes[$0 / 8] >> UInt8($0 % 8) & 1 }
    }

    /// Planes of samples as pixels.
    private static func interleaved(_ bytes: [UInt8], samples: Int, sampleBytes: Int) -> [UInt8] {
        let pixels = bytes.count / (samples * sampleBytes)
        var out = [UInt8](repeating: 0, count: bytes.count)
        for c in 0..<samples {
            for i in 0..<pixels {
                for b in 0..<sampleBytes { out[(i * samples + c) * sampleBytes + b] = bytes[(c * pixels + i) * sampleBytes + b] }
            }
        }
        return out
    }

    /// `Y Y Cb Cr` as two pixels of the same chroma.
    private static func doubled(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count / 4 * 6)
        for i in stride(from: 0, to: bytes.count, by: 4) {
            out += [bytes[i], bytes[i + 2], bytes[i + 3], bytes[i + 1], bytes[i + 2], bytes[i + 3]]
        }
        return out
    }
}
