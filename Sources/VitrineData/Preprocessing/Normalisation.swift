/// How bytes of a channel become what the network reads: `(byte / 255 - mean) / deviation`, in Float32.
///
/// Torchvision's `ToTensor` and `Normalize` do the same three operations in the same order, so the results are equal bit for bit.
public struct Normalisation: Sendable, Equatable {
    /// The name in preprocessing strings and checkpoint metadata.
    public let name: String
    /// Mean of red, green and blue, on the scale 0...1.
    public let mean: [Float]
    /// Standard deviation of red, green and blue, on the scale 0...1.
    public let deviation: [Float]

    /// Mean and deviation of ImageNet's training images, used by the study and by most published vision transformers.
    public static let imagenet = Normalisation(name: "imagenet", mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])
    /// -1...1, used by timm's AugReg models and by Hugging Face's `ViTImageProcessor`.
    public static let half = Normalisation(name: "half", mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5])
    /// 0...1.
    public static let none = Normalisation(name: "none", mean: [0, 0, 0], deviation: [1, 1, 1])

    /// All normalisations; help and error messages list them.
    public static let all: [Normalisation] = [.imagenet, .half, .none]

    /// The value of `byte` in channel `channel`.
    func value(of byte: UInt8, channel: Int) -> Float { (Float(byte) / 255 - mean[channel]) / deviation[channel] }

    /// The byte nearest to a normalised value, clamped to 0...255; NaN becomes 0.
    func byte(of value: Float, channel: Int) -> UInt8 {
        let level = ((value * deviation[channel] + mean[channel]) * 255).rounded()
        return level.isNaN ? 0 : UInt8(min(max(level, 0), 255))
    }
}
