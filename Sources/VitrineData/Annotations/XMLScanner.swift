/// Reads XML 1.0 as far as annotation files need it: elements, attributes, text, CDATA; comments, instructions and document types are
/// passed over. Nothing outside the file is ever opened, no entity but the five of XML and characters by number is expanded.
///
/// Time is linear in the bytes, and depth is bounded, whatever the file holds.
struct XMLScanner {
    enum Event {
        case start(String, line: Int)
        case text(String)
        case end(String)
    }

    /// What is not well-formed, and where.
    struct Fault: Error, Equatable {
        let line: Int
        let reason: String
    }

    /// Elements inside elements.
    static let deepest = 256

    private static let commentStart = Array("<!--".utf8)
    private static let commentEnd = Array("-->".utf8)
    private static let instructionStart = Array("<?".utf8)
    private static let instructionEnd = Array("?>".utf8)
    private static let dataStart = Array("<![CDATA[".utf8)
    private static let dataEnd = Array("]]>".utf8)
    private static let typeStart = Array("<!DOCTYPE".utf8)
    private static let endStart = Array("</".utf8)
    private static let dashes = Array("--".utf8)
    private static let emptyEnd = Array("/>".utf8)
    private static let tagEnd = Array(">".utf8)
    private static let equals = Array("=".utf8)

    private let bytes: [UInt8]
    private var at = 0
    private var open: [String] = []
    private var hasRoot = false
    /// Line breaks before a place, so that lines are counted once.
    private var counted = (place: 0, breaks: 0)

    /// - Parameter bytes: UTF-8.
    /// - Throws: `Fault` at the first thing that is not well-formed; the events before it were told.
    static func scan(_ bytes: [UInt8], tell: (Event) -> Void) throws(Fault) {
        var scanner = XMLScanner(bytes: bytes)
        try scanner.document(tell)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func document(_ tell: (Event) -> Void) throws(Fault) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        while at < bytes.count {
            if bytes[at] != UInt8(ascii: "<") {
                try text(tell)
            } else if has(Self.commentStart) {
                at += 4
                let start = at
                try skip(to: Self.commentEnd, of: "a comment")
                guard !contains(Self.dashes, start..<at - 3) else { throw fault("a comment holds --", at: start) }
            } else if has(Self.instructionStart) {
                at += 2
                _ = try name("an instruction")
                try skip(to: Self.instructionEnd, of: "an instruction")
            } else if has(Self.dataStart) {
                guard !open.isEmpty else { throw fault("text outside of the root element") }
                at += 9
                let start = at
                try skip(to: Self.dataEnd, of: "CDATA")
                tell(.text(String(decoding: bytes[start..<at - 3], as: UTF8.self)))
            } else if has(Self.typeStart) {
                guard !hasRoot else { throw fault("a document type behind the root element") }
                try documentType()
            } else if has(Self.endStart) {
                at += 2
                let name = try name("an end")
                space()
                guard take(Self.tagEnd) else { throw fault("the end of '\(name.prefix(40))' is not closed") }
                guard let last = open.popLast(), last == name else { throw fault("'\(name.prefix(40))' ends where it was not begun") }
                tell(.end(name))
            } else {
                try element(tell)
            }
        }
        guard open.isEmpty else { throw fault("'\(open[open.count - 1].prefix(40))' is not ended") }
        guard hasRoot else { throw fault("there is no element in it") }
    }

    private mutating func element(_ tell: (Event) -> Void) throws(Fault) {
        let start = at
        counted = (start, counted.breaks + bytes[counted.place..<start].count { $0 == 0x0A })
        at += 1
        let name = try name("an element")
        guard !(open.isEmpty && hasRoot) else { throw fault("there is a second root element", at: start) }
        guard open.count < Self.deepest else { throw fault("more than \(Self.deepest) elements inside each other", at: start) }
        hasRoot = true
        while true {
            let hadSpace = space()
            if take(Self.emptyEnd) {
                tell(.start(name, line: counted.breaks + 1))
                tell(.end(name))
                return
            }
            if take(Self.tagEnd) {
                tell(.start(name, line: counted.breaks + 1))
                open.append(name)
                return
            }
            guard hadSpace else { throw fault("the tag of '\(name.prefix(40))' is not closed", at: start) }
            _ = try self.name("an attribute")
            space()
            guard take(Self.equals) else { throw fault("an attribute has no value") }
            space()
            try quoted("an attribute")
        }
    }

