/// A figure of pictures in rows: a heading per row, a name over each picture, a colour bar beside it and words under it, wrapped to a
/// number of columns. Lengths are points.
public struct FigureSheet: Sendable {
    public struct Tile: Sendable {
        public var name: String
        public var picture: Image
        /// Lines under the picture.
        public var captions: [String]
        /// The ends of the colour bar; nil for no bar.
        public var range: ClosedRange<Float>?

        public init(name: String, picture: Image, captions: [String] = [], range: ClosedRange<Float>? = nil) {
            self.name = name
            self.picture = picture
            self.captions = captions
            self.range = range
        }
    }

    public struct Row: Sendable {
        public var heading: String
        /// An absent tile leaves its place empty.
        public var tiles: [Tile?]

        public init(heading: String, tiles: [Tile?]) {
            self.heading = heading
            self.tiles = tiles
        }
    }

    public var title: String
    public var rows: [Row]
    public var colorMap: ColorMap
    /// Width of a picture.
    public var tileWidth: Double
    /// Most pictures side by side; nil for all of a row.
    public var columns: Int?

    public init(title: String = "", rows: [Row], colorMap: ColorMap = .viridis, tileWidth: Double = 120, columns: Int? = nil) {
        self.title = title
        self.rows = rows
        self.colorMap = colorMap
        self.tileWidth = tileWidth
        self.columns = columns
    }

    private static let gap = 8.0
    private static let barWidth = 6.0
    private static let small = 8.0
    private static let name = 9.0
    private static let heading = 10.0

    /// One line of tiles of a row.
    private struct Strip {
        var heading: String
        var tiles: [Tile?]
        var pictureHeight: Double
        var captionLines: Int
    }

    public func drawing() -> Drawing {
        let widest = rows.map(\.tiles.count).max() ?? 0
        let across = max(1, min(columns ?? widest, max(widest, 1)))
        var strips: [Strip] = []
        for row in rows {
            for start in stride(from: 0, to: max(row.tiles.count, 1), by: across) {
                let tiles = Array(row.tiles.dropFirst(start).prefix(across))
                strips.append(
                    Strip(
                        heading: start == 0 ? row.heading : "", tiles: tiles,
                        pictureHeight: tiles.compactMap { $0.map { tileWidth * Double($0.picture.height) / Double($0.picture.width) } }
                            .max() ?? 0,
                        captionLines: tiles.compactMap { $0.map { captions($0).count } }.max() ?? 0))
            }
        }
        // Numbers beside a bar need room; no bar, no room.
        let barRoom = rows.contains { $0.tiles.contains { $0?.range != nil } } ? Self.barWidth + 4 + labelRoom : 0
        let pitch = tileWidth + barRoom + Self.gap
        let nameLines = strips.map { strip in strip.tiles.compactMap { $0.map { broken($0.name, Self.name).count } }.max() ?? 0 }
        func height(_ i: Int) -> Double {
            (strips[i].heading.isEmpty ? 0 : Self.heading + 4) + Double(nameLines[i]) * (Self.name + 2) + 2 + strips[i].pictureHeight
                + Double(strips[i].captionLines) * (Self.small + 2) + Self.gap
        }
        let titleHeight = title.isEmpty ? 0 : Drawing.textSize + 6
        let width = max(Self.gap + Double(across) * pitch, Helvetica.width(title, size: Drawing.textSize) + 2 * Self.gap)
        var out = Drawing(
            width: width.rounded(.up), height: (Self.gap + titleHeight + strips.indices.reduce(0) { $0 + height($1) }).rounded(.up),
            description: title.isEmpty ? "Heat maps side by side" : title)
        if !title.isEmpty { out.text(title, width / 2, Self.gap + Drawing.textSize - 2, anchor: .middle) }
        var top = Self.gap + titleHeight
        for (i, strip) in strips.enumerated() {
            var y = top
            if !strip.heading.isEmpty {
                out.text(strip.heading, Self.gap, y + Self.heading - 1, size: Self.heading)
                y += Self.heading + 4
            }
            y += Double(nameLines[i]) * (Self.name + 2) + 2
            for (c, tile) in strip.tiles.enumerated() {
                if let tile { draw(tile, left: Self.gap + Double(c) * pitch, top: y, strip.pictureHeight, &out) }
            }
            top += height(i)
        }
        return out
    }

    private var labelRoom: Double {
        let labels = rows.flatMap { $0.tiles.compactMap { $0?.range } }.flatMap { [axisLabel($0.lowerBound), axisLabel($0.upperBound)] }
        return labels.map { Helvetica.width($0, size: Self.small) }.max() ?? 0
    }

    private func draw(_ tile: Tile, left: Double, top: Double, _ room: Double, _ out: inout Drawing) {
        let height = tileWidth * Double(tile.picture.height) / Double(tile.picture.width)
        let names = broken(tile.name, Self.name)
        for (i, line) in names.enumerated() {
            out.text(line, left + tileWidth / 2, top - 4 - Double(names.count - 1 - i) * (Self.name + 2), anchor: .middle, size: Self.name)
        }
        out.picture(tile.picture, left, top, tileWidth, height)
        if let range = tile.range {
            let x = left + tileWidth + 3
            let steps = 64
            for step in 0..<steps {
                // One step further down than needed: no seam of the page shows between neighbours.
                let (y, end) = (height * Double(step) / Double(steps), min(height, height * Double(step + 2) / Double(steps)))
                out.rectangle(
                    x, top + y, Self.barWidth, end - y, .color(colorMap.color(at: 1 - (Float(step) + 0.5) / Float(steps))))
            }
            out.text(axisLabel(range.upperBound), x + Self.barWidth + 2, top + Self.small - 2, size: Self.small)
            out.text(axisLabel(range.lowerBound), x + Self.barWidth + 2, top + height - 1, size: Self.small)
        }
        for (i, line) in captions(tile).enumerated() {
            out.text(
                line, left + tileWidth / 2, top + height + Double(i + 1) * (Self.small + 2) - 1, anchor: .middle, size: Self.small)
        }
    }

    private func captions(_ tile: Tile) -> [String] { tile.captions.flatMap { broken($0, Self.small) } }

    /// Lines no wider than a picture, broken at spaces, colons and commas, or anywhere in a longer word; both the page's font and the
    /// wider dots of the pixels fit.
    private func broken(_ text: String, _ size: Double) -> [String] {
        let room = max(6, Int(tileWidth / (size / 2)))
        guard text.count > room else { return text.isEmpty ? [] : [text] }
        var lines = [""]
        var word = ""
        func flush() {
            if lines[lines.count - 1].count + word.count > room, !lines[lines.count - 1].isEmpty { lines.append("") }
            while word.count > room {
                lines[lines.count - 1] = String(word.prefix(room))
                lines.append("")
                word = String(word.dropFirst(room))
            }
            lines[lines.count - 1] += word
            word = ""
        }
        for character in text {
            word.append(character)
            if " :,/_".contains(character) { flush() }
        }
        flush()
        return lines.map { $0.trimmingSuffix { $0 == " " } }.filter { !$0.isEmpty }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ isSpace: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}
