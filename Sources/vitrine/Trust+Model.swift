import ArgumentParser
import Foundation
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineModel
import VitrineStore
import VitrineStudy
import VitrineTensor

/// What `vitrine trust` judges besides phantoms: the maps of one model on one set of images.
struct TrustModelOptions: ParsableArguments {
    @Option(
        help: "Judge the maps of this checkpoint: safetensors, .pth, .pt or .bin.", completion: .file(extensions: HelpText.checkpoints))
    var model: String?

    @Option(
        help:
            "Its images: a folder, with a folder per class or with images and masks, or a CSV file with image, label, patient, mask, split.",
        completion: .file())
    var data: String?

    @Option(
        help:
            "Experts' masks, named as the images are (default: those that the data brings; without any, where maps point is not measured).",
        completion: .directory)
    var masks: String?

    @Option(
        name: .customLong("data-option"), parsing: .upToNextOption,
        help: ArgumentHelp("Options of the data set, such as patient-pattern=^(\\w+)_.", valueName: "name=value"))
    var dataOptions: [String] = []

    @Option(help: "The class that is explained: positive, predicted, label, or its index (default: positive, or predicted without labels).")
    var target: String?

    @Option(help: "Preprocessing, as for explain (default: what the checkpoint names, else the data set's own).")
    var preprocess: String?

    @OptionGroup(title: "Model options") var load: ModelOptions

    func validate() throws {
        guard model != nil else {
            let others = [("data", data), ("masks", masks), ("target", target), ("preprocess", preprocess)].filter { $0.1 != nil }
            if let other = others.first { throw ValidationError("--\(other.0) needs --model, whose maps are judged") }
            return
        }
        guard data != nil else { throw ValidationError("--model needs --data, the images on which its maps are judged") }
        guard preprocess == nil || load.preset == nil else { throw ValidationError("--preprocess and --preset: give one of them") }
        if let target, StudyTarget(target) == nil {
            throw ValidationError("--target \(target): is none of positive, predicted, label, or the index of a class")
        }
    }
}

extension Trust {
    /// The mode `--model`: a study of the primary metrics in the output folder, run as far as it is missing, and its report.
    func judge(_ model: String) throws {
        let study = try verdictStudy(model)
        let path = output + (output.hasSuffix("/") ? "" : "/") + "study.yaml"
        try AtomicFile.write(Array(study.text.utf8), to: path)
        if !quiet { complain("\(path): \(study.methods.joined(separator: ", ")) on at most \(study.limit) images") }
        var hadProblems = false
        do { try StudyRun.parse(["--workers", "\(workers)"] + (quiet ? ["--quiet"] : []) + ["--", path]).run() } catch let code as ExitCode
        {
            guard code == .someItemsFailed else { throw code }
            hadProblems = true
        } catch let error as StudyFileError {
            throw CommandFailure(Self.inWordsOfThisCommand(error))
        }
        let folder = PathText.folder(path)
        try StudyReport.parse(["--cards", "--output", folder + "/report", "--workers", "\(workers)", "--", folder + "/results"]).run()
        if hadProblems { throw ExitCode.someItemsFailed }
    }

    private func verdictStudy(_ model: String) throws -> VerdictStudy {
        let data = judged.data ?? ""
        guard FileSystem.exists(data) else { throw CommandFailure("--data \(data): does not exist; check the path") }
        if let masks = judged.masks, !FileSystem.exists(masks) { throw CommandFailure("--masks \(masks): does not exist; check the path") }
        for text in methods where text != "all" && !text.hasPrefix("family:") { _ = try ConfiguredMethod(text) }
        let more = try MetricRegistry.expand(metrics)
        for name in more { _ = try MetricRegistry.metric(name, protocol: .corrected) }
        let loaded = try judged.load.load(model).model
        let (chosen, leftOut) = try ConfiguredMethod.expanded(
            methods.isEmpty ? VerdictStudy.standardMethods : methods, for: loaded.model.configuration)
        for line in Words.leftOut(leftOut) { complain(line) }
        guard chosen.contains(where: { !$0.method.isControl }) else {
            throw CommandFailure("--method \(methods.joined(separator: " ")): holds controls alone; name a method to judge")
        }
        try OutputFolder.make(output)

        let source = try source(data)
        var study = VerdictStudy(model: relative(model), data: relative(source.path), kind: source.kind)
        study.dataName = VerdictStudy.name(data)
        study.options = source.options
        study.masks = judged.masks.map(relative)
        study.hasMasks = source.hasMasks || judged.masks != nil
        if !study.hasMasks { complain("\(data): has no masks; whether maps point at the lesion is not measured (--masks)") }
        study.preprocess = judged.preprocess
        if judged.load.preset != nil {
            let chosen = try ChosenPreprocess(for: loaded, given: judged.preprocess, preset: judged.load.preset)
            study.preprocess = chosen.preprocess.description
            complain("\(model): preprocessing \(chosen.preprocess) (\(chosen.source))")
        }
        study.target = judged.target.flatMap { StudyTarget($0) } ?? (source.hasLabels ? .positive : .predicted)
        study.methods = chosen.map(\.name)
        study.metrics = more
        study.limit = images
        study.seed = seed
        study.settings = judged.load.settings
        for setting in [LoadSetting.head, .adapter] { study.settings[setting] = study.settings[setting].map(relative) }
        return study
    }

    /// Where the images come from, and what comes with them.
    private struct Source {
        var path: String
        var kind: String
        var options: [String: String]
        var hasLabels: Bool
        var hasMasks: Bool
    }

    /// How the images are read: images beside each other, without classes, are listed in a table of their own.
    private func source(_ data: String) throws -> Source {
        let kind = Datasets.kind(of: data)
        let options = Dictionary(try Train.pairs(judged.dataOptions, flag: "--data-option").map { ($0.name, $0.value) }) { $1 }
        do {
            let contents = try Datasets.open(kind, path: data, options: options).contents()
            return Source(
                path: data, kind: kind, options: options, hasLabels: contents.positiveLabel != nil,
                hasMasks: contents.samples.contains { $0.annotation != nil })
        } catch {
            guard kind == "folder", let files = try? InputImages([data], output: output).entries.map(\.path),
                files.allSatisfy({ PathText.folder($0) == PathText.folder(files[0]) })
            else { throw error }
            let table = output + "/images.csv"
            try AtomicFile.write(Array((["image"] + files.map { CSV.field(relative($0)) }).joined(separator: "\n").utf8), to: table)
            return Source(path: table, kind: "csv", options: options, hasLabels: false, hasMasks: false)
        }
    }

    /// A path as seen from the output folder, so that both can move together.
    private func relative(_ path: String) -> String { path.hasPrefix("/") ? path : StudyFolder.relative(path, to: output) }

    /// What the study file says in its own words, for somebody who did not write it.
    private static func inWordsOfThisCommand(_ error: StudyFileError) -> String {
        error.mistakes.map(\.message).joined(separator: "; ")
            .replacing(
                "name the folder or file of the experts' annotations with 'annotations'", with: "name the folder of the masks with --masks"
            )
            .replacing("check the names of the annotations, and split", with: "check the names of the masks (--masks)")
    }
}
