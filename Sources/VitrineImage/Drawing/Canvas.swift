/// A drawing area of RGB pixels on which pictures, rectangles and words are placed; what lies outside is cut off.
public struct Canvas: Sendable {
    public private(set) var image: Image

    public init(width: Int, height: Int, background: Color = .white) {
        image = Image(width: width, height: height, channels: 3)
        fill(PixelRectangle(top: 0, left: 0, width: width, height: height), with: background)
    }

    /// A canvas that starts as a picture; grey becomes RGB.
    public init(_ picture: Image) { image = picture.converted(toChannels: 3) }

    public mutating func set(row: Int, column: Int, to color: Color) {
        guard row >= 0, row < image.height, column >= 0, column < image.width else { return }
        let at = (row * image.width + column) * 3
        image.pixels[at] = color.red
        image.pixels[at + 1] = color.green
        image.pixels[at + 2] = color.blue
    }

    public mutating func fill(_ rectangle: PixelRectangle, with color: Color) {
        for row in max(0, rectangle.top)..<max(0, rectangle.top, min(image.height, rectangle.top + rectangle.height)) {
            for column in max(0, rectangle.left)..<max(0, rectangle.left, min(image.width, rectangle.left + rectangle.width)) {
                set(row: row, column: column, to: color)
            }
        }
    }

    /// The edge of a rectangle, one pixel wide, inside it.
    public mutating func frame(_ rectangle: PixelRectangle, with color: Color) {
        let r = rectangle
        fill(PixelRectangle(top: r.top, left: r.left, width: r.width, height: 1), with: color)
        fill(PixelRectangle(top: r.top + r.height - 1, left: r.left, width: r.width, height: 1), with: color)
        fill(PixelRectangle(top: r.top, left: r.left, width: 1, height: r.height), with: color)
        fill(PixelRectangle(top: r.top, left: r.left + r.width - 1, width: 1, height: r.height), with: color)
    }

    public mutating func draw(_ picture: Image, top: Int, left: Int) {
        let picture = picture.converted(toChannels: 3)
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let at = (y * picture.width + x) * 3
                set(row: top + y, column: left + x, to: Color(picture.pixels[at], picture.pixels[at + 1], picture.pixels[at + 2]))
            }
        }
    }

    /// Every true pixel of a mask in one colour.
    public mutating func draw(_ mask: Mask, top: Int = 0, left: Int = 0, color: Color) {
        for y in 0..<mask.height {
            for x in 0..<mask.width where mask[row: y, column: x] { set(row: top + y, column: left + x, to: color) }
        }
    }

    /// One line of text in the built-in font; characters beyond ASCII are drawn as boxes.
    ///
    /// - Parameter scale: pixels per dot of the font, which is 5 x 9 dots with one between characters.
    public mutating func draw(_ text: String, top: Int, left: Int, color: Color = .black, scale: Int = 1) {
        for (position, character) in text.enumerated() {
            for (y, row) in BitmapFont.rows(of: character).enumerated() {
                for x in 0..<BitmapFont.width where row >> UInt8(BitmapFont.width - 1 - x) & 1 == 1 {
                    fill(
                        PixelRectangle(
                            top: top + y * scale, left: left + (position * BitmapFont.advance + x) * scale, width: scale,
                            height: scale), with: color)
                }
            }
        }
    }

    /// Width of a line of text in pixels.
    public static func textWidth(_ text: String, scale: Int = 1) -> Int {
        max(0, text.count * BitmapFont.advance - (BitmapFont.advance - BitmapFont.width)) * scale
    }

    /// Height of a line of text in pixels, descenders included.
    public static func textHeight(scale: Int = 1) -> Int { BitmapFont.height * scale }
}
