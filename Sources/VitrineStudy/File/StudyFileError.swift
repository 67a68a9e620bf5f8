/// Where in a study file, or in which override of the command line, something stands.
public enum StudyPlace: Sendable, Hashable {
    /// From 1.
    case line(Int)
    /// `key=value` as given, and its position among the overrides.
    case override(Int, String)

    /// Lines first, from the top; then overrides in their order.
    fileprivate var order: (Int, Int) {
        switch self {
        case .line(let line): (0, line)
        case .override(let index, _): (1, index)
        }
    }
}

/// One mistake in a study file.
public struct StudyMistake: Sendable, Hashable {
    public let place: StudyPlace
    public let message: String

    public init(_ place: StudyPlace, _ message: String) {
        self.place = place
        self.message = message
    }
}

/// Everything that is wrong with a study file, at once.
public struct StudyFileError: Error, Equatable, CustomStringConvertible {
    public let path: String
    /// In the order of their lines, overrides last.
    public let mistakes: [StudyMistake]

    public init(path: String, mistakes: [StudyMistake]) {
        self.path = path
        var seen = Set<StudyMistake>()
        let distinct = mistakes.filter { seen.insert($0).inserted }
        self.mistakes = distinct.enumerated().sorted { a, b in
            let (first, second) = (a.element.place.order, b.element.place.order)
            return first == second ? a.offset < b.offset : first < second
        }.map(\.element)
    }

    /// One line per mistake.
    public var description: String {
        mistakes.map { mistake in
            switch mistake.place {
            case .line(let line): "\(path), line \(line): \(mistake.message)"
            case .override(_, let text): "\(text): \(mistake.message)"
            }
        }.joined(separator: "\n")
    }
}
