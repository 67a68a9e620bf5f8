import Foundation

/// A figure of lines, rectangles, dots, words and pictures that is written as SVG, as PDF and as pixels.
///
/// Coordinates are in points from the top left; pixels are two per point. Where `ink` is asked for, a page's own text colour is used, so that
/// figures inside a page follow its light or dark theme.
public struct Drawing: Sendable, Equatable {
    /// A colour, or the reader's text colour at some strength.
    public enum Paint: Sendable, Equatable {
        case ink(opacity: Double)
        case color(Color)

        public static let ink = Paint.ink(opacity: 1)
    }

    public enum Anchor: String, Sendable {
        case start, middle, end
    }

    enum Shape: Sendable, Equatable {
        case line(x1: Double, y1: Double, x2: Double, y2: Double, paint: Paint, width: Double, isDashed: Bool)
        case rectangle(x: Double, y: Double, width: Double, height: Double, paint: Paint)
        case dot(x: Double, y: Double, radius: Double, paint: Paint, isHollow: Bool)
        case text(String, x: Double, y: Double, anchor: Anchor, paint: Paint, size: Double)
        case picture(Image, x: Double, y: Double, width: Double, height: Double)
    }

    /// The size of words in points, unless another is given.
    public static let textSize = 12.0

    public let width: Double
    public let height: Double
    /// What a reader who cannot see the figure is told.
    public var description: String
    private(set) var shapes: [Shape] = []

    /// Okabe and Ito's palette: told apart by readers of every colour vision.
    public static let palette = [
        Color(0, 114, 178), Color(213, 94, 0), Color(0, 158, 115), Color(204, 121, 167), Color(230, 159, 0), Color(86, 180, 233),
        Color(128, 100, 0), Color(120, 120, 120),
    ]

    public init(width: Double, height: Double, description: String) {
        self.width = width
        self.height = height
        self.description = description
    }

