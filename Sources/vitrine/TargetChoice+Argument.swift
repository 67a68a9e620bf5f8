import VitrineModel

extension TargetChoice {
    /// The class that `--target` names: `predicted`, an index, or one of the names of the model's classes.
    init(argument target: String, of loaded: LoadedModel) throws {
        guard target != "predicted" else {
            self = .predicted
            return
        }
        let names = loaded.report.classNames
        guard let index = Int(target) ?? names.firstIndex(of: target) ?? names.firstIndex(where: { $0.lowercased() == target.lowercased() })
        else {
            let known = names.isEmpty ? "none is known; --classes names them" : names.prefix(10).joined(separator: ", ")
            throw CommandFailure("--target \(target) is no index, not 'predicted', and no name of a class (\(known))")
        }
        // A single logit speaks for class 1; where a model has a head at all, the range is checked with the model's own words.
        guard loaded.model.configuration.classes == 1 else {
            self = .fixed(.logit(index))
            return
        }
        guard index == 1 else {
            throw CommandFailure("--target \(target): the model has one logit, that of class 1; explain class 1, or 'predicted'")
        }
        self = .fixed(.logit(0))
    }
}
