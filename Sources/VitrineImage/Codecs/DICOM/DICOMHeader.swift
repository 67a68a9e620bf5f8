/// What the header of a DICOM file says about its pixels and where they come from.
public struct DICOMHeader: Sendable, Equatable {
    /// Distance between the centres of neighbouring pixels in millimetres.
    public struct Spacing: Sendable, Equatable {
        /// From one row to the next, downwards.
        public let rows: Double
        /// From one column to the next, to the right.
        public let columns: Double
    }

    /// UID of the transfer syntax; the guessed one where the file states none.
    public let transferSyntax: String
    public let rows: Int
    public let columns: Int
    /// At least 1.
    public let frames: Int
    /// 1 or 3.
    public let samplesPerPixel: Int
    /// `MONOCHROME1`, `MONOCHROME2`, `PALETTE COLOR`, `RGB`, `YBR_FULL` and so on; where the file states none, `MONOCHROME2` for one sample per
    /// pixel and `RGB` for three.
    public let photometric: String
    /// 1, 8, 16 or 32.
    public let bitsAllocated: Int
    /// 1 to `bitsAllocated`.
    public let bitsStored: Int
    /// Position of the highest stored bit, from 0.
    public let highBit: Int
    /// Values are in two's complement of `bitsStored` bits.
    public let isSigned: Bool
    /// Who the image is of, as the file states it.
    public let patientID: String?
    /// The kind of device: `MR`, `CT`, `CR` and so on.
    public let modality: String?
    /// Pixel Spacing, of the first frame where frames have their own; else Imager Pixel Spacing, which holds at the detector.
    public let spacing: Spacing?
    let isPlanar: Bool

    /// Bytes of a sample once bits are unpacked.
    var sampleBytes: Int { max(1, bitsAllocated / 8) }

    init(_ handle: DICOMHandle) throws(ImageError) {
        func damaged(_ reason: String) -> ImageError { .damaged(source: handle.source, format: "DICOM", reason: reason) }
        func unsupported(_ reason: String) -> ImageError { .unsupported(source: handle.source, format: "DICOM", reason: reason) }
        guard let rows = handle.integer(DICOMTag.rows), let columns = handle.integer(DICOMTag.columns) else {
            throw unsupported("holds no image (a directory, a report or a plan?); choose a file with pixels")
        }
        for tag in [DICOMTag.floatPixelData, DICOMTag.doubleFloatPixelData] where handle.number(tag) != nil {
            throw unsupported("holds floating-point pixels; export them as whole numbers")
        }
        transferSyntax = handle.transferSyntax
        (self.rows, self.columns) = (rows, columns)
        frames = max(1, handle.integer(DICOMTag.frames) ?? 1)
        samplesPerPixel = handle.integer(DICOMTag.samplesPerPixel) ?? 1
        guard samplesPerPixel == 1 || samplesPerPixel == 3 else {
            throw unsupported("has \(samplesPerPixel) samples per pixel; 1 and 3 can be read, export it as grey or RGB")
        }
        photometric = handle.text(DICOMTag.photometric) ?? (samplesPerPixel == 1 ? "MONOCHROME2" : "RGB")
        let isGreyOrPalette = photometric.hasPrefix("MONOCHROME") || photometric == "PALETTE COLOR"
        guard isGreyOrPalette == (samplesPerPixel == 1) else {
            throw damaged("\(photometric) with \(samplesPerPixel) sample\(samplesPerPixel == 1 ? "" : "s") per pixel")
        }
        bitsAllocated = handle.integer(DICOMTag.bitsAllocated) ?? 0
        guard [1, 8, 16, 32].contains(bitsAllocated), bitsAllocated > 1 || samplesPerPixel == 1 else {
            throw unsupported("has \(bitsAllocated) bits allocated per sample; 1 (grey), 8, 16 and 32 can be read, export it with 16")
        }
        bitsStored = handle.integer(DICOMTag.bitsStored) ?? bitsAllocated
        highBit = handle.integer(DICOMTag.highBit) ?? bitsStored - 1
        guard (1...bitsAllocated).contains(bitsStored), (bitsStored - 1..<bitsAllocated).contains(highBit) else {
            throw damaged("\(bitsStored) bits stored up to bit \(highBit) do not fit the \(bitsAllocated) allocated")
        }
        isSigned = handle.integer(DICOMTag.pixelRepresentation) == 1
        isPlanar = handle.integer(DICOMTag.planarConfiguration) == 1
        patientID = handle.text(DICOMTag.patientID)
        modality = handle.text(DICOMTag.modality)
        let places: [(UInt32, DICOMHandle.Place)] = [
            (DICOMTag.pixelSpacing, .init()), (DICOMTag.pixelSpacing, .init(macro: DICOMTag.pixelMeasures)),
            (DICOMTag.imagerPixelSpacing, .init()),
        ]
        spacing =
            places.lazy.compactMap { tag, place in
                guard let rows = handle.number(tag, in: place), let columns = handle.number(tag, index: 1, in: place) else { return nil }
                return rows > 0 && columns > 0 && rows.isFinite && columns.isFinite ? Spacing(rows: rows, columns: columns) : nil
            }.first
    }
}