    /// Characters up to the next tag, with their references resolved.
    private mutating func text(_ tell: (Event) -> Void) throws(Fault) {
        var out: [UInt8] = []
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "<") {
            if bytes[at] == UInt8(ascii: "&") {
                guard !open.isEmpty else { throw fault("text outside of the root element") }
                out += Array(try reference().utf8)
            } else {
                guard !open.isEmpty || isSpace(bytes[at]) else { throw fault("text outside of the root element") }
                guard bytes[at] >= 0x20 || isSpace(bytes[at]) else { throw fault("a control character") }
                out.append(bytes[at])
                at += 1
            }
        }
        guard !contains(Self.dataEnd, start..<at) else { throw fault("]]> outside of CDATA", at: start) }
        if !open.isEmpty && !out.isEmpty { tell(.text(String(decoding: out, as: UTF8.self))) }
    }

    private mutating func reference() throws(Fault) -> String {
        let start = at
        at += 1
        let from = at
        while at < bytes.count, at - from < 10, bytes[at] != UInt8(ascii: ";") { at += 1 }
        guard at < bytes.count, bytes[at] == UInt8(ascii: ";") else { throw fault("a reference is not ended", at: start) }
        let name = String(decoding: bytes[from..<at], as: UTF8.self)
        at += 1
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let number, number >= 0x20 || [9, 10, 13].contains(number), let scalar = Unicode.Scalar(number) else {
                throw fault("'&\(name);' is no character and none of XML's own entities", at: start)
            }
            return String(Character(scalar))
        }
    }

    /// Passes over a document type with its declarations, in quotes, comments and instructions too.
    private mutating func documentType() throws(Fault) {
        let start = at
        at += 9
        var brackets = 0
        var tags = 1
        while at < bytes.count {
            if has(Self.commentStart) {
                at += 4
                try skip(to: Self.commentEnd, of: "a comment")
                continue
            }
            if has(Self.instructionStart) {
                at += 2
                try skip(to: Self.instructionEnd, of: "an instruction")
                continue
            }
            switch bytes[at] {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                try quoted("a declaration")
                continue
            case UInt8(ascii: "["): brackets += 1
            case UInt8(ascii: "]"): brackets -= 1
            case UInt8(ascii: "<"): tags += 1
            case UInt8(ascii: ">"):
                tags -= 1
                if tags == 0 && brackets == 0 {
                    at += 1
                    return
                }
            default: break
            }
            at += 1
        }
        throw fault("a document type is not ended", at: start)
    }

    // MARK: Pieces

    /// A value in quotes; its content is not looked at.
    private mutating func quoted(_ what: String) throws(Fault) {
        let start = at
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") else {
            throw fault("the value of \(what) is not in quotes")
        }
        let mark = bytes[at]
        at += 1
        while at < bytes.count, bytes[at] != mark { at += 1 }
        guard at < bytes.count else { throw fault("the value of \(what) is not ended", at: start) }
        at += 1
    }

    private mutating func name(_ what: String) throws(Fault) -> String {
        let start = at
        while at < bytes.count, isNameByte(bytes[at], isFirst: at == start) { at += 1 }
        guard at > start else { throw fault("\(what) without a name") }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private func isNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: ":"), 0x80...:
            true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): !isFirst
        default: false
        }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    @discardableResult private mutating func space() -> Bool {
        let start = at
        while at < bytes.count, isSpace(bytes[at]) { at += 1 }
        return at > start
    }

    private func has(_ text: [UInt8]) -> Bool { matches(text, at) }

    private func matches(_ text: [UInt8], _ place: Int) -> Bool {
        guard place + text.count <= bytes.count else { return false }
        for i in text.indices where bytes[place + i] != text[i] { return false }
        return true
    }

    private mutating func take(_ text: [UInt8]) -> Bool {
        guard has(text) else { return false }
        at += text.count
        return true
    }

    private mutating func skip(to ending: [UInt8], of what: String) throws(Fault) {
        let start = at
        while at < bytes.count, !has(ending) { at += 1 }
        guard at < bytes.count else { throw fault("\(what) is not ended", at: start) }
        at += ending.count
    }

    private func contains(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.lowerBound < range.upperBound else { return false }
        return range.contains { matches(text, $0) && $0 + text.count <= range.upperBound }
    }

    private func line(_ place: Int) -> Int { 1 + bytes[..<min(place, bytes.count)].count { $0 == 0x0A } }

    private func fault(_ reason: String, at place: Int? = nil) -> Fault { Fault(line: line(place ?? at), reason: reason) }
}
