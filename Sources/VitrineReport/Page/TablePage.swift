import VitrineTensor

/// A page of tables with words between them, in the dress of the report: one file that needs nothing else.
public struct TablePage: Sendable {
    /// A table; the first column names the rows.
    public struct Table: Sendable, Equatable {
        public struct Column: Sendable, Equatable {
            public var title: String
            /// Words stand at the left, numbers at the right.
            public var isWords: Bool

            public init(_ title: String, isWords: Bool = false) { (self.title, self.isWords) = (title, isWords) }
        }

        public var caption: String
        public var columns: [Column]
        public var rows: [[String]]
        /// What is to be said below it.
        public var notes: [String]

        public init(_ caption: String, _ columns: [Column], rows: [[String]] = [], notes: [String] = []) {
            (self.caption, self.columns, self.rows, self.notes) = (caption, columns, rows, notes)
        }
    }

    public struct Section: Sendable {
        public var title: String
        public var paragraphs: [String]
        public var tables: [Table]

        public init(_ title: String, _ paragraphs: [String] = [], tables: [Table]) {
            (self.title, self.paragraphs, self.tables) = (title, paragraphs, tables)
        }
    }

    public var title: String
    /// One line below the title: where the figures come from.
    public var facts: String
    public var sections: [Section]

    public init(_ title: String, facts: String, sections: [Section]) {
        (self.title, self.facts, self.sections) = (title, facts, sections)
    }

    public var html: String {
        var html = HTML()
        html.markup("<!DOCTYPE html>\n")
        html.element("html", ["lang": "en"]) { html in
            html.element("head") { $0.head(title: title, script: nil) }
            html.element("body") { html in
                html.element("header") { html in
                    html.element("h1", title)
                    html.note(facts)
                    html.element("nav", ["aria-label": "Sections"]) { html in
                        html.element("ul") { html in
                            for (i, section) in sections.enumerated() {
                                html.element("li") { $0.element("a", ["href": "#part-\(i)"], section.title) }
                            }
                        }
                    }
                }
                html.element("main") { html in
                    for (i, section) in sections.enumerated() {
                        html.element("section", ["id": "part-\(i)", "aria-labelledby": "h-\(i)"]) { html in
                            html.element("h2", ["id": "h-\(i)"], section.title)
                            for paragraph in section.paragraphs { html.element("p", paragraph) }
                            for table in section.tables { Self.write(table, &html) }
                        }
                    }
                }
            }
        }
        return html.source
    }

    private static func write(_ table: Table, _ html: inout HTML) {
        html.table(caption: table.caption, table.columns.map { .init($0.title.isEmpty ? "\u{A0}" : $0.title, isWords: $0.isWords) }) {
            html in
            for row in table.rows {
                html.element("tr") { html in
                    for (i, text) in row.enumerated() {
                        if i == 0 {
                            html.element("th", ["scope": "row"], text)
                        } else if table.columns[i].isWords {
                            html.words(text)
                        } else {
                            html.element("td", ["class": "whole"], text)
                        }
                    }
                }
            }
        }
        for note in table.notes { html.note(note) }
    }

    /// - Throws: `FileFailure`.
    public func write(to path: String) throws { try AtomicFile.write(Array(html.utf8), to: path) }
}
