import Foundation
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineModel

extension StudyFile {
    /// Reads a study file.
    ///
    /// - Parameter overrides: `key=value` with dotted keys, such as `datasets.kvasir.path=data/kvasir`.
    /// - Throws: `StudyFileError` with every mistake and its line.
    public static func read(_ path: String, overrides: [String] = []) throws(StudyFileError) -> StudyFile {
        try parse(text(of: path), path: path, overrides: overrides)
    }

    static func text(of path: String) throws(StudyFileError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StudyFileError(
                path: path, mistakes: [StudyMistake(.line(1), "the file does not exist or cannot be read; check the path")])
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Reads the text of a study file; `path` names it in mistakes.
    public static func parse(_ text: String, path: String, overrides: [String] = []) throws(StudyFileError) -> StudyFile {
        let (study, mistakes) = try collect(text, path: path, overrides: overrides)
        guard mistakes.isEmpty else { throw StudyFileError(path: path, mistakes: mistakes) }
        return study
    }

    /// What can be understood of a study file, and everything that cannot.
    static func collect(
        _ text: String, path: String, overrides: [String]
    ) throws(StudyFileError) -> (study: StudyFile, mistakes: [StudyMistake]) {
        let node = try StudyNode.parse(text, path: path).overridden(by: overrides, path: path)
        var reader = StudyReader()
        let study = StudyFile(node, &reader)
        return (study, reader.mistakes)
    }

    private static let keys = [
        "title", "seed", "target", "datasets", "models", "methods", "metrics", "protocols", "permutations", "stability", "control-grid",
        "batch", "workers", "output",
    ]

    private init(_ node: StudyNode, _ reader: inout StudyReader) {
        let keys = reader.map(node, "a study", known: Self.keys)
        title = reader.text(keys["title"], "title") ?? "Study"
        seed = reader.seed(keys["seed"], "seed") ?? 0
        target = .positive
        if let text = reader.text(keys["target"], "target") {
            if let choice = StudyTarget(text) {
                target = choice
            } else {
                reader.complain(
                    keys["target"]?.place ?? node.place, "target: '\(text)' is none of positive, predicted, label, or the index of a class")
            }
        }
        permutations = reader.integer(keys["permutations"], "permutations", in: 1...1_000_000) ?? 1000
        stabilityDraws = 0
        if let stability = keys["stability"] {
            if case .scalar(let text) = stability.content, Int(text) == nil {
                stabilityDraws = reader.flag(stability, "stability") == true ? 10 : 0
            } else {
                stabilityDraws = reader.integer(stability, "stability", in: 0...1000) ?? 0
            }
        }
        controlGrid = reader.integer(keys["control-grid"], "control-grid", in: 1...1024) ?? 14
        batch = reader.integer(keys["batch"], "batch", in: 1...1024) ?? 1
        workers = reader.integer(keys["workers"], "workers", in: 0...1024) ?? 0
        output = reader.text(keys["output"], "output") ?? "results"
        protocols = []
        for item in reader.items(keys["protocols"], "protocols") {
            guard let rules = reader.choice(item, "protocols", EvaluationProtocol.self) else { continue }
            if protocols.contains(rules) { reader.complain(item.place, "protocol '\(rules.rawValue)' stands twice; keep one") }
            protocols.append(rules)
        }
        if keys["protocols"] == nil { protocols = [.study, .corrected] }
        metrics = Self.metrics(keys["metrics"], &reader)
        methods = Self.methods(keys["methods"], &reader)
        datasets = Self.datasets(keys["datasets"], &reader)
        models = StudyModel.read(keys["models"], datasets: datasets, &reader)
        if protocols.isEmpty {
            reader.complain(keys["protocols"]?.place ?? node.place, "protocols is empty; name study, corrected or both")
        }
        if datasets.isEmpty && (keys["datasets"].map(Self.isEmpty) ?? true) {
            reader.complain(keys["datasets"]?.place ?? node.place, "a study needs at least one data set under 'datasets'")
        }
        if methods.isEmpty && (keys["methods"].map(Self.isEmpty) ?? true) {
            reader.complain(keys["methods"]?.place ?? node.place, "a study needs at least one method under 'methods'")
        }
    }

    private static func isEmpty(_ node: StudyNode) -> Bool {
        switch node.content {
        case .nothing: true
        case .list(let items): items.isEmpty
        case .map(let entries): entries.isEmpty
        case .scalar: false
        }
    }

    private static func metrics(_ node: StudyNode?, _ reader: inout StudyReader) -> [String] {
        guard let node else { return ["pointing-game", "iou@5", "iou@10", "iou@20", "iou@40"] }
        var names: [String] = []
        var texts = Set<String>()
        for (text, place) in reader.texts(node, "metrics") {
            if !texts.insert(text).inserted { reader.complain(place, "metric '\(text)' stands twice; keep one") }
            do throws(MetricError) {
                for name in try MetricRegistry.expand([text]) where !names.contains(name) {
                    _ = try MetricRegistry.metric(name, protocol: .corrected)
                    names.append(name)
                }
            } catch {
                reader.complain(place, "\(error)")
                names.append(text)
            }
        }
        if names.isEmpty { reader.complain(node.place, "metrics is empty; name some, such as pointing-game and iou@5") }
        return names
    }

    /// A method is `name`, `name:option=value,option=value`, or a mapping of its name to a mapping of options.
    private static func methods(_ node: StudyNode?, _ reader: inout StudyReader) -> [StudyMethod] {
        var methods: [StudyMethod] = []
        for item in reader.items(node, "methods") {
            var text = ""
            if case .map(let entries) = item.content {
                guard entries.count == 1 else {
                    reader.complain(item.place, "an item of methods has \(entries.count) names; write one method per item")
                    continue
                }
                let options = reader.entries(entries[0].value, "method '\(entries[0].key)'").compactMap { entry in
                    reader.text(entry.value, "option '\(entry.key)'").map { "\(entry.key)=\($0)" }
                }
                text = entries[0].key + (options.isEmpty ? "" : ":" + options.joined(separator: ","))
            } else {
                guard let name = reader.text(item, "an item of methods") else { continue }
                text = name
            }
            if methods.contains(where: { $0.name == text }) {
                reader.complain(item.place, "method '\(text)' stands twice; keep one")
                continue
            }
            if text == StudyMethod.maskPriorName {
                methods.append(.maskPrior)
                continue
            }
            do throws(MethodError) {
                let method = try ConfiguredMethod(text)
                if method.targetText != nil {
                    reader.complain(item.place, "method '\(text)': a study explains one class per image, which its key 'target' names")
                    continue
                }
                methods.append(.explainer(method))
            } catch {
                if case .unknown(let name, let known) = error {
                    let all = known + [StudyMethod.maskPriorName]
                    reader.complain(item.place, "\(MethodError.unknown(name, known: all))")
                } else {
                    reader.complain(item.place, "\(error)")
                }
            }
        }
        return methods
    }

    // MARK: Data sets

    private static let datasetKeys = ["kind", "path", "split", "draw-split", "preprocess", "explain", "others", "limit", "limit-by"]

    private static func datasets(_ node: StudyNode?, _ reader: inout StudyReader) -> [StudyDataset] {
        guard let node else { return [] }
        return reader.entries(node, "datasets").compactMap { dataset($0, &reader) }
    }

    private static func dataset(_ entry: StudyNode.Entry, _ reader: inout StudyReader) -> StudyDataset? {
        let name = entry.key
        let what = "data set '\(name)'"
        if name.isEmpty || name.contains("/") || name.hasPrefix(".") {
            reader.complain(entry.place, "\(what): a name becomes part of file names; use letters, digits and hyphens")
        }
        let all = reader.map(entry.value, what, known: nil)
        let known = Datasets.all.map { $0.information.identifier }
        var kind = known.contains(name) ? name : nil
        if let text = reader.text(all["kind"], "\(what), kind") {
            kind = text
            if !known.contains(text) {
                reader.complain(all["kind"]?.place ?? entry.place, "\(what): kind '\(text)' is none of \(known.joined(separator: ", "))")
                return nil
            }
        }
        guard let path = reader.text(all["path"], "\(what), path") else {
            if all["path"] == nil { reader.complain(entry.place, "\(what) needs a path") }
            return nil
        }
        let kindUsed = kind ?? Datasets.kind(of: path)
        guard let information = Datasets.all.first(where: { $0.information.identifier == kindUsed })?.information else { return nil }
        let adapterOptions = (information.options + DatasetOptions.common).map(\.name).filter { $0 != "split" && $0 != "missing" }
        let allowed = datasetKeys + adapterOptions
        var options: [String: String] = [:]
        for item in reader.entries(entry.value, what) {
            guard allowed.contains(item.key) else {
                reader.complain(item.place, "\(what) has no key '\(item.key)'; it has \(allowed.joined(separator: ", "))")
                continue
            }
            guard adapterOptions.contains(item.key) else { continue }
            let parts = reader.texts(item.value, "\(what), \(item.key)").map(\.text)
            options[item.key] = parts.joined(separator: ",")
        }
        // A listed file that is missing is found when it is read, and recorded; the rest of the study goes on.
        options["missing"] = "keep"
        var split: [Split]?
        if let node = all["split"] {
            split = reader.texts(node, "\(what), split").flatMap { text, place -> [Split] in
                if text == "all" { return Split.allCases }
                if let side = Split(name: text) { return [side] }
                reader.complain(place, "\(what), split: '\(text)' is none of train, validation, test, all")
                return []
            }
        }
        var preprocess: Preprocess?
        if let text = reader.text(all["preprocess"], "\(what), preprocess") {
            do { preprocess = try Preprocess(parsing: text, defaultSize: 224) } catch {
                reader.complain(all["preprocess"]?.place ?? entry.place, "\(what): \(error)")
            }
        }
        return StudyDataset(
            name: name, kind: kindUsed, path: path, options: options, split: split, drawn: drawnSplit(all["draw-split"], what, &reader),
            preprocess: preprocess, explained: reader.choice(all["explain"], "\(what), explain", StudyDataset.Explained.self) ?? .positives,
            others: reader.choice(all["others"], "\(what), others", StudyDataset.Others.self) ?? .predict,
            limit: reader.integer(all["limit"], "\(what), limit", in: 1...Int.max),
            limitRule: reader.choice(all["limit-by"], "\(what), limit-by", StudyDataset.LimitRule.self),
            place: all["path"]?.place ?? entry.place)
    }

    private static func drawnSplit(_ node: StudyNode?, _ what: String, _ reader: inout StudyReader) -> StudyDataset.DrawnSplit? {
        guard let node else { return nil }
        let keys = reader.map(node, "\(what), draw-split", known: ["validation", "test", "seed"])
        let validation = reader.share(keys["validation"], "\(what), draw-split, validation") ?? 0
        let test = reader.share(keys["test"], "\(what), draw-split, test") ?? 0
        if validation + test >= 1 || test == 0 {
            reader.complain(
                node.place,
                "\(what), draw-split: shares of \(validation) for validation and \(test) for test; test is above 0, their sum below 1")
        }
        return .init(
            validation: validation, test: test,
            seed: reader.seed(keys["seed"], "\(what), draw-split, seed") ?? 0)
    }
}

extension StudyModel {
    private static let keys =
        [
            "name", "path", "pattern", "init", "train", "random-weights", "seed", "datasets",
        ] + LoadSetting.allCases.map(\.rawValue)
    private static let sources = ["path", "pattern", "train", "random-weights"]

