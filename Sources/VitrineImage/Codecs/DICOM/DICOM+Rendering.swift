extension ImageCodec {
    /// DICOM through DCMTK and OpenJPEG: the first frame as `DICOMFile.image` renders it; a mask as its values are stored.
    static let dicom = ImageCodec(
        name: "DICOM", fileExtensions: ["dcm", "dicom", "ima"], recognises: { DICOMFile.recognises($0) },
        decode: { (bytes, request) throws(ImageError) in
            let file = try DICOMFile(encoded: bytes, source: request.source, limits: request.limits)
            return request.isMask && file.header.samplesPerPixel == 1 ? try file.storedMask() : Raster(try file.image())
        })
}

extension DICOMFile {
    /// A frame as an 8-bit picture.
    ///
    /// Grey values go through `greyScale(of:index:)`. Palettes are looked up. Colours of more than 8 bits keep their high ones; YBR_FULL becomes
    /// RGB by the formula of PS3.3 C.7.6.3.1.2, rounded half up. JPEG 2000 gives RGB by itself.
    ///
    /// - Parameter index: counted from 0; the first frame by default.
    public func image(frame index: Int = 0) throws(ImageError) -> Image {
        let kinds = ["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"]
        guard kinds.contains(header.photometric) else {
            throw unsupported("has colours '\(header.photometric)', which is none of \(kinds.joined(separator: ", ")); export it as RGB")
        }
        let frame = try frame(index)
        switch header.photometric {
        case "MONOCHROME1", "MONOCHROME2":
            let scale = try greyScale(of: frame, index: index)
            return picture(of: frame) { scale.byte(of: $0) }
        case "PALETTE COLOR": return try paletteImage(frame)
        case "YBR_FULL", "YBR_FULL_422": return rgb(fromYBR: picture(of: frame, highByte))
        default: return picture(of: frame, highByte)
        }
    }

    /// The values of a mask as stored, whatever windows the file declares; negative ones are no lesion.
    func storedMask() throws(ImageError) -> Raster {
        let frame = try frame()
        let samples: Raster.Samples =
            frame.range.upperBound <= Int(UInt16.max)
            ? .words((0..<frame.count).map { UInt16(max(0, frame[$0])) }) : .floats((0..<frame.count).map { Float(max(0, frame[$0])) })
        return Raster(width: frame.width, height: frame.height, channels: 1, bits: 16, samples: samples)
    }

    /// A function of the stored value for every sample; computed once per value where there are no more than 65536 of them.
    private func picture(of frame: DICOMFrame, _ byte: (Int) -> UInt8) -> Image {
        var image = Image(width: frame.width, height: frame.height, channels: frame.samples)
        let range = frame.range
        if range.count <= min(1 << 16, frame.count) {
            let table = range.map(byte)
            for i in 0..<frame.count { image.pixels[i] = table[frame[i] - range.lowerBound] }
        } else {
            for i in 0..<frame.count { image.pixels[i] = byte(frame[i]) }
        }
        return image
    }

    /// A colour sample as 8 bits.
    private func highByte(_ value: Int) -> UInt8 {
        let bits = header.bitsStored
        return UInt8(truncatingIfNeeded: bits >= 8 ? value >> (bits - 8) : value * 255 / (1 << bits - 1))
    }

    private func paletteImage(_ frame: DICOMFrame) throws(ImageError) -> Image {
        var image = Image(width: frame.width, height: frame.height, channels: 3)
        for c in 0..<3 {
            let next = UInt32(c)
            guard
                let table = try DICOMLookupTable(
                    self, in: .init(), descriptor: DICOMTag.paletteDescriptor + next, data: DICOMTag.paletteData + next,
                    segmented: DICOMTag.segmentedPaletteData + next)
            else { throw damaged("PALETTE COLOR without a palette") }
            for i in 0..<frame.count { image.pixels[3 * i + c] = table.byte(of: frame[i]) }
        }
        return image
    }

    private func rgb(fromYBR image: Image) -> Image {
        var image = image
        for i in stride(from: 0, to: image.pixels.count, by: 3) {
            let (y, blue, red) = (Float(image.pixels[i]), Float(image.pixels[i + 1]) - 128, Float(image.pixels[i + 2]) - 128)
            let values = (
                y + 1.402 * red, y - (0.114 * 1.772 / 0.587) * blue - (0.299 * 1.402 / 0.587) * red, y + 1.772 * blue
            )
            image.pixels[i] = UInt8(min(max((values.0 + 0.5).rounded(.down), 0), 255))
            image.pixels[i + 1] = UInt8(min(max((values.1 + 0.5).rounded(.down), 0), 255))
            image.pixels[i + 2] = UInt8(min(max((values.2 + 0.5).rounded(.down), 0), 255))
        }
        return image
    }
}
