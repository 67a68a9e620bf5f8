import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The scalar whose cause is asked for: what a gradient is taken of, and which class a relevance starts from.
public enum Target: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `y_c`, the default everywhere.
    case logit(Int)
    /// `softmax(y)_c`, of a single logit its sigmoid. A saturated softmax scales every gradient towards 0.
    case probability(Int)
    /// `1 / (1 + e^(-y_c))`: the probability of a class that stands for itself, under a head of several labels.
    case sigmoid(Int)
    /// `softmax(tanh y)_c`, of a single logit `1 / (1 + e^(-tanh y))`: the probability under a classifier that ends in a Tanh.
    case boundedProbability(Int)
    /// `y_c - y_d`, the contrast that sees evidence entering through either logit.
    case contrast(Int, Int)

    /// `sum_k w_k y_k`, the terms in the order of their classes, each class once.
    case linear([Term])

    /// A class and what its logit counts.
    public struct Term: Sendable, Hashable, Codable {
        public var classIndex: Int
        public var weight: Float

        public init(_ classIndex: Int, _ weight: Float) {
            self.classIndex = classIndex
            self.weight = weight
        }
    }

    /// The class that is explained: of a linear target, the one that counts most (the first of equals).
    public var classIndex: Int {
        switch self {
        case .logit(let c), .probability(let c), .sigmoid(let c), .boundedProbability(let c), .contrast(let c, _): c
        case .linear(let terms): terms.reduce((-1, -Float.infinity)) { $1.weight > $0.1 ? ($1.classIndex, $1.weight) : $0 }.0
        }
    }

    public var description: String {
        switch self {
        case .logit(let c): "logit \(c)"
        case .probability(let c), .sigmoid(let c), .boundedProbability(let c): "probability \(c)"
        case .contrast(let c, let d): "logit \(c) - logit \(d)"
        case .linear(let terms):
            terms.map { "\($0.weight < 0 ? "- " : "+ ")\(abs($0.weight)) logit \($0.classIndex)" }.joined(separator: " ")
        }
    }

    /// More than one class's own logit or probability.
    public var isSum: Bool {
        switch self {
        case .logit, .probability, .sigmoid, .boundedProbability: false
        case .contrast, .linear: true
        }
    }

    func check(classes: Int) throws(ViTError) {
        let indices =
            switch self {
            case .logit(let c), .probability(let c), .sigmoid(let c), .boundedProbability(let c): [c]
            case .contrast(let c, let d): [c, d]
            case .linear(let terms): terms.isEmpty ? [-1] : terms.map(\.classIndex)
            }
        for i in indices where i < 0 || i >= classes { throw .targetOutOfRange(target: i, classes: classes) }
    }

    /// The derivative of the target by each logit.
    public func gradient(logits: [Float]) -> [Float] {
        var g = [Float](repeating: 0, count: logits.count)
        switch self {
        case .logit(let c): g[c] = 1
        case .contrast(let c, let d):
            g[c] += 1
            g[d] -= 1
        case .linear(let terms): for term in terms { g[term.classIndex] += term.weight }
        case .probability(let c):
            guard logits.count > 1 else { return Target.sigmoid(c).gradient(logits: logits) }
            let p = softmax(logits)
            for i in g.indices { g[i] = p[c] * ((i == c ? 1 : 0) - p[i]) }
        case .sigmoid(let c):
            let p = ViTConfiguration.Probabilities.sigmoid(logits)[c]
            g[c] = p * (1 - p)
        case .boundedProbability(let c):
            let inner = logits.map { bounded(Double($0)) }
            let outer = Target.probability(c).gradient(logits: inner.map { Float($0) })
            for i in g.indices { g[i] = Float(Double(outer[i]) * (1 - inner[i] * inner[i])) }
        }
        return g
    }

    /// The target under a head whose logits mean this: a probability is the head's own kind of probability.
    public func under(_ probabilities: ViTConfiguration.Probabilities) -> Target {
        switch (self, probabilities) {
        case (.probability(let c), .sigmoid): .sigmoid(c)
        case (.probability(let c), .tanh): .boundedProbability(c)
        default: self
        }
    }

    /// The value of the target.
    public func value(logits: [Float]) -> Float {
        switch self {
        case .logit(let c): logits[c]
        case .contrast(let c, let d): logits[c] - logits[d]
        case .linear(let terms): terms.reduce(0) { $0 + $1.weight * logits[$1.classIndex] }
        case .probability(let c): (logits.count > 1 ? softmax(logits) : ViTConfiguration.Probabilities.sigmoid(logits))[c]
        case .sigmoid(let c): ViTConfiguration.Probabilities.sigmoid(logits)[c]
        case .boundedProbability(let c): ViTConfiguration.Probabilities.tanh(logits)[logits.count > 1 ? c : 0]
        }
    }
}

/// How the target of an image is named: outright, or by what the network says of it.
public enum TargetChoice: Sendable, Hashable, Codable {
    case fixed(Target)
    /// The logit of the class with the largest logit (the first of equals).
    case predicted
    /// What sets a class apart from its nearest neighbours: `sum_k p_k (y_c - y_k) / sum_k p_k` over the (at most three) other classes whose
    /// logits are closest, p this image's probabilities, held fixed (Finer-CAM, arXiv:2501.11309). Nil: the predicted class.
    case nearest(to: Int?)

    /// The target, once the logits are known.
    ///
    /// - Parameter probabilities: what the head's logits mean.
    public func resolved(logits: [Float], _ probabilities: ViTConfiguration.Probabilities = .softmax) -> Target {
        switch self {
        case .fixed(let target): return target.under(probabilities)
        case .predicted:
            var best = 0
            for i in logits.indices where logits[i] > logits[best] { best = i }
            return .logit(best)
        case .nearest(let named):
            guard case .logit(let predicted) = TargetChoice.predicted.resolved(logits: logits) else { return .logit(0) }
            let c = named ?? predicted
            guard logits.count > 1, logits.indices.contains(c) else { return .logit(c) }
            let others = logits.indices.filter { $0 != c }.sorted { (abs(logits[$0] - logits[c]), $0) < (abs(logits[$1] - logits[c]), $1) }
            let near = others.prefix(3)
            let p = probabilities(logits)
            let total = near.reduce(0) { $0 + p[$1] }
            // Where the neighbours have no probability left to tell them apart they count alike.
            let terms = near.map { Target.Term($0, total > 0 ? -p[$0] / total : -1 / Float(near.count)) }
            return .linear((terms + [Target.Term(c, 1)]).sorted { $0.classIndex < $1.classIndex })
        }
    }
}

/// Class probabilities of one image's logits, computed in Float64.
public func softmax(_ logits: [Float]) -> [Float] {
    let top = Double(logits.max() ?? 0)
    let e = logits.map { exp(Double($0) - top) }
    let total = e.reduce(0, +)
    return e.map { Float($0 / total) }
}