    public mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ paint: Paint = .ink, width: Double = 1, isDashed: Bool = false
    ) { shapes.append(.line(x1: x1, y1: y1, x2: x2, y2: y2, paint: paint, width: width, isDashed: isDashed)) }

    public mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ paint: Paint) {
        shapes.append(.rectangle(x: x, y: y, width: width, height: height, paint: paint))
    }

    public mutating func dot(_ x: Double, _ y: Double, radius: Double, _ paint: Paint, isHollow: Bool = false) {
        shapes.append(.dot(x: x, y: y, radius: radius, paint: paint, isHollow: isHollow))
    }

    /// Words whose baseline is at `y`.
    public mutating func text(
        _ text: String, _ x: Double, _ y: Double, anchor: Anchor = .start, _ paint: Paint = .ink, size: Double = Drawing.textSize
    ) { shapes.append(.text(text, x: x, y: y, anchor: anchor, paint: paint, size: size)) }

    /// A picture stretched to a rectangle.
    public mutating func picture(_ image: Image, _ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        shapes.append(.picture(image, x: x, y: y, width: width, height: height))
    }

    // MARK: SVG

    /// The SVG element.
    ///
    /// - Parameter isStandalone: a file of its own, black on white; otherwise part of a page.
    public func svg(isStandalone: Bool) -> String {
        var out = [
            "<svg \(isStandalone ? "xmlns=\"http://www.w3.org/2000/svg\" " : "")width=\"\(n(width))\" height=\"\(n(height))\" "
                + "viewBox=\"0 0 \(n(width)) \(n(height))\" role=\"img\" aria-label=\"\(Self.escaped(description))\" "
                + "font-family=\"sans-serif\" font-size=\"12\"\(isStandalone ? " color=\"black\"" : "")>"
        ]
        if isStandalone { out.append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>") }
        for shape in shapes { out.append(element(shape)) }
        return (out + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func element(_ shape: Shape) -> String {
        switch shape {
        case .line(let x1, let y1, let x2, let y2, let paint, let width, let isDashed):
            "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" \(attribute("stroke", paint)) stroke-width=\"\(n(width))\""
                + (isDashed ? " stroke-dasharray=\"4 3\"" : "") + "/>"
        case .rectangle(let x, let y, let width, let height, let paint):
            "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" \(attribute("fill", paint))/>"
        case .dot(let x, let y, let radius, let paint, let isHollow):
            "<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\" "
                + (isHollow ? "fill=\"none\" stroke-width=\"1.5\" \(attribute("stroke", paint))" : attribute("fill", paint)) + "/>"
        case .picture(let image, let x, let y, let width, let height):
            // An image of our own pixels always encodes; without memory for it the figure has a hole and no wrong picture.
            "<image x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" preserveAspectRatio=\"none\" "
                + "href=\"data:image/png;base64,\(((try? image.pngData()).map { Data($0).base64EncodedString() }) ?? "")\"/>"
        case .text(let text, let x, let y, let anchor, let paint, let size):
            "<text x=\"\(n(x))\" y=\"\(n(y))\" \(attribute("fill", paint))"
                + (anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\"")
                + (size == Self.textSize ? "" : " font-size=\"\(n(size))\"") + ">\(Self.escaped(text))</text>"
        }
    }

    private func n(_ value: Double) -> String {
        let text = String(format: "%.2f", value)
        return text.hasSuffix(".00") ? String(text.dropLast(3)) : text
    }

    private func attribute(_ name: String, _ paint: Paint) -> String {
        switch paint {
        case .ink(let opacity): "\(name)=\"currentColor\"" + (opacity < 1 ? " \(name)-opacity=\"\(n(opacity))\"" : "")
        case .color(let c): String(format: "%@=\"#%02x%02x%02x\"", name, Int(c.red), Int(c.green), Int(c.blue))
        }
    }

    static func escaped(_ text: String) -> String {
        text.printable.unicodeScalars.map { scalar in
            switch scalar {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(scalar)
            }
        }.joined()
    }

    // MARK: Pixels

    /// The figure in black on white.
    ///
    /// - Parameter scale: pixels per point; words keep whole dots, so that they are sharp at any scale.
    public func image(scale: Double = 2) -> Image {
        var canvas = Canvas(width: max(1, Int(scale * width)), height: max(1, Int(scale * height)))
        for shape in shapes {
            switch shape {
            case .line(let x1, let y1, let x2, let y2, let paint, let width, let isDashed):
                canvas.line(
                    (scale * x1, scale * y1), (scale * x2, scale * y2), color(paint), thickness: max(1, Int(scale * width)),
                    isDashed: isDashed)
            case .rectangle(let x, let y, let width, let height, let paint):
                let (left, top) = (Int(scale * x), Int(scale * y))
                canvas.fill(
                    PixelRectangle(top: top, left: left, width: Int(scale * (x + width)) - left, height: Int(scale * (y + height)) - top),
                    with: color(paint))
            case .dot(let x, let y, let radius, let paint, let isHollow):
                canvas.dot(scale * x, scale * y, radius: scale * radius, color(paint), isHollow: isHollow)
            case .text(let text, let x, let y, let anchor, let paint, let size):
                let dot = max(1, Int((scale * size / Self.textSize).rounded()))
                let length = Double(Canvas.textWidth(text, scale: dot))
                let left = scale * x - (anchor == .start ? 0 : anchor == .middle ? length / 2 : length)
                // The last two rows of the font lie below the baseline.
                canvas.draw(
                    text, top: Int(scale * y) - Canvas.textHeight(scale: dot) + 2 * dot, left: Int(left), color: color(paint), scale: dot)
            case .picture(let image, let x, let y, let width, let height):
                let (w, h) = (max(1, Int((scale * width).rounded())), max(1, Int((scale * height).rounded())))
                // Small pictures grow by whole pixels where they can, so that their pixels are seen as they are.
                let filter: ResizeFilter = w % image.width == 0 && h % image.height == 0 ? .nearest : .bilinear
                canvas.draw(
                    w == image.width && h == image.height ? image : image.resized(width: w, height: h, filter: filter),
                    top: Int((scale * y).rounded()), left: Int((scale * x).rounded()))
            }
        }
        return canvas.image
    }

    private func color(_ paint: Paint) -> Color {
        switch paint {
        case .color(let color): return color
        case .ink(let opacity):
            let grey = UInt8(255 * (1 - min(max(opacity, 0), 1)))
            return Color(grey, grey, grey)
        }
    }
}

extension Canvas {
    fileprivate mutating func line(
        _ a: (x: Double, y: Double), _ b: (x: Double, y: Double), _ color: Color, thickness: Int, isDashed: Bool
    ) {
        let steps = max(Int(max(abs(b.x - a.x), abs(b.y - a.y)).rounded(.up)), 1)
        for i in 0...steps where !isDashed || i % 14 < 8 {
            let t = Double(i) / Double(steps)
            fill(
                PixelRectangle(
                    top: Int(a.y + t * (b.y - a.y)) - thickness / 2, left: Int(a.x + t * (b.x - a.x)) - thickness / 2, width: thickness,
                    height: thickness), with: color)
        }
    }

    fileprivate mutating func dot(_ x: Double, _ y: Double, radius: Double, _ color: Color, isHollow: Bool) {
        for row in Int(y - radius) - 1...Int(y + radius) + 1 {
            for column in Int(x - radius) - 1...Int(x + radius) + 1 {
                let (dx, dy) = (Double(column) + 0.5 - x, Double(row) + 0.5 - y)
                let distance = (dx * dx + dy * dy).squareRoot()
                if distance <= radius, !isHollow || distance > radius - 3 { set(row: row, column: column, to: color) }
            }
        }
    }
}
