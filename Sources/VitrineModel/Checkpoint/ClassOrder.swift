/// Which logit of a model stands for which class of a data set: by name where both have names, by index otherwise.
public struct ClassOrder: Sendable, Equatable {
    /// Logits in the order of the data set's classes, then those of classes that the data set does not have.
    public let logits: [Int]
    /// A single logit: the probability of class 1 against class 0.
    public let isSingle: Bool

    /// - Parameters:
    ///   - model: names of the model's classes in the order of its logits; empty where they are not known.
    ///   - dataset: names of the data set's classes by their index.
    ///   - count: logits of the model.
    /// - Throws: `ClassOrderError` where both have names and a class of the data set is not among the model's.
    public init(model: [String], dataset: [String], count: Int) throws(ClassOrderError) {
        isSingle = count == 1
        let known = model.map(Self.plain)
        let wanted = dataset.map(Self.plain)
        // LABEL_0, class 0 and 0 are no names.
        let hasNames =
            !known.isEmpty && !known.enumerated().allSatisfy { i, name in ["label\(i)", "class\(i)", "\(i)", "c\(i)"].contains(name) }
        guard count > 0, hasNames, wanted.count > 1, known != wanted else {
            logits = Array(0..<max(count, 0))
            return
        }
        var order: [Int] = []
        for name in wanted {
            guard let place = known.firstIndex(of: name), !order.contains(place) else {
                throw ClassOrderError(model: model, dataset: dataset)
            }
            order.append(place)
        }
        guard !isSingle || order == [0, 1] else { throw ClassOrderError(model: model, dataset: dataset) }
        logits = isSingle ? [0] : order + (0..<count).filter { !order.contains($0) }
    }

    /// Logit i stands for class i.
    public static func byIndex(count: Int) -> ClassOrder { ClassOrder(logits: Array(0..<max(count, 0)), isSingle: count == 1) }

    private init(logits: [Int], isSingle: Bool) {
        self.logits = logits
        self.isSingle = isSingle
    }

    /// The logit of a class of the data set; nil where the model has none for it.
    public func logit(of label: Int) -> Int? {
        if isSingle { return label == 1 ? 0 : nil }
        return logits.indices.contains(label) ? logits[label] : nil
    }

    /// The target for a class of the data set.
    public func target(_ choice: TargetChoice) -> TargetChoice? {
        guard case .fixed(.logit(let label)) = choice else { return choice }
        return logit(of: label).map { .fixed(.logit($0)) }
    }

    /// Probabilities in the data set's order, of class 0 and 1 for a single logit, and the class that the model decides for.
    public func decision(_ values: [Float], _ configuration: ViTConfiguration) -> (probabilities: [Float], predicted: Int) {
        let probabilities = configuration.probabilities(values)
        let predicted = configuration.predictedClass(values)
        if isSingle { return ([1 - probabilities[0], probabilities[0]], predicted) }
        return (logits.map { probabilities[$0] }, logits.firstIndex(of: predicted) ?? predicted)
    }

    /// A name without case, blanks, hyphens and underscores.
    private static func plain(_ name: String) -> String { String(name.lowercased().filter { $0.isLetter || $0.isNumber }) }
}

/// A model and a data set whose classes have other names.
public struct ClassOrderError: Error, Equatable, CustomStringConvertible {
    public let model: [String]
    public let dataset: [String]

    public var description: String {
        "the model's classes are \(enumerated(model)), the data set's are \(enumerated(dataset)); "
            + "name the model's classes as the data set does, in the order of its logits"
    }
}
