import CDICOM
import Synchronization

/// A DICOM file that DCMTK has parsed: finds elements and decompresses frames, for one thread at a time.
// SAFETY: `pointer` is valid from `init` to `deinit`, and only used with `lock` held.
@safe final class DICOMHandle: @unchecked Sendable {
    private let pointer: OpaquePointer
    private let lock = Mutex(())
    let source: String
    let transferSyntax: String
    let isBigEndian: Bool
    let isEncapsulated: Bool

    /// Where an element stands.
    struct Place {
        /// Counted from 0; only looked at together with `macro`.
        var frame = 0
        /// A sequence inside the functional groups of a multi-frame object.
        var macro: UInt32 = 0
        /// A sequence whose first item holds the element.
        var sequence: UInt32 = 0
    }

    init(_ bytes: [UInt8], source: String, limits: ImageLimits) throws(ImageError) {
        self.source = source
        var failure = vitrine_dicom_failure()
        // Pixels of four bytes, and room for the header.
        let most = UInt64(limits.pixels) * 4 + (16 << 20)
        // SAFETY: the shim reads `bytes` during the call and keeps copies only.
        guard let opened = unsafe vitrine_dicom_open(bytes, UInt64(bytes.count), most, &failure) else {
            throw Self.error(failure, source)
        }
        unsafe pointer = opened
        // SAFETY: a text that lives as long as the handle, copied here.
        transferSyntax = unsafe String(cString: vitrine_dicom_transfer_syntax(opened))
        isBigEndian = unsafe vitrine_dicom_is_big_endian(opened) != 0
        isEncapsulated = unsafe vitrine_dicom_is_encapsulated(opened) != 0
    }

    deinit { unsafe vitrine_dicom_close(pointer) }

    /// Value `index` of a numeric element.
    func number(_ tag: UInt32, index: Int = 0, in place: Place = Place()) -> Double? {
        lock.withLock { _ in
            var value = 0.0
            // SAFETY: the handle is open and the lock is held.
            return unsafe vitrine_dicom_number(pointer, Self.place(place), tag, UInt32(index), &value) == 1 ? value : nil
        }
    }

    func integer(_ tag: UInt32, index: Int = 0, in place: Place = Place()) -> Int? {
        number(tag, index: index, in: place).flatMap { Int(exactly: $0) }
    }

