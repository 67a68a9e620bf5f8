/// What takes the place of a patch that is taken away: one list for methods and metrics.
///
/// Scores by removal change with the rule; a table says which one it used.
public enum RemovalRule: String, Sendable, Codable, CaseIterable {
    /// The patch leaves the sequence of tokens; the positions of the others stay. Nothing is painted, so nothing foreign is seen.
    case drop
    /// The mean colour of the training images: 0 after normalisation.
    case mean
    case black
    /// The image under a Gaussian of 5 pixels at a side of 224, in proportion at other sides.
    case blur
    /// Independent N(0, 1) after normalisation, drawn once per image.
    case noise
    /// The patch stays as a token that nobody can attend to: its key is masked in every block. Under a head that reads a class token the
    /// same as `drop`; a mean over patches still counts what masked tokens read of the others.
    case mask
    /// The token holds the mean of the image's patch embeddings, at its own position.
    case clsMean = "cls-mean"

    /// Whether pixels take the patch's place; the other rules act on tokens.
    public var isPainted: Bool {
        switch self {
        case .mean, .black, .blur, .noise: true
        case .drop, .mask, .clsMean: false
        }
    }

    /// All of them as an option's values, the default first.
    public static func option(default first: RemovalRule = .drop) -> String {
        "removal=" + ([first] + allCases.filter { $0 != first }).map(\.rawValue).joined(separator: "|")
    }
}
