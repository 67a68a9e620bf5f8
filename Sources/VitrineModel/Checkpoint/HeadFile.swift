import VitrineTensor

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A head in a file of its own: a linear probe trained on features, or the vectors of texts, one for each class.
///
/// A probe is a matrix called `weight` or `coef_`, perhaps behind a prefix, and its `bias` or `intercept_`, in any format of a checkpoint.
/// Text vectors are one matrix of another name, or an `.npy` file; beside them may stand `logit_scale` (its logarithm, as in checkpoints) and
/// `logit_bias`. Names of the classes come from the metadata (`classes`, a JSON list), or from a `.txt` (a name a line) or `.json` file of the
/// same name beside it.
public struct HeadFile: Sendable {
    enum Kind: Sendable {
        case probe(bias: Tensor?)
        case texts(logScale: Float?, bias: Float?)
    }

    public let path: String
    public let sha256: String
    let kind: Kind
    /// `[classes, inputs]`.
    let weight: Tensor
    public let classNames: [String]

    var classes: Int { weight.shape[0] }
    var inputs: Int { weight.shape[1] }
    var isTexts: Bool { if case .texts = kind { true } else { false } }

    /// - Throws: `CheckpointError` for a file that cannot be read, `LoadError.head` for one that holds no head.
    public init(path: String) throws {
        let file = try Checkpoint.open(path)
        func fault(_ reason: String) -> LoadError { .head(path: path, reason: reason) }
        func last(_ name: String) -> String { name.split { $0 == "." || $0 == "/" }.last.map(String.init) ?? name }
        var (matrices, vectors, scalars): ([TensorEntry], [TensorEntry], [String: Float]) = ([], [], [:])
        for entry in file.tensors.values.sorted(by: { $0.name < $1.name }) {
            let name = last(entry.name)
            if name == "logit_scale" || name == "logit_bias" {
                guard entry.count == 1 else { throw fault("'\(shortened(entry.name))' has \(entry.count) values, not one") }
                scalars[name] = try entry.tensor().values[0]
            } else if entry.shape.count == 2 {
                matrices.append(entry)
            } else {
                vectors.append(entry)
            }
        }
        guard matrices.count == 1, let matrix = matrices.first, !matrix.shape.contains(0) else {
            throw fault("holds \(matrices.count) matrices (\(enumerated(matrices.map(\.name)))); a head is one, [classes, features]")
        }
        let isProbe = ["weight", "coef_"].contains(last(matrix.name))
        var bias: Tensor?
        for vector in vectors {
            guard isProbe, bias == nil, ["bias", "intercept_"].contains(last(vector.name)), vector.count == matrix.shape[0] else {
                throw fault(
                    "holds '\(shortened(vector.name))' of shape \(vector.shape) beside a matrix of \(matrix.shape), and that is no bias")
            }
            bias = try vector.tensor().reshaped([vector.count])
        }
        guard !isProbe || scalars.isEmpty else { throw fault("holds a linear probe and a scale for text vectors: only one can be meant") }
        self.path = path
        sha256 = file.sha256()
        weight = try matrix.tensor()
        kind = isProbe ? .probe(bias: bias) : .texts(logScale: scalars["logit_scale"], bias: scalars["logit_bias"])
        guard weight.values.allSatisfy(\.isFinite), bias?.values.allSatisfy(\.isFinite) ?? true else {
            throw fault("holds a value that is no number")
        }
        classNames = try Self.names(file, count: matrix.shape[0])
    }

    private static func names(_ file: CheckpointFile, count: Int) throws(LoadError) -> [String] {
        let stem = file.path.lastIndex(of: ".").map { String(file.path[..<$0]) } ?? file.path
        func text(_ path: String) -> [UInt8]? {
            guard path != file.path, let file = try? MappedFile(path: path), file.count <= 4 << 20 else { return nil }
            return file.bytes(0..<file.count)
        }
        var (names, source): ([String]?, String) = (nil, file.path)
        if let stored = file.metadata["classes"] ?? file.metadata[VisionTransformer.classNamesKey] {
            names = try? JSONDecoder().decode([String].self, from: Data(stored.utf8))
        } else if let lines = text(stem + ".txt") {
            source = stem + ".txt"
            names = String(decoding: lines, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        } else if let list = text(stem + ".json") {
            source = stem + ".json"
            names = try? JSONDecoder().decode([String].self, from: Data(list))
        } else {
            return []
        }
        guard let names, names.count == count || count == 1 && names.count == 2 else {
            throw .head(path: source, reason: "names \(names?.count ?? 0) classes, and the head has \(count)")
        }
        return names
    }

    /// Puts the head behind what the model pools.
    ///
    /// - Parameters:
    ///   - stored: scale (its logarithm) and bias of text heads that the checkpoint holds.
    ///   - unit: whether a probe reads features of length 1.
    /// - Throws: `LoadError.head` where the widths disagree or a text has no direction.
    func attach(
        to model: inout VisionTransformer, stored: (logScale: Float?, bias: Float?), unit: Bool, facts: inout [ModelFact]
    ) throws(LoadError) {
        let width = model.configuration.featureWidth
        guard inputs == width else {
            let words = model.configuration.projectionWidth > 0 ? "projects to" : "pools"
            throw .head(
                path: path,
                reason: "reads \(inputs) values (shape \(weight.shape)), and the model \(words) \(width)"
                    + (classes == width ? "; the matrix may have to be transposed" : ""))
        }
        func fact(_ name: String, _ value: String, _ origin: ModelFact.Origin, _ setting: LoadSetting? = .head) {
            facts.append(ModelFact(name, value, origin, setting: setting))
        }
        model.configuration.classes = classes
        let digest = "SHA-256 \(sha256.prefix(16))"
        switch kind {
        case .probe(let bias):
            model.configuration.hasUnitFeatures = unit
            model.head = Linear(weight: weight, bias: bias)
            model.configuration.probabilities = classes == 1 ? .sigmoid : .softmax
            fact("head", "a linear probe of \(classes) classes (\(digest))", .given)
        case .texts(let ownScale, let ownBias):
            let logScale = ownScale ?? stored.logScale
            let bias = ownBias ?? stored.bias
            let scale = logScale.map { Float(exp(Double($0))) } ?? 1
            var rows: [Float] = []
            for c in 0..<classes {
                let row = weight[c].values
                let length = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                guard length > 0 else { throw .head(path: path, reason: "text vector \(c) is 0") }
                rows += row.map { Float(Double(scale) * Double($0) / length) }
            }
            model.configuration.hasUnitFeatures = true
            model.head = Linear(
                weight: Tensor([classes, inputs], rows), bias: bias.map { Tensor([classes], [Float](repeating: $0, count: classes)) })
            model.configuration.probabilities = bias != nil || classes == 1 ? .sigmoid : .softmax
            fact("head", "\(classes) text vectors (\(digest))", .given)
            if logScale != nil {
                fact("scale of the logits", "\(scale)", .tensors, nil)
            } else {
                fact("scale of the logits", "1: logits are cosines", .convention(reason: "there is no logit_scale"), nil)
            }
        }
    }
}