    /// The columns of all entries; a pattern with several initialisations gives one column each.
    static func read(_ node: StudyNode?, datasets: [StudyDataset], _ reader: inout StudyReader) -> [StudyModel] {
        var models: [StudyModel] = []
        for item in reader.items(node, "models") {
            for model in entry(item, &reader) {
                if model.name == "none" || model.name.isEmpty {
                    reader.complain(model.place, "a model cannot be called '\(model.name)'; choose another name")
                }
                if case .trained = model.source, model.name.contains("/") || model.name.hasPrefix(".") {
                    reader.complain(model.place, "model '\(model.name)': the name becomes a folder; use letters, digits and hyphens")
                }
                if models.contains(where: { $0.name == model.name }) {
                    reader.complain(model.place, "model '\(model.name)' stands twice; give each a name of its own")
                }
                for name in model.datasets ?? [] where !datasets.contains(where: { $0.name == name }) {
                    reader.complain(
                        model.place,
                        "model '\(model.name)': there is no data set '\(name)'; there are \(datasets.map(\.name).joined(separator: ", "))")
                }
                models.append(model)
            }
        }
        for model in models {
            guard case .randomWeights(let other, _) = model.source else { continue }
            let source = models.first { $0.name == other }?.source
            if source?.hasArchitecture != true {
                reader.complain(
                    model.place, "model '\(model.name)': random-weights names the model whose architecture it takes, and '\(other)' is none"
                )
            }
        }
        return models
    }

