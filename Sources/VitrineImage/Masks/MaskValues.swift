/// The values of a mask file, one per pixel, and what they may mean.
struct MaskValues {
    enum Kind { case grey, index, colour }

    let width: Int
    let height: Int
    /// Grey levels or indices as stored (fewer than 8 bits scaled to 0...255), or colours as `0xRRGGBB`; exact in Float.
    let values: [Float]
    let kind: Kind
    /// The luma of every pixel, where values are no grey levels.
    let luma: [UInt8]?
    let isLossy: Bool
    /// Each value that occurs, in ascending order, with its number of pixels; no more than `mostListed`, else empty.
    let occurring: [(value: Float, count: Int)]
    /// How many values occur; stops counting at 65537.
    let distinct: Int
    let largest: Float

    /// More values than this are a halo, a probability or a photograph, and no list of classes.
    static let mostListed = 32

    init(width: Int, height: Int, values: [Float], kind: Kind = .grey, luma: [UInt8]? = nil, isLossy: Bool = false) {
        (self.width, self.height, self.values, self.kind, self.luma, self.isLossy) = (width, height, values, kind, luma, isLossy)
        var small = [Int](repeating: 0, count: 1 << 16)
        var others: [Float: Int] = [:]
        for value in values {
            if value >= 0 && value < 65536 && value == value.rounded() {
                small[Int(value)] += 1
            } else if others.count <= 1 << 16 {
                others[value, default: 0] += 1
            }
        }
        distinct = small.count { $0 > 0 } + others.count
        largest = values.max() ?? 0
        occurring =
            distinct > Self.mostListed
            ? []
            : (small.indices.filter { small[$0] > 0 }.map { (Float($0), small[$0]) } + others.map { ($0.key, $0.value) }).sorted {
                $0.0 < $1.0
            }
    }

    /// The values of an image file.
    ///
    /// - Alpha counts where it alone has the shape; a colour that hides where the picture is transparent is refused.
    /// - A palette of greys is a grey picture; another one is a list of labels whose index 0 is the background, if black agrees.
    init(_ raster: Raster, source: String) throws(ImageError) {
        func plane(_ channel: Int) -> [Float] {
            let (n, step) = (raster.pixelCount, raster.channels)
            let scale = raster.palette == nil && raster.bits < 8 ? 255 / (1 << raster.bits - 1) : 1
            switch raster.samples {
            case .bytes(let bytes): return (0..<n).map { Float(Int(bytes[$0 * step + channel]) * scale) }
            case .words(let words): return (0..<n).map { Float(words[$0 * step + channel]) }
            case .floats(let floats): return (0..<n).map { floats[$0 * step + channel] }
            }
        }
        let (width, height) = (raster.width, raster.height)
        var planes = (0..<raster.colours).map(plane)
        for plane in planes {
            if let index = plane.firstIndex(where: { !$0.isFinite }) {
                throw .unsupported(
                    source: source, format: "mask", reason: "holds \(plane[index]) at pixel \(index), neither lesion nor not; replace it")
            }
        }
        if raster.hasAlpha {
            let alpha = plane(raster.channels - 1)
            if alpha.contains(where: { $0 != alpha[0] }) {
                if planes.allSatisfy({ plane in plane.allSatisfy { $0 == plane[0] } }) {
                    planes = [alpha]
                } else if planes.contains(where: { plane in zip(plane, alpha).contains { $0 > 0 && $1 == 0 } }) {
                    throw .ambiguousMask(
                        source: source, reason: "has colour where it is transparent: does the colour or the alpha channel count",
                        values: nil)
                }
            }
        }
        if let palette = raster.palette {
            self = try Self.indexed(planes[0], palette: palette, width: width, height: height, source: source)
        } else if planes.count == 3 && !zip(planes[0], zip(planes[1], planes[2])).allSatisfy({ $0 == $1.0 && $0 == $1.1 }) {
            let most = planes.reduce(0) { max($0, $1.max() ?? 0) }
            // Colours count as 8 bits; of deeper ones nothing above zero becomes zero.
            func byte(_ value: Float) -> UInt32 { value <= 0 ? 0 : most <= 255 ? UInt32(value) : max(1, UInt32(min(value, 65535)) >> 8) }
            var keys = [Float](repeating: 0, count: width * height)
            var pixels = [UInt8](repeating: 0, count: 3 * width * height)
            for i in keys.indices {
                let colour = (byte(planes[0][i]), byte(planes[1][i]), byte(planes[2][i]))
                keys[i] = Float(colour.0 << 16 | colour.1 << 8 | colour.2)
                (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) = (UInt8(colour.0), UInt8(colour.1), UInt8(colour.2))
            }
            let luma = Image(width: width, height: height, channels: 3, pixels: pixels).converted(toChannels: 1).pixels
            self.init(width: width, height: height, values: keys, kind: .colour, luma: luma, isLossy: raster.isLossy)
        } else {
            self.init(width: width, height: height, values: planes[0], isLossy: raster.isLossy)
        }
    }

