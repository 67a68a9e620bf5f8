/// A figure of pictures in rows and columns with words beside the rows and above the columns, such as data sets by methods.
public struct PictureGrid: Sendable {
    public var title: String
    public var columnLabels: [String]
    public var rowLabels: [String]
    /// Row by row; an absent picture leaves its place empty.
    public var pictures: [[Image?]]
    /// Pixels between neighbours.
    public var gap: Int
    /// Pixels per dot of the font.
    public var textScale: Int

    public init(
        title: String = "", columnLabels: [String] = [], rowLabels: [String] = [], pictures: [[Image?]], gap: Int = 8,
        textScale: Int = 2
    ) {
        self.title = title
        self.columnLabels = columnLabels
        self.rowLabels = rowLabels
        self.pictures = pictures
        self.gap = gap
        self.textScale = textScale
    }

    /// The figure on white.
    ///
    /// A column is as wide as its widest picture or label, a row as high as its highest picture; pictures are centred.
    public func image() -> Image {
        let columns = max(columnLabels.count, pictures.map(\.count).max() ?? 0)
        let rows = max(rowLabels.count, pictures.count)
        func picture(_ row: Int, _ column: Int) -> Image? {
            row < pictures.count && column < pictures[row].count ? pictures[row][column] : nil
        }
        func label(_ labels: [String], _ i: Int) -> String { i < labels.count ? labels[i] : "" }
        func width(_ text: String) -> Int { Canvas.textWidth(text, scale: textScale) }
        let line = Canvas.textHeight(scale: textScale)

        let widths = (0..<columns).map { c in
            max(width(label(columnLabels, c)), (0..<rows).map { picture($0, c)?.width ?? 0 }.max() ?? 0)
        }
        let heights = (0..<rows).map { r in
            max(label(rowLabels, r).isEmpty ? 0 : line, (0..<columns).map { picture(r, $0)?.height ?? 0 }.max() ?? 0)
        }
        let labelWidth = rowLabels.map(width).max() ?? 0
        let left = gap + (labelWidth > 0 ? labelWidth + gap : 0)
        var top = gap
        if !title.isEmpty { top += line + gap }
        let columnLabelTop = top
        if columnLabels.contains(where: { !$0.isEmpty }) { top += line + gap / 2 }
        let total = max(left + widths.reduce(0) { $0 + $1 + gap }, width(title) + 2 * gap)
        var canvas = Canvas(width: max(1, total), height: max(1, top + heights.reduce(0) { $0 + $1 + gap }))

        canvas.draw(title, top: gap, left: (total - width(title)) / 2, scale: textScale)
        var x = left
        for c in 0..<columns {
            let text = label(columnLabels, c)
            canvas.draw(text, top: columnLabelTop, left: x + (widths[c] - width(text)) / 2, scale: textScale)
            x += widths[c] + gap
        }
        for r in 0..<rows {
            let text = label(rowLabels, r)
            canvas.draw(text, top: top + (heights[r] - line) / 2, left: gap + labelWidth - width(text), scale: textScale)
            x = left
            for c in 0..<columns {
                if let picture = picture(r, c) {
                    canvas.draw(picture, top: top + (heights[r] - picture.height) / 2, left: x + (widths[c] - picture.width) / 2)
                }
                x += widths[c] + gap
            }
            top += heights[r] + gap
        }
        return canvas.image
    }
}
