import VitrineTensor

/// The image as a network may be shown it instead of itself: what a method or a metric that asks the network changes.
public enum ChangedInput: Sendable {
    /// Other pixels, `[channels, height, width]`, normalised: masked, noisy, blended, shifted.
    case pixels(Tensor)
    /// The image's own pixels, but only these patches become tokens (row-major indices, ascending); the positions of those that stay
    /// are their own.
    case patches([Int])
    /// All patches become tokens, but only these can be attended to, in every block.
    case visible([Int])
    /// These patches keep their own content; every other token holds the mean of all patch embeddings at its own position.
    case averaged(keeping: [Int])
}