    /// What indices and their colours say, where they do not disagree about the background.
    private static func indexed(
        _ indices: [Float], palette: [UInt8], width: Int, height: Int, source: String
    ) throws(ImageError) -> MaskValues {
        var isUsed = [Bool](repeating: false, count: 256)
        for index in indices { isUsed[Int(index)] = true }
        let used = (0..<256).filter { isUsed[$0] }
        let colours = used.map { [palette[3 * $0], palette[3 * $0 + 1], palette[3 * $0 + 2]] }
        let areGreys = colours.allSatisfy { $0[0] == $0[1] && $0[0] == $0[2] } && Set(colours).count == colours.count
        if areGreys {
            return MaskValues(width: width, height: height, values: indices.map { Float(palette[3 * Int($0)]) })
        }
        let pixels = indices.flatMap { index in (0..<3).map { palette[3 * Int(index) + $0] } }
        let luma = Image(width: width, height: height, channels: 3, pixels: pixels).converted(toChannels: 1).pixels
        let isBlack = colours.map { $0 == [0, 0, 0] }
        let values = MaskValues(width: width, height: height, values: indices, kind: .index, luma: luma)
        // Black behind an index above 0 beside a colour behind 0: one of the two is the background.
        let agree =
            zip(used, isBlack).allSatisfy { index, black in (index == 0) == black } || !isBlack.contains(true) || !isBlack.contains(false)
        guard agree || !used.contains(0) else {
            throw .ambiguousMask(
                source: source, reason: "has a palette in which index 0 is not black and another index is: which one is the background",
                values: values.list)
        }
        return values
    }

    /// The values that occur with their shares, for errors; nil where there are too many.
    var list: String? {
        guard !occurring.isEmpty else { return nil }
        return occurring.prefix(8).map { value, count in
            let share = (Double(count) / Double(max(1, values.count)) * 1000).rounded() / 10
            return "\(name(value)) (\(share) %)"
        }.joined(separator: ", ") + (occurring.count > 8 ? " and \(occurring.count - 8) more" : "")
    }

    func name(_ value: Float) -> String {
        guard kind == .colour else { return value == value.rounded() && abs(value) < 1e7 ? "\(Int(value))" : "\(value)" }
        let text = String(Int(value), radix: 16)
        return "#" + String(repeating: "0", count: 6 - text.count) + text
    }

    /// Values above zero that fill areas of their own, and do not only border on others as a halo does; grey ones beyond the largest such
    /// value too, which no halo of it can reach.
    var regions: [Float] {
        guard occurring.count > 2 || occurring.first.map({ $0.value > 0 }) == true else { return occurring.map(\.value).filter { $0 > 0 } }
        var hasInterior: Set<Float> = []
        for y in 1..<max(1, height - 1) {
            for x in 1..<max(1, width - 1) {
                let value = values[y * width + x]
                guard value > 0, !hasInterior.contains(value) else { continue }
                let isInside = (y - 1...y + 1).allSatisfy { row in (x - 1...x + 1).allSatisfy { values[row * width + $0] == value } }
                if isInside { hasInterior.insert(value) }
            }
        }
        if kind == .grey, let top = hasInterior.max() { hasInterior.formUnion(occurring.map(\.value).filter { $0 > top }) }
        return hasInterior.sorted()
    }
}

extension MaskValues {
    /// The pixels that a rule selects.
    ///
    /// - Throws: `ImageError.ambiguousMask` where the rule would have to guess: several regions of different values (classes, or a border
    ///   to ignore), no background of 0, or nothing selected of a mask that is not empty. JPEG masks, whose values are blurred, are not
    ///   looked at in this way.
    func selected(_ rule: MaskRule, source: String) throws(ImageError) -> [Bool] {
        func ambiguous(_ reason: String) -> ImageError { .ambiguousMask(source: source, reason: reason, values: list) }
        let isTwofold = occurring.count == 2 && occurring[0].value == 0
        if !isLossy && !occurring.isEmpty && (rule == .positive || rule == .half) {
            let regions = regions
            if regions.count > 1 {
                throw ambiguous(
                    occurring[0].value > 0
                        ? "has no background of 0" : "has regions of \(regions.count) values, classes or a border to ignore")
            }
        }
        let bits: [Bool]
        switch rule {
        case .positive: return values.map { $0 > 0 }
        case .values(let wanted):
            let set = Set(wanted.map { Float($0) })
            return values.map { set.contains($0) }
        case .atLeast(let level): bits = reaching(Float(level), beyondBytes: level > 1 ? Float(level) * 256 : 1)
        case .half:
            if isTwofold && kind == .grey && largest > 1 && largest != 255 { return values.map { $0 > 0 } }
            bits = largest <= 1 && luma == nil ? values.map { $0 >= 0.5 } : reaching(128, beyondBytes: 32768)
        }
        // Ringing around nothing may stay below any threshold; a region may not.
        if !bits.contains(true), largest > 0, isTwofold || largest >= 32 {
            throw ambiguous("has values above 0 that the rule \(rule.text) does not reach")
        }
        return bits
    }

    /// Values of at least a grey level; a colour's luma, and of values beyond 255 the second threshold.
    private func reaching(_ level: Float, beyondBytes: Float) -> [Bool] {
        if let luma { return luma.map { Float($0) >= level } }
        let threshold = largest > 255 ? beyondBytes : level
        return values.map { $0 >= threshold }
    }
}
