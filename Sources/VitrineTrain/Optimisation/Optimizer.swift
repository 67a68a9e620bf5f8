import VitrineModel
import VitrineTensor

/// An optimisation rule and its constants.
public struct OptimizerSettings: Sendable, Equatable {
    public enum Rule: String, Sendable, Codable, CaseIterable {
        /// Stochastic gradient descent with momentum, L2 weight decay (PyTorch's `SGD`).
        case sgd
        /// Adam with L2 weight decay (PyTorch's `Adam`).
        case adam
        /// Adam with decoupled weight decay (PyTorch's `AdamW`).
        case adamw
    }

    public var rule: Rule
    public var learningRate: Double
    /// Momentum of SGD; beta1 of Adam.
    public var momentum: Double
    public var beta2: Double
    public var epsilon: Double
    public var weightDecay: Double
    /// Whether biases, norms, tokens and positions decay too, as they do when PyTorch is given `model.parameters()`.
    public var decaysVectors: Bool
    /// Factor of the learning rate from one layer down to the next (Bao et al. 2022, https://arxiv.org/abs/2106.08254); 1 for none.
    public var layerDecay: Double
    /// Largest norm of the whole gradient, 0 for no limit; PyTorch's `clip_grad_norm_`.
    public var clipNorm: Double
    /// Blocks from the first that stay as they are, the embeddings with them.
    public var frozenBlocks: Int
    /// Linear probing: only the head's weights move.
    public var trainsHeadOnly: Bool

    public init(
        rule: Rule, learningRate: Double, momentum: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
        decaysVectors: Bool = true, layerDecay: Double = 1, clipNorm: Double = 0, frozenBlocks: Int = 0,
        trainsHeadOnly: Bool = false
    ) {
        self.rule = rule
        self.learningRate = learningRate
        self.momentum = momentum
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.decaysVectors = decaysVectors
        self.layerDecay = layerDecay
        self.clipNorm = clipNorm
        self.frozenBlocks = frozenBlocks
        self.trainsHeadOnly = trainsHeadOnly
    }

    /// The lowest `ParameterInfo.layer` that is trained.
    public var firstTrainedLayer: Int { frozenBlocks == 0 ? 0 : frozenBlocks + 1 }

    func trains(_ info: ParameterInfo) -> Bool {
        trainsHeadOnly ? info.name.hasPrefix("head") : info.layer >= firstTrainedLayer
    }
}

/// The weights of a run in motion: settings, the number of steps taken, and the moments of every trained weight.
public struct Optimizer: Sendable {
    public let settings: OptimizerSettings
    /// Steps taken.
    public internal(set) var steps = 0
    /// By the order of `forEachParameter`: momentum buffer or first moment; nil for a frozen weight.
    var first: [Tensor?]
    /// Second moments of Adam.
    var second: [Tensor?]

    public init(_ settings: OptimizerSettings, for model: VisionTransformer) {
        self.settings = settings
        let parameters = model.parameters
        let zeros = { (isNeeded: Bool) in
            parameters.map { isNeeded && settings.trains($0.info) ? Tensor($0.tensor.shape) : nil }
        }
        first = zeros(true)
        second = zeros(settings.rule != .sgd)
    }

    /// Applies one step in place.
    ///
    /// - Parameters:
    ///   - factor: the schedule's, times the learning rate.
    ///   - threads: share the weights; the result does not depend on them.
    /// - Returns: the norm of the whole gradient before clipping.
    @discardableResult
    public mutating func step(_ model: inout VisionTransformer, gradients: WeightGradients, factor: Double, threads: Int = 1) -> Double {
        steps += 1
        let terms = gradients.parameters
        let s = settings
        let norm = squaredNorm(terms.filter { s.trains($0.info) }.map(\.tensor), threads: threads).squareRoot()
        // The small constant is PyTorch's.
        let scale = s.clipNorm > 0 ? min(1, s.clipNorm / (norm + 1e-6)) : 1
        let top = model.blocks.count + 1
        var i = 0
        model.forEachParameter { info, weight in
            defer { i += 1 }
            guard s.trains(info) else { return }
            var rate = s.learningRate * factor
            for _ in info.layer..<top { rate *= s.layerDecay }
            let isVector = weight.shape.rank < 2 || ["_embed", "_token", ".freqs", "_bias_table"].contains(where: info.name.hasSuffix)
            let decay = Float(isVector && !s.decaysVectors ? 0 : s.weightDecay)
            if s.rule == .sgd {
                sgdStep(
                    &weight, gradient: terms[i].tensor, buffer: &first[i]!, gradientScale: Float(scale), rate: Float(rate),
                    momentum: Float(s.momentum), decay: decay, threads: threads)
            } else {
                adamStep(
                    &weight, gradient: terms[i].tensor, first: &first[i]!, second: &second[i]!, gradientScale: Float(scale),
                    rate: Float(rate), beta1: s.momentum, beta2: s.beta2, epsilon: Float(s.epsilon), step: steps, decay: decay,
                    isDecoupled: s.rule == .adamw, threads: threads)
            }
        }
        return norm
    }
}
