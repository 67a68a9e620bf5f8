import VitrineExplain
import VitrineModel

/// The class that `--target` names: an index, the name of a class of the checkpoint, or what the network itself answers.
struct ExplainTarget {
    let choice: TargetChoice
    private let classNames: [String]
    /// A single logit speaks for class 1.
    private let isOneLogit: Bool

    /// - Throws: `CommandFailure`, before any image is read.
    init(_ text: String, _ loaded: LoadedModel) throws {
        let logits = loaded.model.configuration.classes
        classNames = loaded.report.classNames
        isOneLogit = logits == 1
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

    func name(_ index: Int) -> String? { classNames.indices.contains(index) ? classNames[index] : nil }

    /// The class that a target explains.
    func explainedClass(_ target: Target) -> Int { isOneLogit ? 1 : target.classIndex }
}
