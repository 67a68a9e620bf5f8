/// Reads typed values out of a study file and collects every mistake instead of stopping at the first.
struct StudyReader {
    private(set) var mistakes: [StudyMistake] = []

    mutating func complain(_ place: StudyPlace, _ message: String) { mistakes.append(StudyMistake(place, message)) }

    /// The entries of a mapping; keys that are not `known` are mistakes.
    mutating func map(_ node: StudyNode, _ name: String, known: [String]?) -> [String: StudyNode] {
        var result: [String: StudyNode] = [:]
        for entry in entries(node, name) {
            if let known, !known.contains(entry.key) {
                complain(entry.place, "\(name) has no key '\(entry.key)'; it has \(known.joined(separator: ", "))")
            } else {
                result[entry.key] = entry.value
            }
        }
        return result
    }

    /// The entries of a mapping in their order.
    mutating func entries(_ node: StudyNode, _ name: String) -> [StudyNode.Entry] {
        switch node.content {
        case .map(let entries): return entries
        case .nothing: return []
        case .scalar(let text): complain(node.place, "\(name) is a mapping of keys to values, not '\(text)'")
        case .list: complain(node.place, "\(name) is a mapping of keys to values, not a list")
        }
        return []
    }

    mutating func text(_ node: StudyNode?, _ name: String) -> String? {
        guard let node else { return nil }
        if case .scalar(let text) = node.content { return text }
        complain(node.place, "\(name) has no value; write one word or text")
        return nil
    }

    /// A list, or a single value in its place.
    mutating func items(_ node: StudyNode?, _ name: String) -> [StudyNode] {
        guard let node else { return [] }
        switch node.content {
        case .list(let items): return items
        case .nothing: return []
        case .scalar, .map: return [node]
        }
    }

    /// Texts with their places; a mistake for items that are none.
    mutating func texts(_ node: StudyNode?, _ name: String) -> [(text: String, place: StudyPlace)] {
        items(node, name).compactMap { item in text(item, "an item of \(name)").map { ($0, item.place) } }
    }

    mutating func integer(_ node: StudyNode?, _ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let node, let text = text(node, name) else { return nil }
        if let value = Int(text), range.contains(value) { return value }
        let bounds = range.upperBound == .max ? "from \(range.lowerBound)" : "in \(range.lowerBound)...\(range.upperBound)"
        complain(node.place, "\(name): '\(text)' is no whole number \(bounds)")
        return nil
    }

    /// A seed: 64 bits without a sign.
    mutating func seed(_ node: StudyNode?, _ name: String) -> UInt64? {
        guard let node, let text = text(node, name) else { return nil }
        if let value = UInt64(text) { return value }
        complain(node.place, "\(name): '\(text)' is no whole number from 0 to \(UInt64.max)")
        return nil
    }

    mutating func share(_ node: StudyNode?, _ name: String) -> Double? {
        guard let node, let text = text(node, name) else { return nil }
        if let value = Double(text), value >= 0, value < 1 { return value }
        complain(node.place, "\(name): '\(text)' is no share, at least 0 and below 1")
        return nil
    }

    mutating func flag(_ node: StudyNode?, _ name: String) -> Bool? {
        guard let node, let text = text(node, name) else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            complain(node.place, "\(name): '\(text)' is neither true nor false")
            return nil
        }
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: StudyNode?, _ name: String, _: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        guard let node, let text = text(node, name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        complain(node.place, "\(name): '\(text)' is none of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }
}