    private static func entry(_ node: StudyNode, _ reader: inout StudyReader) -> [StudyModel] {
        if case .scalar(let path) = node.content { return [named(nil, path: path, place: node.place)] }
        let keys = reader.map(node, "a model", known: Self.keys)
        let sources = Self.sources.filter { keys[$0] != nil }
        guard sources.count == 1 else {
            let found = sources.isEmpty ? "none" : sources.joined(separator: " and ")
            reader.complain(node.place, "a model needs exactly one of \(Self.sources.joined(separator: ", ")); it has \(found)")
            return []
        }
        let name = reader.text(keys["name"], "a model's name")
        var models: [StudyModel] = []
        if let path = reader.text(keys["path"], "a model's path") {
            models = [named(name, path: path, place: node.place)]
        } else if let pattern = reader.text(keys["pattern"], "a model's pattern") {
            models = expanded(pattern, name: name, initialisations: keys["init"], place: keys["pattern"]?.place ?? node.place, &reader)
        } else if let training = keys["train"] {
            models = trained(StudyTraining(training, &reader), name: name, initialisations: keys["init"], place: node.place, &reader)
        } else if let other = reader.text(keys["random-weights"], "random-weights") {
            let seed = reader.seed(keys["seed"], "a model's seed") ?? 0
            models = [
                StudyModel(name: name ?? "random-weights", source: .randomWeights(like: other, seed: seed), place: node.place)
            ]
        }
        if let seed = keys["seed"], keys["random-weights"] == nil {
            let hint = keys["train"] == nil ? "a checkpoint has none" : "a model that is trained has its own under 'train'"
            reader.complain(seed.place, "seed belongs to random-weights; \(hint)")
        }
        if let list = keys["init"], keys["pattern"] == nil && keys["train"] == nil {
            reader.complain(list.place, "init belongs to a pattern, or to a training, with {init}")
        }
        let datasets = keys["datasets"].map { reader.texts($0, "a model's datasets").map(\.text) }
        var settings: [LoadSetting: String] = [:]
        for setting in LoadSetting.allCases {
            guard let item = keys[setting.rawValue] else { continue }
            let texts = reader.texts(item, setting.rawValue).map(\.text)
            guard !texts.isEmpty else { continue }
            let text = texts.joined(separator: ",")
            var options = LoadOptions()
            do { try options.set(setting, to: text) } catch { reader.complain(item.place, "\(error)") }
            settings[setting] = text
        }
        for i in models.indices {
            models[i].datasets = datasets
            models[i].settings = settings
        }
        return models
    }

