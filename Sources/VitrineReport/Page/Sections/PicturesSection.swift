import Foundation
import VitrineImage

/// The paper's figure.
struct PicturesSection: PageSection {
    let overview: Overview
    let colorMap: ColorMap
    let id = "pictures"
    let title = "Pictures"

    func write(_ html: inout HTML) throws {
        guard !overview.rows.isEmpty else {
            html.element("p", "There is no picture to show: no model was run, or the images are not where they were.")
            return
        }
        let rows = try overview.rows.map { row in (row, try row.pictures.map { try $0.map { try Self.source($0.image) } }) }
        html.table(
            caption:
                "One image of every data set under the first model, drawn at random where there are patients enough; white: the experts' outline",
            ["data set, model", .words("image")] + overview.methods.map { .words($0) }
        ) { html in
            for (row, sources) in rows {
                html.element("tr", ["class": "pictures"]) { html in
                    html.element("th", ["scope": "row"]) { html in
                        html.text("\(row.dataset), \(row.model)")
                        html.small(row.sample)
                    }
                    for (i, source) in sources.enumerated() {
                        html.element("td", ["class": "words"]) { html in
                            guard let source, let picture = row.pictures[i] else { return html.text("–") }
                            let what = i == 0 ? "image" : overview.methods[i - 1]
                            html.void("img", ["src": source, "alt": "\(what), \(row.dataset)", "width": "224", "height": "224"])
                            if let range = picture.range {
                                html.small("\(Format.significant(range.lowerBound)) to \(Format.significant(range.upperBound))")
                            }
                        }
                    }
                }
            }
        }
        let bar = try Self.source(Self.bar(colorMap))
        html.element("p", ["class": "note"]) { html in
            html.text("Low ")
            html.void("img", ["class": "bar", "src": bar, "alt": "Colour bar, \(colorMap.rawValue), from low to high"])
            html.text(
                " high. Under each map the range of its raw values; colours are stretched to it, so that strength cannot be compared between pictures."
            )
        }
    }

    private static func source(_ image: Image) throws -> String {
        "data:image/png;base64,\(Data(try image.pngData()).base64EncodedString())"
    }

    private static func bar(_ colorMap: ColorMap) -> Image {
        var canvas = Canvas(width: 256, height: 1)
        for x in 0..<256 { canvas.set(row: 0, column: x, to: colorMap.table[x]) }
        return canvas.image
    }
}
