/// The name that somebody probably meant.
public enum Suggestion {
    /// The nearest of the known names, for "did you mean": equal but for case and punctuation, or the beginning or the end of a name, or at
    /// most a third of the letters away; nil when nothing is near.
    public static func nearest(to text: String, in names: [String]) -> String? {
        let plain = bare(text)
        guard !plain.isEmpty else { return nil }
        if let same = names.first(where: { bare($0) == plain }) { return same }
        let scored = names.map { ($0, distance(plain, bare($0))) }
        if let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(1, plain.count / 3) { return best.0 }
        guard plain.count >= 3 else { return nil }
        let containing = names.filter { bare($0).starts(with: plain) || plain.starts(with: bare($0)) }
        return containing.count == 1 ? containing[0] : nil
    }

    /// "; did you mean NAME?" or a full stop.
    ///
    /// - Parameter names: `@K` at their ends stands for a number and is not compared.
    public static func question(_ text: String, in names: [String]) -> String {
        let plain = names.map { $0.hasSuffix("@K") ? String($0.dropLast(2)) : $0 }
        return nearest(to: text, in: plain).flatMap { plain.firstIndex(of: $0) }.map { "; did you mean \(names[$0])?" } ?? "."
    }

    /// "; did you mean A, B or C?" and where all names stand; the names themselves, nearest first or as they are, where they are few.
    ///
    /// - Parameter listedBy: what prints all of many names.
    public static func choice(_ text: String, in names: [String], listedBy: String) -> String {
        guard names.count > 12 else { return "\(question(text, in: names)) Choose from \(names.joined(separator: ", "))" }
        let near = nearest(3, to: text, in: names)
        let last = near.last ?? ""
        let question =
            near.isEmpty ? "." : "; did you mean \((near.count > 1 ? near.dropLast().joined(separator: ", ") + " or " : "") + last)?"
        return "\(question) \(listedBy) lists all \(names.count)"
    }

    /// The nearest names, best first: at most a third of the letters away from the name or its beginning, or beginning alike.
    static func nearest(_ count: Int, to text: String, in names: [String]) -> [String] {
        let plain = bare(text)
        guard !plain.isEmpty else { return [] }
        // `@K` stands for a number and is not compared.
        let compared = names.map { $0.hasSuffix("@K") ? String($0.dropLast(2)) : $0 }
        let best = nearest(to: text, in: compared)
        let scored = names.indices.compactMap { index -> (rank: Int, index: Int, name: String)? in
            let other = bare(compared[index])
            let isBeginning = plain.count >= 3 && (other.starts(with: plain) || plain.starts(with: other))
            // A name may begin with what was meant: gradcam-eigen for gradcm.
            let beginning = distance(plain, Array(other.prefix(plain.count + 1))) + 1
            let distance = min(distance(plain, other), beginning)
            let isBest = compared[index] == best
            guard isBest || isBeginning || distance <= max(1, plain.count / 3) else { return nil }
            return (isBest ? -1 : isBeginning ? 0 : distance, index, names[index])
        }
        return scored.sorted { ($0.rank, $0.index) < ($1.rank, $1.index) }.prefix(count).map(\.name)
    }

    private static func bare(_ text: String) -> [Character] { text.lowercased().filter { $0.isLetter || $0.isNumber } }

    /// Levenshtein's: insertions, deletions, replacements, and neighbours that changed places count 1 each.
    static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var (before, last) = ([Int](), Array(0...b.count))
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
