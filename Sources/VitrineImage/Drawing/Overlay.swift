/// How a heat map is laid over its image.
public struct Overlay: Sendable {
    public var colorMap: ColorMap
    /// Share of the colour against the image, 0...1.
    public var alpha: Float
    /// A bar of the colours at the right, with the smallest and largest value beside it.
    public var showsColorBar: Bool
    public var outlineColor: Color

    public init(colorMap: ColorMap = .viridis, alpha: Float = 0.5, showsColorBar: Bool = true, outlineColor: Color = .white) {
        self.colorMap = colorMap
        self.alpha = min(max(alpha, 0), 1)
        self.showsColorBar = showsColorBar
        self.outlineColor = outlineColor
    }

    /// The picture of a map over the image as the network saw it, with the outline of the expert's mask if there is one.
    ///
    /// The displayed map is stretched to the whole range of colours. The bar names the range of the upsampled values before
    /// normalisation, since the 0 and 1 of a normalised map would hide sign and scale. A map that says nothing (NaN, infinity,
    /// constant) leaves the image as it is, with the reason written on it.
    ///
    /// - Parameter image: grey or RGB, of the map's `width` and `height`; so is `outline`.
    public func picture(of map: HeatMap, over image: Image, outline: Mask? = nil) -> Image {
        precondition(image.width == map.width && image.height == map.height, "a map is drawn over the image the network saw")
        let audit = map.audit
        var canvas: Canvas
        if audit.isSound {
            let shown = map.displayed()
            let (low, high) = (shown.min() ?? 0, shown.max() ?? 0)
            let range = high > low ? high - low : 1
            canvas = Canvas(blended(shown.map { ($0 - low) / range }, over: image))
        } else {
            canvas = Canvas(image)
        }
        if let outline {
            precondition(outline.width == image.width && outline.height == image.height, "an outline has the size of its image")
            canvas.draw(outline.outline, color: outlineColor)
        }
        guard audit.isSound else {
            let reason =
                audit.nanCount > 0
                ? "\(audit.nanCount) NaN" : audit.infiniteCount > 0 ? "\(audit.infiniteCount) infinite" : "constant map"
            canvas.fill(
                PixelRectangle(top: 0, left: 0, width: Canvas.textWidth(reason) + 6, height: Canvas.textHeight() + 4), with: .black)
            canvas.draw(reason, top: 3, left: 3, color: .white)
            return canvas.image
        }
        guard showsColorBar else { return canvas.image }
        var raw = map
        raw.display.gridNormalisation = .none
        raw.display.normalisation = .none
        let values = raw.displayed()
        return withColorBar(canvas.image, low: values.min() ?? 0, high: values.max() ?? 0)
    }

    /// Values in 0...1, one per pixel, mixed into the image: `(1 - alpha) image + alpha colour`, rounded.
    public func blended(_ values: [Float], over image: Image) -> Image {
        precondition(values.count == image.width * image.height, "one value per pixel")
        var out = image.converted(toChannels: 3)
        let table = colorMap.table
        for (i, value) in values.enumerated() {
            let color = table[ColorMap.index(of: value)]
            out.pixels[3 * i] = mixed(out.pixels[3 * i], color.red)
            out.pixels[3 * i + 1] = mixed(out.pixels[3 * i + 1], color.green)
            out.pixels[3 * i + 2] = mixed(out.pixels[3 * i + 2], color.blue)
        }
        return out
    }

    private func mixed(_ below: UInt8, _ above: UInt8) -> UInt8 {
        UInt8((Float(below) * (1 - alpha) + Float(above) * alpha).rounded())
    }

    /// The picture with a bar at its right: the colours at full strength, high values on top.
    public func withColorBar(_ picture: Image, low: Float, high: Float) -> Image {
        let (gap, bar) = (6, 10)
        let labels = (low: axisLabel(low), high: axisLabel(high))
        let text = max(Canvas.textWidth(labels.low), Canvas.textWidth(labels.high))
        var canvas = Canvas(width: picture.width + gap + bar + 4 + text + gap, height: picture.height)
        canvas.draw(picture, top: 0, left: 0)
        let left = picture.width + gap
        for y in 0..<picture.height {
            let value = 1 - (Float(y) + 0.5) / Float(picture.height)
            canvas.fill(PixelRectangle(top: y, left: left, width: bar, height: 1), with: colorMap.color(at: value))
        }
        canvas.frame(PixelRectangle(top: 0, left: left, width: bar, height: picture.height), with: .black)
        canvas.draw(labels.high, top: 0, left: left + bar + 4)
        // The last two dots of the font are descenders, which digits do not have.
        canvas.draw(labels.low, top: picture.height - Canvas.textHeight() + 2, left: left + bar + 4)
        return canvas.image
    }
}

/// A number with three significant digits, in powers of ten where it is below a thousandth or above ten thousand.
func axisLabel(_ value: Float) -> String {
    guard value.isFinite else { return "\(value)" }
    guard value != 0 else { return "0" }
    let sign = value < 0 ? "-" : ""
    var mantissa = Double(abs(value))
    var exponent = 0
    while mantissa >= 10 {
        mantissa /= 10
        exponent += 1
    }
    while mantissa < 1 {
        mantissa *= 10
        exponent -= 1
    }
    // Three digits as an integer from 100 to 999.
    var digits = Int((mantissa * 100).rounded())
    if digits == 1000 { (digits, exponent) = (100, exponent + 1) }
    var text = String(digits)
    func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }
    switch exponent {
    case 0...2:
        text.insert(".", at: text.index(text.startIndex, offsetBy: exponent + 1))
        return sign + trimmed(text)
    case 3: return sign + text + "0"
    case -3 ... -1: return sign + trimmed("0." + String(repeating: "0", count: -exponent - 1) + text)
    default:
        text.insert(".", at: text.index(after: text.startIndex))
        return "\(sign)\(trimmed(text))e\(exponent)"
    }
}