    /// An element as text, without the padding; nil where it is absent or empty.
    ///
    /// Bytes that are no UTF-8 are taken as Latin-1, so that different texts stay different; control characters become `?`.
    func text(_ tag: UInt32, in place: Place = Place()) -> String? {
        var buffer = [CChar](repeating: 0, count: 1024)
        let count = lock.withLock { _ in
            // SAFETY: at most 1024 characters are written.
            unsafe vitrine_dicom_text(pointer, Self.place(place), tag, &buffer, 1024)
        }
        guard count > 0 else { return nil }
        let bytes = buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }
        let trimmed = Self.printable(bytes.trimmingPrefix { $0 == 0x20 }.reversed().drop { $0 == 0x20 || $0 == 0 }.reversed())
        return trimmed.isEmpty ? nil : trimmed
    }

    /// Texts come from the file and go to terminals and error lines.
    private static func printable(_ bytes: [UInt8]) -> String {
        let clean = bytes.map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }
        return String(validating: clean, as: UTF8.self) ?? String(String.UnicodeScalarView(clean.map { Unicode.Scalar($0) }))
    }

    /// How many bytes an element has; nil where it is absent.
    func byteCount(_ tag: UInt32, in place: Place = Place()) -> Int? {
        lock.withLock { _ in
            // SAFETY: nothing is written.
            let count = unsafe vitrine_dicom_bytes(pointer, Self.place(place), tag, 0, nil, 0)
            return count < 0 ? nil : Int(count)
        }
    }

    /// `count` bytes of an element, words in little-endian order; the element has them all.
    func bytes(_ tag: UInt32, in place: Place = Place(), from offset: Int = 0, count: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        lock.withLock { _ in
            // SAFETY: `out` holds `count` bytes.
            _ = unsafe vitrine_dicom_bytes(pointer, Self.place(place), tag, UInt64(offset), &out, UInt64(count))
        }
        return out
    }

    /// A decompressed frame, `count` bytes, the samples of a pixel side by side.
    func decode(frame: Int, size: vitrine_dicom_size, count: Int) throws(ImageError) -> [UInt8] {
        // Some decoders round the size up to an even one.
        var out = [UInt8](repeating: 0, count: count + 2)
        var failure = vitrine_dicom_failure()
        let isDecoded = lock.withLock { _ in
            // SAFETY: the shim is told the size of `out`.
            unsafe vitrine_dicom_decode(pointer, UInt32(frame), size, &out, UInt64(count + 2), &failure) != 0
        }
        guard isDecoded else { throw Self.error(failure, source) }
        out.removeLast(2)
        return out
    }

    private static func place(_ place: Place) -> vitrine_dicom_place {
        vitrine_dicom_place(frame: UInt32(place.frame), macro: place.macro, sequence: place.sequence)
    }

    private static func error(_ failure: vitrine_dicom_failure, _ source: String) -> ImageError {
        var reason = failure.reason
        // SAFETY: a copy of the characters; snprintf ended the text with a zero inside the array.
        let text = unsafe withUnsafeBytes(of: &reason) { raw in unsafe printable(Array(raw.prefix { $0 != 0 })) }
        let line = text.isEmpty ? "it cannot be read" : text
        return failure.is_unsupported != 0
            ? .unsupported(source: source, format: "DICOM", reason: line) : .damaged(source: source, format: "DICOM", reason: line)
    }
}

/// The elements that are read, as group and element (PS3.6).
enum DICOMTag {
    static let modality: UInt32 = 0x0008_0060
    static let patientID: UInt32 = 0x0010_0020
    static let imagerPixelSpacing: UInt32 = 0x0018_1164
    static let samplesPerPixel: UInt32 = 0x0028_0002
    static let photometric: UInt32 = 0x0028_0004
    static let planarConfiguration: UInt32 = 0x0028_0006
    static let frames: UInt32 = 0x0028_0008
    static let rows: UInt32 = 0x0028_0010
    static let columns: UInt32 = 0x0028_0011
    static let pixelSpacing: UInt32 = 0x0028_0030
    static let bitsAllocated: UInt32 = 0x0028_0100
    static let bitsStored: UInt32 = 0x0028_0101
    static let highBit: UInt32 = 0x0028_0102
    static let pixelRepresentation: UInt32 = 0x0028_0103
    static let windowCenter: UInt32 = 0x0028_1050
    static let windowWidth: UInt32 = 0x0028_1051
    static let rescaleIntercept: UInt32 = 0x0028_1052
    static let rescaleSlope: UInt32 = 0x0028_1053
    static let voiFunction: UInt32 = 0x0028_1056
    /// Descriptors, data and segmented data of the red palette; green and blue follow.
    static let paletteDescriptor: UInt32 = 0x0028_1101
    static let paletteData: UInt32 = 0x0028_1201
    static let segmentedPaletteData: UInt32 = 0x0028_1221
    static let modalityLUTSequence: UInt32 = 0x0028_3000
    static let lutDescriptor: UInt32 = 0x0028_3002
    static let lutData: UInt32 = 0x0028_3006
    static let voiLUTSequence: UInt32 = 0x0028_3010
    /// Functional groups of multi-frame objects.
    static let pixelMeasures: UInt32 = 0x0028_9110
    static let frameVOILUT: UInt32 = 0x0028_9132
    static let pixelValueTransformation: UInt32 = 0x0028_9145
    static let floatPixelData: UInt32 = 0x7FE0_0008
    static let doubleFloatPixelData: UInt32 = 0x7FE0_0009
    static let pixelData: UInt32 = 0x7FE0_0010
}
