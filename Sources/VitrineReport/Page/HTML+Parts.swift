import VitrineEvaluate
import VitrineImage

/// The head of a table's column: numbers stand at the right, words at the left.
struct Column: ExpressibleByStringLiteral {
    let title: String
    let isWords: Bool

    /// A column of numbers.
    init(stringLiteral title: String) { self.init(title) }

    init(_ title: String, isWords: Bool = false) { (self.title, self.isWords) = (title, isWords) }

    static func words(_ title: String) -> Column { Column(title, isWords: true) }
}

/// Parts that several sections are made of.
extension HTML {
    /// A table that scrolls by itself where it is wider than the page; the first column names the rows.
    mutating func table(caption: String, _ columns: [Column], _ rows: (inout HTML) -> Void) {
        element("div", ["class": "scroll", "tabindex": "0", "role": "group", "aria-label": caption]) { html in
            html.element("table") { html in
                html.element("caption", caption)
                html.element("thead") { html in
                    html.element("tr") { html in
                        for (i, column) in columns.enumerated() {
                            html.element(
                                "th", i == 0 || column.isWords ? ["scope": "col", "class": "words"] : ["scope": "col"], column.title)
                        }
                    }
                }
                html.element("tbody") { rows(&$0) }
            }
        }
    }

    /// A cell with a number and its interval.
    mutating func cell(_ value: Double?, _ interval: Interval?) {
        element("td") { html in
            html.text(Format.score(value))
            if value != nil, let interval { html.small(Format.interval(interval)) }
        }
    }

    /// A cell of words.
    mutating func words(_ text: String) { element("td", ["class": "words"], text) }

    /// A line of its own in smaller print.
    mutating func small(_ text: String) { element("span", ["class": "small"], text) }

    mutating func note(_ text: String) { element("p", ["class": "note"], text) }

    /// A drawing that scrolls by itself on a narrow page; its letters would be too small to read otherwise.
    mutating func figure(_ drawing: Drawing, caption: String) {
        element("figure") { html in
            html.element("div", ["class": "drawing", "tabindex": "0", "role": "group", "aria-label": caption]) {
                $0.markup(drawing.svg(isStandalone: false))
            }
            html.element("figcaption", caption)
        }
    }
}
