/// The samples of a picture as its file stores them, before they become an 8-bit picture or a mask.
struct Raster: Sendable {
    enum Samples: Sendable {
        /// Depths up to 8 bits, one byte each.
        case bytes([UInt8])
        /// Depths of 9 to 16 bits.
        case words([UInt16])
        /// Floating-point samples, and signed ones.
        case floats([Float])
    }

    let width: Int
    let height: Int
    /// Samples per pixel, interleaved: 1 grey or index, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    let channels: Int
    let samples: Samples
    /// Bits per sample as stored, 1 to 16; of no meaning for floats.
    let bits: Int
    /// Bits that the file says its samples really have, where it says so.
    var significantBits: Int?
    /// Red, green and blue of the indices 0 to 255, where the samples are indices.
    var palette: [UInt8]?
    /// Colours were multiplied by alpha before they were stored.
    var isPremultiplied = false
    /// Written by a lossy method: values near each other may have been one.
    var isLossy = false
    /// The EXIF orientation that the file asks viewers for and that was not applied, 1 to 8.
    var orientation = 1
    /// What was left out or assumed while it was read.
    var notes: [String] = []

    var pixelCount: Int { width * height }
    var hasAlpha: Bool { channels == 2 || channels == 4 }
    /// Samples per pixel besides alpha: 1 or 3.
    var colours: Int { hasAlpha ? channels - 1 : channels }

    init(width: Int, height: Int, channels: Int, bits: Int = 8, samples: Samples) {
        (self.width, self.height, self.channels, self.bits, self.samples) = (width, height, channels, bits, samples)
    }

    /// A picture that was rendered already.
    init(_ image: Image) {
        self.init(width: image.width, height: image.height, channels: image.channels, samples: .bytes(image.pixels))
    }
}

extension Raster {
    /// The 8-bit picture, and what a reader should know about how it came about.
    ///
    /// - 8 bits stay as they are; fewer are scaled to 0...255; indices are looked up; alpha is dropped, and divided out where the
    ///   colours were multiplied by it, as Pillow does it.
    /// - 16 bits keep their high byte, as Pillow's `convert("RGB")` of 16-bit colour does it, where they use the range: the largest sample
    ///   needs 15 bits or more. Fewer significant bits, as the file states them, are scaled to 0...255. Where it states none, the
    ///   samples' own range is shown, from the smallest (grey) or from 0 (colour) to the largest, as a DICOM file without a window is
    ///   shown, and a note says so: detectors have 10 to 14 bits, and high bytes would leave 4 to 64 grey levels.
    /// - Floating-point samples: their own range likewise.
    func picture(source: String) throws(ImageError) -> (image: Image, notes: [String]) {
        switch samples {
        case .bytes(let bytes):
            return (Image(width: width, height: height, channels: palette == nil ? colours : 3, pixels: eightBits(bytes)), notes)
        case .words(let words):
            let scale = depthScale(words)
            var out = [UInt8](repeating: 0, count: pixelCount * colours)
            let table = scale.table()
            for i in 0..<pixelCount {
                let alpha = hasAlpha && isPremultiplied ? Int(words[i * channels + channels - 1] >> 8) : 0
                for c in 0..<colours {
                    let value = table[Int(words[i * channels + c])]
                    out[i * colours + c] = alpha > 0 ? UInt8(min(Int(value) * 255 / alpha, 255)) : value
                }
            }
            return (Image(width: width, height: height, channels: colours, pixels: out), notes + scale.notes)
        case .floats(let floats):
            guard let range = finiteRange(floats) else {
                throw .unsupported(
                    source: source, format: "image", reason: "holds NaN or infinite samples, which have no grey level; replace them")
            }
            let low = colours == 1 ? Double(range.lowerBound) : min(0, Double(range.lowerBound))
            let extent = Double(range.upperBound) - low
            var out = [UInt8](repeating: 0, count: pixelCount * colours)
            if extent > 0 {
                for i in 0..<pixelCount {
                    for c in 0..<colours {
                        out[i * colours + c] = UInt8(((Double(floats[i * channels + c]) - low) / extent * 255 + 0.5).rounded(.down))
                    }
                }
            }
            let note = """
                its samples lie in \(range.lowerBound)...\(range.upperBound) and no grey scale is stated: shown from \(Float(low)) to the \
                largest
                """
            return (Image(width: width, height: height, channels: colours, pixels: out), notes + [note])
        }
    }