    private static func named(_ name: String?, path: String, place: StudyPlace) -> StudyModel {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.contains(".") ? String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)]) : file
        return StudyModel(name: name ?? stem, source: .checkpoint(path), place: place)
    }

    private static func expanded(
        _ pattern: String, name: String?, initialisations: StudyNode?, place: StudyPlace, _ reader: inout StudyReader
    ) -> [StudyModel] {
        for word in placeholders(pattern) where word != "dataset" && word != "init" {
            reader.complain(place, "pattern '\(pattern)': '{\(word)}' is none of {dataset}, {init}")
        }
        let needsOne = pattern.contains("{init}")
        guard let values = fillings("pattern '\(pattern)'", needsOne: needsOne, initialisations, place, &reader) else {
            return needsOne ? [] : [named(name, path: pattern, place: place)]
        }
        return values.map { value, place in
            StudyModel(
                name: name.map { "\($0)-\(value)" } ?? value, source: .checkpoint(pattern.replacing("{init}", with: value)), place: place)
        }
    }

    private static func trained(
        _ training: StudyTraining, name: String?, initialisations: StudyNode?, place: StudyPlace, _ reader: inout StudyReader
    ) -> [StudyModel] {
        let needsOne = training.needsInitialisation
        guard let values = fillings("train", needsOne: needsOne, initialisations, training.place, &reader) else {
            return needsOne ? [] : [StudyModel(name: name ?? "trained", source: .trained(training), place: place)]
        }
        return values.map { value, place in
            StudyModel(
                name: name.map { "\($0)-\(value)" } ?? value, source: .trained(training.filled(initialisation: value)), place: place)
        }
    }

    /// What fills in `{init}`, with places; nil where there is nothing to fill in, or nothing to fill it in with.
    private static func fillings(
        _ what: String, needsOne: Bool, _ initialisations: StudyNode?, _ place: StudyPlace, _ reader: inout StudyReader
    ) -> [(text: String, place: StudyPlace)]? {
        guard needsOne else {
            if let initialisations { reader.complain(initialisations.place, "\(what) has no {init} to fill in") }
            return nil
        }
        let values = reader.texts(initialisations, "init")
        guard !values.isEmpty else {
            reader.complain(place, "\(what) needs a list 'init', such as init: [scratch, sup, dino, mae]")
            return nil
        }
        for value in values where value.text.contains(where: { $0 == "{" || $0 == "}" }) {
            reader.complain(value.place, "init '\(value.text)' holds a brace; a name that fills in {init} may not")
        }
        return values
    }

    /// The words in braces.
    static func placeholders(_ text: String) -> [Substring] {
        var words: [Substring] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let close = rest[open...].firstIndex(of: "}") ?? rest.endIndex
            words.append(rest[rest.index(after: open)..<close])
            rest = close == rest.endIndex ? "" : rest[rest.index(after: close)...]
        }
        return words
    }
}
