/// HTML in the making: text is escaped wherever it enters, so that a file's or patient's name is never markup.
struct HTML {
    private(set) var source = ""

    typealias Attributes = KeyValuePairs<String, String>

    /// `<name attributes>content</name>`.
    mutating func element(_ name: String, _ attributes: Attributes = [:], _ content: (inout HTML) throws -> Void) rethrows {
        open(name, attributes)
        try content(&self)
        source += "</\(name)>"
        if Self.blocks.contains(name) { source += "\n" }
    }

    mutating func element(_ name: String, _ attributes: Attributes, _ text: String) {
        element(name, attributes) { $0.text(text) }
    }

    mutating func element(_ name: String, _ text: String) { element(name) { $0.text(text) } }

    /// An element without content, such as `input`.
    mutating func void(_ name: String, _ attributes: Attributes = [:]) { open(name, attributes) }

    mutating func text(_ text: String) { source += Self.escaped(text) }

    /// Markup of our own making, such as a drawing.
    mutating func markup(_ markup: String) { source += markup }

    private mutating func open(_ name: String, _ attributes: Attributes) {
        source += "<\(name)"
        for (key, value) in attributes {
            source += value.isEmpty && key != "value" && key != "alt" ? " \(key)" : " \(key)=\"\(Self.escaped(value))\""
        }
        source += ">"
    }

    private static let blocks: Set<String> = [
        "p", "h1", "h2", "h3", "h4", "section", "table", "thead", "tbody", "tr", "ul", "ol", "li", "div", "details", "figure", "nav",
        "main",
        "header", "footer", "pre", "caption", "fieldset", "script", "style", "head", "body", "title",
    ]

    /// Control characters, and those that turn the direction of what follows, become the replacement character.
    static func escaped(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.printable.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// A JSON string that may stand inside a script element.
    static func json(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20 || "<>&\u{2028}\u{2029}".unicodeScalars.contains(scalar):
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
