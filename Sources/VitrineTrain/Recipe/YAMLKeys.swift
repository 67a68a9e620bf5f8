/// Bounds on YAML text that hold before it is parsed.
///
/// A parser compares the keys of a mapping, and a key that is itself a nest of aliases takes time exponential in the file's size to
/// compare. Recipes and study files have words for keys, so that anything else is refused from the text.
package enum YAMLKeys {
    /// More keys and list items than this are refused: a parser's time grows with their square.
    package static let largestCount = 20_000

    /// What is wrong, and in which line, counted from 1; nil for text that may be parsed.
    package static func fault(in text: String) -> (line: Int, reason: String)? {
        var scanner = Scanner(bytes: Array(lines(text).utf8))
        return scanner.fault()
    }

    /// The text with every line break that YAML 1.1 knows as a line feed.
    private static func lines(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        var follows = false
        for scalar in text.unicodeScalars {
            let isReturn = scalar == "\r"
            if !(follows && scalar == "\n") { out.append(isReturn || ["\u{85}", "\u{2028}", "\u{2029}"].contains(scalar) ? "\n" : scalar) }
            follows = isReturn
        }
        return String(out)
    }

    private struct Scanner {
        let bytes: [UInt8]
        var at = 0
        var line = 1
        var count = 0
        /// Columns of the line's first character.
        var indent = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func fault() -> (line: Int, reason: String)? {
            // Whether a quotation mark, a `?`, an alias or a bracket would begin here, not lie inside a plain word.
            var atStart = true
            // A bracket or an alias just ended, so that a colon would make it a key.
            var endedCollection = false
            var lineStart = true
            while at < bytes.count {
                let byte = bytes[at]
                if lineStart {
                    lineStart = false
                    indent = 0
                    while at + indent < bytes.count, bytes[at + indent] == space { indent += 1 }
                    atStart = true
                }
                switch byte {
                case newline:
                    line += 1
                    lineStart = true
                case space, tab: break
                case UInt8(ascii: "#") where at == 0 || isBlank(at - 1):
                    while at + 1 < bytes.count, bytes[at + 1] != newline { at += 1 }
                case UInt8(ascii: "\""), UInt8(ascii: "'"):
                    if atStart { skipQuoted(byte) }
                    atStart = false
                    endedCollection = false
                case UInt8(ascii: "|"), UInt8(ascii: ">"):
                    if atStart { skipBlock() }
                    atStart = false
                case UInt8(ascii: "?") where atStart && isBlank(at + 1): return (line, "a key must be a word")
                case UInt8(ascii: "*") where atStart:
                    while at + 1 < bytes.count, !isBlank(at + 1), !isFlow(bytes[at + 1]) { at += 1 }
                    // `*a:` is an alias named `a:`; some parsers take it for a key all the same.
                    if bytes[at] == UInt8(ascii: ":") { return (line, "a key must be a word, not an alias") }
                    atStart = false
                    endedCollection = true
                case UInt8(ascii: "&"), UInt8(ascii: "!"):
                    // An anchor or a tag: what follows begins a value as before.
                    if atStart { while at + 1 < bytes.count, !isBlank(at + 1), !isFlow(bytes[at + 1]) { at += 1 } }
                case UInt8(ascii: "]"), UInt8(ascii: "}"):
                    endedCollection = true
                    atStart = false
                case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","):
                    count += byte == UInt8(ascii: ",") ? 1 : 0
                    atStart = true
                    endedCollection = false
                case UInt8(ascii: ":") where isBlank(at + 1) || (at + 1 < bytes.count && isFlow(bytes[at + 1])):
                    if endedCollection { return (line, "a key must be a word") }
                    count += 1
                    atStart = true
                case UInt8(ascii: "-") where atStart && isBlank(at + 1): count += 1
                default:
                    atStart = false
                    endedCollection = false
                }
                if count > largestCount { return (line, "there are more than \(largestCount) keys and items") }
                at += 1
            }
            return nil
        }

        private let newline = UInt8(ascii: "\n")
        private let space = UInt8(ascii: " ")
        private let tab = UInt8(ascii: "\t")

        /// Whether there is white space, or the end.
        private func isBlank(_ place: Int) -> Bool {
            place >= bytes.count || bytes[place] == space || bytes[place] == tab || bytes[place] == newline || bytes[place] == 0x0D
        }

        private func isFlow(_ byte: UInt8) -> Bool { ",[]{}".utf8.contains(byte) }

        /// To the closing quotation mark; a doubled one, or one behind a backslash, is part of the text.
        private mutating func skipQuoted(_ mark: UInt8) {
            at += 1
            while at < bytes.count {
                if bytes[at] == newline { line += 1 }
                if mark == UInt8(ascii: "\"") && bytes[at] == UInt8(ascii: "\\") {
                    at += 1
                } else if bytes[at] == mark {
                    guard mark == UInt8(ascii: "'"), at + 1 < bytes.count, bytes[at + 1] == mark else { return }
                    at += 1
                }
                at += 1
            }
        }

        /// Over the lines of a block of text: those indented deeper than the line that began it, and empty ones.
        private mutating func skipBlock() {
            while at < bytes.count, bytes[at] != newline { at += 1 }
            while at < bytes.count {
                var start = at + 1
                var depth = 0
                while start < bytes.count, bytes[start] == space { (start, depth) = (start + 1, depth + 1) }
                guard start < bytes.count else { return }
                if bytes[start] != newline && bytes[start] != 0x0D && depth <= indent {
                    // The line break before it belongs to the reader of lines.
                    at -= 1
                    return
                }
                line += 1
                at = start
                while at < bytes.count, bytes[at] != newline { at += 1 }
            }
        }
    }
}
