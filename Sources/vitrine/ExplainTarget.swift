import VitrineExplain
import VitrineModel

/// The class that `--target` names: an index, the name of a class of the checkpoint, or what the network itself answers.
struct ExplainTarget {
    let choice: TargetChoice
    private let classNames: [String]
    /// A single logit speaks for class 1.
    private let isOneLogit: Bool

    /// - Throws: `CommandFailure`, before any image is read.
    init(_ text: String, _ loaded: LoadedModel, expression: String? = nil) throws {
        let logits = loaded.model.configuration.classes
        classNames = loaded.report.classNames
        isOneLogit = logits == 1
        if let expression {
            guard let target = Target(expression: expression) else {
                throw CommandFailure(
                    "--target-expression '\(expression)': is no sum of logits, such as 'y1 - 0.5 y0 - 0.5 y2', each class once")
            }
            if case .linear(let terms) = target, let term = terms.first(where: { !(0..<logits).contains($0.classIndex) }) {
                throw CommandFailure("--target-expression '\(expression)': the model has \(logits) logits, and none is y\(term.classIndex)")
            }
            choice = .fixed(target)
            return
        }
        if text == "contrast" || text.hasPrefix("contrast:") {
            guard logits > 1 else {
                throw CommandFailure("--target \(text): takes a model of two classes or more; this one has \(logits) logits")
            }
            var named: Int?
            if text != "contrast",
                case .fixed(.logit(let index)) = try ExplainTarget(String(text.dropFirst("contrast:".count)), loaded).choice
            {
                named = index
            }
            choice = .nearest(to: named)
            return
        }
        if text == "predicted" {
            choice = .predicted
            return
        }
        guard logits > 0 else {
            throw CommandFailure("--target \(text): this checkpoint is a backbone without classes; leave --target out, or fine-tune it")
        }
        let last = isOneLogit ? 1 : logits - 1
        let names = classNames.isEmpty ? "" : " (\(classNames.enumerated().map { "\($0.offset) \($0.element)" }.joined(separator: ", ")))"
        let named = classNames.firstIndex(of: text) ?? classNames.firstIndex { $0.lowercased() == text.lowercased() }
        guard let index = named ?? Int(text) else {
            throw CommandFailure(
                "--target \(text): is neither 'predicted' nor a class of the model: it has 0...\(last)\(names)"
                    + (classNames.isEmpty ? "; --classes names them" : ""))
        }
        guard (0...last).contains(index) else { throw CommandFailure("--target \(text): the model has classes 0...\(last)\(names)") }
        guard !isOneLogit || index == 1 else {
            throw CommandFailure("--target \(text): the model has one logit, that of class 1; explain class 1, or 'predicted'")
        }
        choice = .fixed(.logit(isOneLogit ? 0 : index))
    }

    /// Methods under targets of their own: those that name one, and, where the command line names several, all class-specific ones.
    ///
    /// - Parameter all: the targets of the command line; this one is the first.
    func applied(to methods: [ConfiguredMethod], all: [String], _ loaded: LoadedModel) throws -> [ConfiguredMethod] {
        func label(_ text: String, _ target: ExplainTarget) -> String {
            // Commas end an option, so a class is called by its number.
            if case .fixed(let fixed) = target.choice { "\(target.explainedClass(fixed))" } else { text }
        }
        var applied: [ConfiguredMethod] = []
        for method in methods {
            var own: [(method: ConfiguredMethod, target: ExplainTarget)] = []
            if let text = method.targetText {
                own = [(method, try ExplainTarget(text, loaded))]
            } else if all.count > 1 && method.method.isClassSpecific {
                own = try all.map { text in
                    let target = try ExplainTarget(text, loaded)
                    return (method.explaining(label(text, target)), target)
                }
            }
            // The images' own target needs no plan of its own.
            applied += own.map { method, target in
                var method = method
                method.target = target.choice == choice ? nil : target.choice
                return method
            }
            if own.isEmpty { applied.append(method) }
        }
        let names = applied.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw CommandFailure("--target: method '\(twice)' explains one class twice; name each class once")
        }
        return applied
    }

    func name(_ index: Int) -> String? { classNames.indices.contains(index) ? classNames[index] : nil }

    /// A probability for each class, of class 0 and 1 for a single logit, and the class that the model decides for.
    func decision(_ logits: [Float], _ configuration: ViTConfiguration) -> (probabilities: [Float], predicted: Int) {
        ClassOrder.byIndex(count: configuration.classes).decision(logits, configuration)
    }

    /// The class that a target explains.
    func explainedClass(_ target: Target) -> Int { isOneLogit ? 1 : target.classIndex }
}
