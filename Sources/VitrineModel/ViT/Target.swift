import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The scalar whose cause is asked for : what a gradient is taken of, and which class a relevance starts from.
public enum Target: Sendable, Hashable, Codable, CustomStringConvertible {
    /// `y_c`, the default everywhere.
    case logit(Int)
    /// `softmax(y)_c`, of a single logit its sigmoid. A saturated softmax scales every gradient towards 0.
    case probability(Int)
    /// `y_c - y_d`, the contrast that sees evidence entering through either logit.
    case contrast(Int, Int)

    /// The class that is explained.
    public var classIndex: Int {
        switch self {
        case .logit(let c), .probability(let c), .contrast(let c, _): c
        }
    }

    public var description: String {
        switch self {
        case .logit(let c): "logit \(c)"
        case .probability(let c): "probability \(c)"
        case .contrast(let c, let d): "logit \(c) - logit \(d)"
        }
    }

    func check(classes: Int) throws(ViTError) {
        let indices = if case .contrast(let c, let d) = self { [c, d] } else { [classIndex] }
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
        case .probability(let c):
            guard logits.count > 1 else {
                let p = ViTConfiguration.Probabilities.sigmoid(logits)[c]
                g[c] = p * (1 - p)
                break
            }
            let p = softmax(logits)
            for i in g.indices { g[i] = p[c] * ((i == c ? 1 : 0) - p[i]) }
        }
        return g
    }

    /// The value of the target.
    public func value(logits: [Float]) -> Float {
        switch self {
        case .logit(let c): logits[c]
        case .contrast(let c, let d): logits[c] - logits[d]
        case .probability(let c): (logits.count > 1 ? softmax(logits) : ViTConfiguration.Probabilities.sigmoid(logits))[c]
        }
    }
}

/// How the target of an image is named: outright, or by what the network says of it.
public enum TargetChoice: Sendable, Hashable, Codable {
    case fixed(Target)
    /// The logit of the class with the largest logit (the first of equals).
    case predicted

    /// The target, once the logits are known.
    public func resolved(logits: [Float]) -> Target {
        switch self {
        case .fixed(let target): return target
        case .predicted:
            var best = 0
            for i in logits.indices where logits[i] > logits[best] { best = i }
            return .logit(best)
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
