#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How the grey values of a DICOM frame become 8 bits: modality transformation, values of interest, polarity (PS3.4 N.2).
///
/// Everything is computed in Float64 from the stored value, since rescaled values need not be whole numbers (PET, MR). DCMTK's own
/// rendering keeps whole numbers after rescaling: the fixture `fractional-exact` has 3 grey levels there, and 83 here and in pydicom.
public struct DICOMGreyScale: Sendable {
    enum Modality: Sendable {
        case table(DICOMLookupTable)
        /// stored · slope + intercept.
        case linear(slope: Double, intercept: Double)
    }

    enum Interest: Sendable {
        case table(DICOMLookupTable)
        case window(center: Double, width: Double, function: WindowFunction)
        /// Smallest to largest value.
        case range(ClosedRange<Double>)
    }

    /// PS3.3 C.11.2.1.2 and C.11.2.1.3.
    enum WindowFunction: String, Sendable {
        case linear = "LINEAR"
        case linearExact = "LINEAR_EXACT"
        case sigmoid = "SIGMOID"
    }

    let modality: Modality
    let interest: Interest
    let isInverted: Bool

    /// The value in units of the modality, such as Hounsfield units.
    public func modalityValue(of stored: Int) -> Double {
        switch modality {
        case .table(let table): Double(table[stored])
        case .linear(let slope, let intercept): Double(stored) * slope + intercept
        }
    }

    /// The grey level: 255 times the share of the range of interest, rounded half up; inverted for MONOCHROME1.
    public func byte(of stored: Int) -> UInt8 {
        let value = modalityValue(of: stored)
        let share: Double
        switch interest {
        case .table(let table):
            share = Double(table[Int(min(max(value.rounded(.down), -1e9), 1e9))]) / Double(table.limit)
        case .window(let center, let width, .linear):
            share = width > 1 ? (value - center + 0.5) / (width - 1) + 0.5 : value > center - 0.5 ? 1 : 0
        case .window(let center, let width, .linearExact): share = (value - center) / width + 0.5
        case .window(let center, let width, .sigmoid): share = 1 / (1 + exp(-4 * (value - center) / width))
        case .range(let range):
            let extent = range.upperBound - range.lowerBound
            share = extent > 0 ? (value - range.lowerBound) / extent : 0
        }
        let level = UInt8((min(max(share, 0), 1) * 255 + 0.5).rounded(.down))
        return isInverted ? 255 - level : level
    }
}

extension DICOMFile {
    /// The grey scale of a frame of monochrome pixels.
    ///
    /// - The modality's lookup table, or Rescale Slope and Intercept, or neither.
    /// - The first lookup table for values of interest, or the first window; a window that the standard forbids (LINEAR below a width of 1,
    ///   others of no width) is passed over.
    /// - Without these the whole range: all values of the stored bits where they are 8 or fewer and not rescaled, so that such pictures keep
    ///   their grey levels; otherwise the smallest to the largest value of the frame, since deeper files rarely use all their bits.
    ///
    /// A frame of a multi-frame object takes what its own or the shared functional groups say, before what the object says.
    public func greyScale(of frame: DICOMFrame, index: Int = 0) throws(ImageError) -> DICOMGreyScale {
        let transformation = DICOMHandle.Place(frame: index, macro: DICOMTag.pixelValueTransformation)
        let voi = DICOMHandle.Place(frame: index, macro: DICOMTag.frameVOILUT)
        let top = DICOMHandle.Place()

        var modality = DICOMGreyScale.Modality.linear(slope: 1, intercept: 0)
        var isRescaled = false
        if let table = try DICOMLookupTable(self, in: .init(sequence: DICOMTag.modalityLUTSequence)) {
            (modality, isRescaled) = (.table(table), true)
        } else {
            for place in [transformation, top] {
                guard let slope = handle.number(DICOMTag.rescaleSlope, in: place),
                    let intercept = handle.number(DICOMTag.rescaleIntercept, in: place), slope.isFinite, intercept.isFinite
                else { continue }
                (modality, isRescaled) = (.linear(slope: slope, intercept: intercept), slope != 1 || intercept != 0)
                break
            }
        }
        let isInverted = header.photometric == "MONOCHROME1"
        func scale(_ interest: DICOMGreyScale.Interest) -> DICOMGreyScale {
            DICOMGreyScale(modality: modality, interest: interest, isInverted: isInverted)
        }
        for place in [voi, top] {
            var inner = place
            inner.sequence = DICOMTag.voiLUTSequence
            if let table = try DICOMLookupTable(self, in: inner) { return scale(.table(table)) }
            guard let center = handle.number(DICOMTag.windowCenter, in: place), let width = handle.number(DICOMTag.windowWidth, in: place)
            else { continue }
            let name = handle.text(DICOMTag.voiFunction, in: place) ?? "LINEAR"
            guard let function = DICOMGreyScale.WindowFunction(rawValue: name) else {
                throw unsupported("has a window of function '\(name)', which is none of LINEAR, LINEAR_EXACT, SIGMOID")
            }
            guard center.isFinite, width.isFinite, function == .linear ? width >= 1 : width > 0 else { continue }
            return scale(.window(center: center, width: width, function: function))
        }
        if frame.bits <= 8 && !isRescaled {
            let low = frame.isSigned ? -Double(1 << (frame.bits - 1)) : 0
            return scale(.range(low...low + Double(1 << frame.bits - 1)))
        }
        let plain = scale(.range(0...0))
        var (low, high) = (Double.infinity, -Double.infinity)
        switch modality {
        case .linear:
            let ends = [plain.modalityValue(of: frame.range.lowerBound), plain.modalityValue(of: frame.range.upperBound)]
            (low, high) = (ends.min()!, ends.max()!)
        case .table:
            for i in 0..<frame.count {
                let value = plain.modalityValue(of: frame[i])
                (low, high) = (min(low, value), max(high, value))
            }
        }
        return scale(.range(low...high))
    }
}