    /// Samples of up to 8 bits as grey levels or colours.
    private func eightBits(_ bytes: [UInt8]) -> [UInt8] {
        if let palette {
            var out = [UInt8](repeating: 0, count: pixelCount * 3)
            for i in 0..<pixelCount {
                let entry = 3 * Int(bytes[i * channels])
                for c in 0..<3 { out[3 * i + c] = palette[entry + c] }
            }
            return out
        }
        if bits == 8 && !hasAlpha { return bytes }
        let most = 1 << bits - 1
        var out = [UInt8](repeating: 0, count: pixelCount * colours)
        for i in 0..<pixelCount {
            let alpha = hasAlpha && isPremultiplied ? Int(bytes[i * channels + channels - 1]) : 0
            for c in 0..<colours {
                var value = Int(bytes[i * channels + c])
                if alpha > 0 { value = min(value * most / alpha, most) }
                out[i * colours + c] = UInt8(value * 255 / most)
            }
        }
        return out
    }

    /// Smallest and largest colour sample, alpha left out; nil where one is not finite.
    private func finiteRange(_ floats: [Float]) -> ClosedRange<Float>? {
        var (low, high) = (Float.infinity, -Float.infinity)
        for i in 0..<pixelCount {
            for c in 0..<colours {
                let value = floats[i * channels + c]
                guard value.isFinite else { return nil }
                (low, high) = (min(low, value), max(high, value))
            }
        }
        return low...high
    }
}

/// How samples of 9 to 16 bits become 8.
private enum DepthScale {
    /// The high byte of 16.
    case highByte
    /// 255 times the share of a range, rounded half up.
    case range(low: Int, high: Int, isStated: Bool)

    /// The grey level of every 16-bit value.
    func table() -> [UInt8] {
        (0..<1 << 16).map { value in
            switch self {
            case .highByte: return UInt8(value >> 8)
            case .range(let low, let high, _):
                guard high > low else { return 0 }
                return UInt8((min(max(value - low, 0), high - low) * 510 + high - low) / (2 * (high - low)))
            }
        }
    }

    var notes: [String] {
        guard case .range(let low, let high, false) = self else { return [] }
        return ["its 16-bit samples reach \(high) only and no depth is stated: shown from \(low) to \(high)"]
    }
}

extension Raster {
    private func depthScale(_ words: [UInt16]) -> DepthScale {
        if bits < 16 { return .range(low: 0, high: 1 << bits - 1, isStated: true) }
        var (low, high) = (Int(UInt16.max), 0)
        for i in 0..<pixelCount {
            for c in 0..<colours {
                let value = Int(words[i * channels + c])
                (low, high) = (min(low, value), max(high, value))
            }
        }
        if let depth = significantBits {
            // Samples beyond the stated depth were scaled up to 16 bits, as PNG wants it.
            let isScaledUp = depth >= 16 || high >= 1 << depth || isLeftJustified(words, depth)
            return isScaledUp ? .highByte : .range(low: 0, high: 1 << depth - 1, isStated: true)
        }
        guard high < 1 << 14 else { return .highByte }
        return .range(low: colours == 1 ? low : 0, high: high, isStated: false)
    }

    /// Whether samples of `depth` bits were shifted up to 16, the low bits zero or a repetition of the high ones, as PNG wants it.
    private func isLeftJustified(_ words: [UInt16], _ depth: Int) -> Bool {
        let spare = 16 - depth
        var isAnyPresent = false
        for i in 0..<pixelCount {
            for c in 0..<colours {
                let value = words[i * channels + c]
                let low = value & (1 << spare - 1)
                guard low == 0 || low == value >> UInt16(depth) else { return false }
                isAnyPresent = isAnyPresent || value >= 1 << spare
            }
        }
        return isAnyPresent
    }
}

/// Samples of fewer than 8 bits, packed into rows of whole bytes with the first pixel in the high bits, as one byte each.
func unpackedRows(_ packed: [UInt8], width: Int, height: Int, bits: Int) -> [UInt8] {
    let stride = (width * bits + 7) / 8
    let perByte = 8 / bits
    let most = UInt8(1 << bits - 1)
    var out = [UInt8](repeating: 0, count: width * height)
    for y in 0..<height {
        for x in 0..<width {
            let shift = 8 - bits * (x % perByte + 1)
            out[y * width + x] = packed[y * stride + x / perByte] >> UInt8(shift) & most
        }
    }
    return out
}
