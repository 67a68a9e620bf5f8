/// How a heat map is laid over its image.
public struct Overlay: Sendable {
    /// What a reader sees of the image under the map.
    public enum Style: String, Sendable, CaseIterable {
        /// The colour is as strong as the value: where the map says nothing the image is untouched.
        case value
        /// One strength everywhere.
        case constant
        /// Lines at a quarter, a half and three quarters of the range; the image is untouched between them.
        case contour
    }

    public var colorMap: ColorMap
    /// Share of the colour against the image, 0...1: everywhere (`constant`), or where the map is largest (`value`).
    public var alpha: Float
    public var style: Style
    /// A bar of the colours at the right, with the smallest and largest value beside it.
    public var showsColorBar: Bool
    public var outlineColor: Color

    public init(
        colorMap: ColorMap = .viridis, alpha: Float = 0.5, style: Style = .constant, showsColorBar: Bool = true,
        outlineColor: Color = .white
    ) {
        self.colorMap = colorMap
        self.alpha = min(max(alpha, 0), 1)
        self.style = style
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
        return picture(of: PlacedMap(map), over: image, outline: outline)
    }

    /// The same for a map that was placed on a picture of another size; a thin frame shows where the network's view ends.
    ///
    /// - Parameter image: grey or RGB, of the size of `map`; so is `outline`.
    public func picture(of map: PlacedMap, over image: Image, outline: Mask? = nil) -> Image {
        precondition(image.width == map.width && image.height == map.height, "a map is placed on the picture it is drawn over")
        var canvas = Canvas(map.emptiness == nil ? blended(map.values, over: image) : image)
        if let border = map.border { canvas.draw(border, color: .grey) }
        if let outline {
            precondition(outline.width == image.width && outline.height == image.height, "an outline has the size of its image")
            canvas.draw(outline.outline, color: outlineColor)
        }
        if let reason = map.emptiness {
            canvas.fill(
                PixelRectangle(top: 0, left: 0, width: Canvas.textWidth(reason) + 6, height: Canvas.textHeight() + 4), with: .black)
            canvas.draw(reason, top: 3, left: 3, color: .white)
            return canvas.image
        }
        return showsColorBar ? withColorBar(canvas.image, low: map.range.lowerBound, high: map.range.upperBound) : canvas.image
    }

    /// Values in 0...1, one per pixel, mixed into the image: `(1 - a) image + a colour`, rounded, where `a` is `alpha`, or `alpha` times
    /// the value; a pixel without a value (NaN) keeps the image.
    public func blended(_ values: [Float], over image: Image) -> Image {
        precondition(values.count == image.width * image.height, "one value per pixel")
        if style == .contour { return withContours(values, over: image) }
        var out = image.converted(toChannels: 3)
        let table = colorMap.table
        for (i, value) in values.enumerated() where !value.isNaN {
            let color = table[ColorMap.index(of: value)]
            let share = style == .value ? alpha * min(max(value, 0), 1) : alpha
            out.pixels[3 * i] = mixed(out.pixels[3 * i], color.red, share)
            out.pixels[3 * i + 1] = mixed(out.pixels[3 * i + 1], color.green, share)
            out.pixels[3 * i + 2] = mixed(out.pixels[3 * i + 2], color.blue, share)
        }
        return out
    }

    private func mixed(_ below: UInt8, _ above: UInt8, _ share: Float) -> UInt8 {
        UInt8((Float(below) * (1 - share) + Float(above) * share).rounded())
    }

    /// The parts of the range at which `contour` draws a line.
    static let levels: [Float] = [0.25, 0.5, 0.75]

    /// The lines around the regions at or above each level, inside them; higher levels lie on top.
    private func withContours(_ values: [Float], over image: Image) -> Image {
        var canvas = Canvas(image)
        let thick = max(1, min(image.width, image.height) / 256)
        for level in Self.levels {
            let region = Mask(width: image.width, height: image.height, bits: values.map { $0 >= level })
            for y in 0..<image.height {
                for x in 0..<image.width where region[row: y, column: x] {
                    // The image's own edge is no line of the map.
                    let isEdge = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)].contains { row, column in
                        (0..<image.height).contains(row) && (0..<image.width).contains(column) && !region[row: row, column: column]
                    }
                    if isEdge {
                        canvas.fill(
                            PixelRectangle(top: y - (thick - 1) / 2, left: x - (thick - 1) / 2, width: thick, height: thick),
                            with: colorMap.color(at: level))
                    }
                }
            }
        }
        return canvas.image
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

    /// The picture under a white strip with lines of text, each broken at spaces where it is wider than the picture.
    public static func titled(_ picture: Image, lines: [String], scale: Int = 1) -> Image {
        let room = max(8, (picture.width - 4) / (BitmapFont.advance * scale))
        let rows = lines.flatMap { broken($0, room) }
        guard !rows.isEmpty else { return picture }
        let step = Canvas.textHeight(scale: scale) + scale
        let top = rows.count * step + 2 * scale
        var canvas = Canvas(width: picture.width, height: picture.height + top)
        for (i, line) in rows.enumerated() { canvas.draw(line, top: scale + i * step, left: 2, scale: scale) }
        canvas.draw(picture, top: top, left: 0)
        return canvas.image
    }

    private static func broken(_ text: String, _ room: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= room {
                lines[lines.count - 1] += " " + word
            } else {
                var rest = word[...]
                while rest.count > room {
                    lines.append(String(rest.prefix(room)))
                    rest = rest.dropFirst(room)
                }
                lines.append(String(rest))
            }
        }
        return lines
    }
}
