import VitrineModel

/// Everything that decides the result of a training run but the images.
public struct Recipe: Sendable, Equatable {
    public var name = "default"
    /// A preset, a file or a list of sizes; used for `scratch` only.
    public var model = "vit_small_patch16"
    /// A name of `ScratchWeights`, a checkpoint's path, or the kind of checkpoint that the recipe was made for: sup, dino, mae.
    public var initialisation = "scratch"
    /// Side of the network's input in pixels, for preprocessings without a size.
    public var imageSize = 224
    public var preprocess = "resize"
    public var optimizer = OptimizerSettings.Rule.adamw
    public var learningRate = 1e-4
    public var momentum = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    public var weightDecay = 0.05
    public var decaysVectors = true
    public var schedule = Schedule.cosine
    public var warmup = 0
    public var layerDecay = 1.0
    public var frozenBlocks = 0
    public var isLinearProbe = false
    public var clipNorm = 0.0
    public var epochs = 20
    public var batch = 32
    /// Whether the images of a patient stay together in the order of an epoch, and are mirrored, cropped and turned alike.
    public var keepsPatientsTogether = false
    /// Probability with which a training image loses one cell of the 4 x 4 grid.
    public var deletedCells = 0.0
    /// Batches whose gradients are averaged before a step.
    public var accumulation = 1
    /// Epochs without a better validation loss before the run stops; 0 to go to the end. The best epoch is kept either way.
    public var patience = 0
    public var labelSmoothing = 0.0
    public var classWeights = ClassWeights.none
    public var augmentation = Augmentation()
    /// Shares of the samples drawn for validation and test where the data has no split.
    public var validationShare = 0.2
    public var testShare = 0.0
    public var splitSeed: UInt64 = 0
    public var seed: UInt64 = 0
    /// The epoch that the study kept, for the sixteen recipes of the study.
    public var keptEpoch: Int?

    public init() {}

    /// The random weights that training starts from; nil where it starts from a checkpoint.
    public var scratch: ScratchWeights? { ScratchWeights(rawValue: initialisation) }

    public var optimizerSettings: OptimizerSettings {
        OptimizerSettings(
            rule: optimizer, learningRate: learningRate, momentum: momentum, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
            decaysVectors: decaysVectors, layerDecay: layerDecay, clipNorm: clipNorm, frozenBlocks: frozenBlocks,
            trainsHeadOnly: isLinearProbe)
    }
}

/// What the classes weigh in the loss.
public enum ClassWeights: Sendable, Equatable, LosslessStringConvertible {
    case none
    /// `n / (classes * n_c)`: every class weighs the same in total.
    case balanced
    case fixed([Double])

    public init?(_ text: String) {
        switch text {
        case "none": self = .none
        case "balanced": self = .balanced
        default:
            let values = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
            guard values.allSatisfy({ $0.isFinite && $0 > 0 }) else { return nil }
            self = .fixed(values)
        }
    }

    public var description: String {
        switch self {
        case .none: "none"
        case .balanced: "balanced"
        case .fixed(let values): values.map { "\($0)" }.joined(separator: ",")
        }
    }

    /// One weight per class, or nothing for ones.
    ///
    /// - Parameter counts: training images of each class.
    func values(counts: [Int]) throws(TrainingError) -> [Double] {
        switch self {
        case .none: return []
        case .balanced: return counts.map { Double(counts.reduce(0, +)) / Double(counts.count * $0) }
        case .fixed(let values):
            guard values.count == counts.count else { throw .classWeights(count: values.count, classes: counts.count) }
            return values
        }
    }
}
