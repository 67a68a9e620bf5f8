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
    /// OpenAI's CLIP and most models that grew from it.
    public static let clip = Normalisation(
        name: "clip", mean: [0.48145466, 0.4578275, 0.40821073], deviation: [0.26862954, 0.26130258, 0.27577711])
    /// 0...1.
    public static let none = Normalisation(name: "none", mean: [0, 0, 0], deviation: [1, 1, 1])

    /// All normalisations; help and error messages list them.
    public static let all: [Normalisation] = [.imagenet, .half, .clip, .none]

    private init(name: String, mean: [Float], deviation: [Float]) {
        self.name = name
        self.mean = mean
        self.deviation = deviation
    }

    /// Any mean and deviation of red, green and blue; those of a known normalisation give that one.
    ///
    /// - Returns: nil unless all are finite and the deviations above 0.
    public init?(mean: [Float], deviation: [Float]) {
        guard mean.count == 3, deviation.count == 3, (mean + deviation).allSatisfy(\.isFinite), deviation.allSatisfy({ $0 > 0 }) else {
            return nil
        }
        if let known = Self.all.first(where: { $0.mean == mean && $0.deviation == deviation }) {
            self = known
            return
        }
        func text(_ values: [Float]) -> String {
            Set(values).count == 1 ? "\(values[0])" : values.map { "\($0)" }.joined(separator: ",")
        }
        self.init(name: text(mean) + "/" + text(deviation), mean: mean, deviation: deviation)
    }

    /// Reads a name, or `MEAN/DEVIATION` with one number for all channels or three separated by commas: `0.53/0.26`.
    public init?(_ text: String) {
        if let known = Self.all.first(where: { $0.name == text }) {
            self = known
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { part in
            part.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
        }
        guard parts.count == 2 else { return nil }
        let numbers = parts.map { $0.compactMap { $0 } }
        guard zip(numbers, parts).allSatisfy({ $0.count == $1.count }) else { return nil }
        let full = numbers.map { $0.count == 1 ? [Float](repeating: $0[0], count: 3) : $0 }
        self.init(mean: full[0], deviation: full[1])
    }

    /// The value of `byte` in channel `channel`.
    func value(of byte: UInt8, channel: Int) -> Float { (Float(byte) / 255 - mean[channel]) / deviation[channel] }

    /// The byte nearest to a normalised value, clamped to 0...255; NaN becomes 0.
    func byte(of value: Float, channel: Int) -> UInt8 {
        let level = ((value * deviation[channel] + mean[channel]) * 255).rounded()
        return level.isNaN ? 0 : UInt8(min(max(level, 0), 255))
    }
}
