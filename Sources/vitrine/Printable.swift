/// Text as a terminal may have it: file names may hold anything, and a control character could recolour, retitle or overwrite what is shown.
enum Printable {
    /// Several lines; line ends and tabs stay.
    static func text(_ text: String) -> String { escaped(text) { $0 == "\n" || $0 == "\t" } }

    /// One line.
    static func line(_ text: String) -> String { escaped(text) { $0 == "\t" } }

    private static func escaped(_ text: String, keeping isKept: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) && !isKept($0) }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case _ where !isControl(scalar) || isKept(scalar): result.unicodeScalars.append(scalar)
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            default: result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result
    }

    /// Control characters, separators of lines, and marks that turn the direction of what follows.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        default: false
        }
    }
}
