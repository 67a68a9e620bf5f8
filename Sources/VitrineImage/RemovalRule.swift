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
}
