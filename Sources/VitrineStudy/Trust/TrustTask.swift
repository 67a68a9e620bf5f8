import VitrineData

/// A task of a trust run: phantoms, and what in them makes the label.
///
/// Written `two-causes`, or with options `colon:size=0.5,contrast=0.8,number=2`. `shortcut=TAG` makes a task whose positives, and no
/// others, carry the tag: a network that takes the shortcut uses the tag, and the lesion beside it must get no credit.
public struct TrustTask: Sendable, Equatable {
    /// As it was written.
    public let name: String
    public let phantom: PhantomTask
    public let options: PhantomOptions
    public let tag: PhantomShortcut.Tag?

    /// Every kind of planted cause once, and one step of every sweep. But for colon the lesions are three times as large as they are
    /// without options, which is two patches of a network of 64 pixels: one that sees 2400 pictures a round finds smaller ones too rarely
    /// to prove anything in a few rounds. The same holds for fractures, so bone is not among them.
    public static let standard = [
        "colon", "breast-mr:size=3", "oesophagus:size=3", "colon:shortcut=scope-box", "two-causes:size=3", "suppressor:size=3",
        "conjunction:size=3", "class-specific:size=3",
        "conjunction:size=2", "class-specific:size=3,contrast=0.9", "suppressor:size=3,number=2",
    ]

    /// Share of the images, whatever their label, with a look-alike that means nothing.
    static let distractorRate = 0.5

    /// - Throws: `TrustError` for an unknown task or option.
    public init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let phantom = PhantomTask(rawValue: parts[0]) else {
            throw TrustError.unknownTask(parts[0], known: PhantomTask.allCases.map(\.rawValue))
        }
        var options = PhantomOptions()
        var tag: PhantomShortcut.Tag?
        for option in parts.count == 2 ? parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init) : [] {
            let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            func bad(_ reason: String) -> TrustError { .badTask(text, reason: reason) }
            guard pair.count == 2 else { throw bad("'\(option)' is not name=value") }
            func number() throws -> Double {
                guard let value = Double(pair[1]), value.isFinite else { throw bad("'\(pair[1])' is no number") }
                return value
            }
            switch pair[0] {
            case "size": options.size = try number()
            case "contrast": options.contrast = try number()
            case "number":
                guard let value = Int(pair[1]) else { throw bad("'\(pair[1])' is no whole number") }
                options.number = value
            case "shortcut":
                guard let found = PhantomShortcut.Tag(rawValue: pair[1]) else {
                    throw bad("'\(pair[1])' is no tag; tags are \(PhantomShortcut.Tag.allCases.map(\.rawValue).joined(separator: ", "))")
                }
                tag = found
            default: throw bad("no option '\(pair[0])'; options are size, contrast, number, shortcut")
            }
        }
        self.name = text
        self.phantom = phantom
        self.options = options
        self.tag = tag
        do { _ = try set(count: 2, seed: 0) } catch { throw TrustError.badTask(text, reason: "\(error)") }
    }

    /// Whether a network that was trained for the other task knows what this one's is to see: the same lesions, or others in the same tissue.
    func isLike(_ other: TrustTask) -> Bool {
        tag == nil && other.tag == nil && (phantom == other.phantom || phantom.isTissue && other.phantom.isTissue)
    }

    /// An order of tasks that are like each other: larger lesions first, then stronger ones, then fewer; of equal ones those whose pictures
    /// show lesions of both kinds.
    func isEasier(than other: TrustTask) -> Bool {
        func key(_ task: TrustTask) -> (Double, Double, Int, Int) {
            (-task.options.size, -task.options.contrast, task.options.number, Self.teachers.firstIndex(of: task.phantom) ?? 0)
        }
        return key(self) == key(other) ? name < other.name : key(self) < key(other)
    }

    private static let teachers: [PhantomTask] = [.twoCauses, .conjunction, .classSpecific, .suppressor]

    /// A file name.
    public var folder: String { String(name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." ? $0 : "-" }) }

    public var classNames: [String] { tag == nil ? phantom.classNames : ["untagged", "tagged"] }

    /// What an image that shows these parts is to be called; nil where the task does not say.
    func label(_ parts: Set<PhantomPart>) -> Int? {
        tag == nil ? phantom.label(parts) : parts.contains(.shortcut) ? 1 : 0
    }

    /// Phantoms in matched pairs, half of them with a distractor.
    func set(count: Int, seed: UInt64) throws -> PhantomSet {
        try PhantomSet(
            task: phantom, count: count, seed: seed, shortcut: try tag.map { try PhantomShortcut(tag: $0, rate: 1) },
            distractorRate: Self.distractorRate, isMatched: true, options: options)
    }

    /// What makes the label of an image that shows these parts: the smallest set of them without which it has another, single parts
    /// first. Several sets where each alone is needed.
    func causes(of parts: Set<PhantomPart>) -> [Set<PhantomPart>] {
        let own = label(parts)
        let single = parts.ordered.map { Set([$0]) }.filter { label(parts.subtracting($0)) != own }
        if !single.isEmpty { return single }
        let lesions = parts.intersection([.lesion, .secondLesion])
        return label(parts.subtracting(lesions)) != own ? [lesions] : []
    }

    /// All parts that take part in making the label.
    func cause(of parts: Set<PhantomPart>) -> Set<PhantomPart> { causes(of: parts).reduce(into: []) { $0.formUnion($1) } }

    /// Whether it has classes with lesions of their own.
    var isClassSpecific: Bool { phantom == .classSpecific && tag == nil }
}
