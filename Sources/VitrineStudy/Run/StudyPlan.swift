import Foundation
import VitrineData
import VitrineEvaluate
import VitrineModel
import VitrineStore

/// A study with its data sets opened: what will be computed, in a stable order.
public struct StudyPlan: Sendable {
    public let file: StudyFile
    /// Folder that relative paths start from.
    public let folder: String
    public let store: StorePlan
    /// In the order of the study.
    let sources: [DatasetSource]
    /// Models to be trained, by their path below the results.
    let trainings: [String: PlannedTraining]
    /// What was left out of the data sets, and how they were understood.
    public let notes: [DataNote]

    /// A data set with the samples that take part.
    struct DatasetSource: Sendable {
        let id: Int
        let settings: StudyDataset
        let information: DatasetInformation
        /// False for masks alone.
        let hasImages: Bool
        /// False where no image has a mask and nothing is compared with one: what is asked of the model alone can still be asked.
        let hasMasks: Bool
        let positiveLabel: Int?
        /// By their id minus `firstSample`.
        let samples: [Sample]
        let firstSample: Int
        let roles: [SampleRecord.Role]

        /// What a model sees when the checkpoint names nothing, and what the controls see.
        var preprocess: Preprocess { settings.preprocess ?? information.preprocess }

        func sample(_ id: Int) -> Sample { samples[id - firstSample] }
        func ids(_ role: SampleRecord.Role) -> [Int] { samples.indices.filter { roles[$0] == role }.map { firstSample + $0 } }
    }

    /// Opens the data sets and lists what is to be done.
    ///
    /// - Parameters:
    ///   - path: of the study file, for mistakes; relative paths start from its folder.
    /// - Throws: `StudyFileError`, with everything that is missing or contradictory, at the line that asks for it.
    public init(_ file: StudyFile, path: String) throws(StudyFileError) {
        try self.init(file, path: path, mistakes: [])
    }

    /// Reads a study file and opens what it names; a store in its output folder that an older version began keeps its draw of images.
    ///
    /// - Throws: `StudyFileError` with every mistake at once, those of the text and those that show when files are looked for.
    public static func read(_ path: String, overrides: [String] = []) throws(StudyFileError) -> StudyPlan {
        var (file, mistakes) = try StudyFile.collect(StudyFile.text(of: path), path: path, overrides: overrides)
        if let stored = stored(resolve(file.output, parent(path, or: ""))) { file = file.keepingDraws(of: stored) }
        return try StudyPlan(file, path: path, mistakes: mistakes)
    }

    /// The study of a store in the folder, as far as it can be read; what is wrong with a store is said when it is opened for work.
    private static func stored(_ folder: String) -> StudyFile? {
        for path in (try? StudyStores(folder: folder))?.paths ?? [] {
            guard let store = try? Store.open(path) else { continue }
            defer { try? store.close() }
            guard let text = try? store.study(StudyKey.resolved) else { continue }
            if let file = try? StudyFile.collect(text, path: path, overrides: []).study { return file }
        }
        return nil
    }

    private init(_ file: StudyFile, path: String, mistakes found: [StudyMistake]) throws(StudyFileError) {
        self.file = file
        folder = Self.parent(path, or: "")
        let start = folder
        var mistakes = found
        var trainings: [String: PlannedTraining] = [:]
        var sources: [DatasetSource] = []
        var datasets: [DatasetRecord] = []
        var samples: [SampleRecord] = []
        var notes: [DataNote] = []
        for settings in file.datasets {
            do {
                let (source, contents) = try Self.open(
                    settings, folder: folder, id: sources.count, firstSample: samples.count, hasModels: !file.models(of: settings).isEmpty,
                    needsMasks: file.needsMasks)
                samples += zip(source.samples, source.roles).enumerated().map { i, pair in
                    SampleRecord(
                        id: samples.count + i, datasetID: source.id, name: pair.0.id, role: pair.1, label: pair.0.label,
                        patient: pair.0.patient, split: pair.0.split?.rawValue, imagePath: Self.relative(pair.0.imagePath, start),
                        maskPath: pair.0.maskPath.map { Self.relative($0, start) })
                }
                datasets.append(
                    DatasetRecord(
                        id: source.id, name: settings.name, kind: settings.kind, title: source.information.title,
                        citation: source.information.citation, path: settings.path, hasImages: source.hasImages,
                        classNames: contents.classNames, positiveLabel: contents.positiveLabel,
                        positiveClass: source.information.positiveClass))
                sources.append(source)
                notes += contents.notes
                for model in file.models(of: settings) {
                    guard case .trained(let training) = model.source else { continue }
                    do {
                        var planned = try PlannedTraining(
                            training, model: model.name, dataset: settings, information: source.information, contents: contents,
                            explained: Set(source.samples.map(\.id)), folder: folder)
                        planned.adapter = model.settings[.adapter].flatMap { AdapterFile.sha256(Self.resolve($0, start)) }
                        trainings[model.path(dataset: settings.name)] = planned
                    } catch let mistake as StudyMistake { mistakes.append(mistake) }
                }
            } catch let mistake as StudyMistake { mistakes.append(mistake) } catch {
                mistakes.append(StudyMistake(settings.place, "data set '\(settings.name)': \(error)"))
            }
        }
        mistakes += Self.missingModels(file, folder: folder)
        guard mistakes.isEmpty else { throw StudyFileError(path: path, mistakes: mistakes) }
        self.sources = sources
        self.trainings = trainings
        self.notes = notes + trainings.sorted { $0.key < $1.key }.flatMap { $0.value.set.notes }
        var facts = [
            StudyKey.resolved: file.resolvedForStore, StudyKey.fingerprint: file.fingerprint, StudyKey.title: file.title,
            StudyKey.seed: "\(file.seed)",
        ]
        if !trainings.isEmpty { facts[StudyKey.training] = Self.text(of: trainings) }
        store = StorePlan(
            study: facts,
            datasets: datasets, samples: samples, models: Self.models(file, sources, folder: folder), methods: Self.methods(file),
            metrics: Self.metrics(file))
    }

    /// Folder of the results.
    public var output: String { Self.resolve(file.output, folder) }

    /// The entry of the study file that a model of the plan comes from; nil for the controls.
    func entry(_ record: ModelRecord) -> StudyModel? {
        file.models(of: sources[record.datasetID].settings).first { $0.name == record.name }
    }

    /// What decides the weights of the models to be trained, a line for each field: recipes may stand in files of their own.
    private static func text(of trainings: [String: PlannedTraining]) -> String {
        trainings.sorted { $0.key < $1.key }.flatMap { path, training in
            training.identity.sorted { $0.key < $1.key }.map {
                "\(path.split(separator: "/")[1...2].joined(separator: "/")) \($0): \($1)\n"
            }
        }.joined()
    }

    /// A path of the study file as seen from here.
    static func resolve(_ path: String, _ folder: String) -> String {
        path.hasPrefix("/") || folder.isEmpty ? path : folder + "/" + path
    }

    /// A path below the folder as the study file would write it, so that it reads the same wherever the study is run from.
    static func relative(_ path: String, _ folder: String) -> String {
        folder.isEmpty || !path.hasPrefix(folder + "/") ? path : String(path.dropFirst(folder.count + 1))
    }

    /// The folder of a file.
    static func parent(_ path: String, or none: String = ".") -> String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? none }

    public var trainsModels: Bool { !trainings.isEmpty }

    /// Images of the largest data set: of more shards than that, some have nothing to do.
    public var mostImages: Int { sources.map(\.samples.count).max() ?? 0 }

    // MARK: Tables

    private static func models(_ file: StudyFile, _ sources: [DatasetSource], folder: String) -> [ModelRecord] {
        var records: [ModelRecord] = []
        for source in sources {
            records.append(ModelRecord(id: records.count, datasetID: source.id, name: "none", kind: .none, path: ""))
            guard source.hasImages else { continue }
            for model in file.models(of: source.settings) {
                let kind: ModelRecord.Kind =
                    switch model.source {
                    case .checkpoint: .checkpoint
                    case .trained: .trained
                    case .randomWeights: .randomWeights
                    }
                records.append(
                    ModelRecord(
                        id: records.count, datasetID: source.id, name: model.name, kind: kind,
                        path: model.path(dataset: source.settings.name)))
            }
        }
        return records
    }

    private static func methods(_ file: StudyFile) -> [MethodRecord] {
        file.methods.enumerated().map { i, method in
            MethodRecord(
                id: i, name: method.name, identifier: method.identifier, summary: method.summary, citation: method.citation,
                isControl: method.isControl, isClassSpecific: method.isClassSpecific)
        }
    }

    private static func metrics(_ file: StudyFile) -> [MetricRecord] {
        guard let evaluator = try? Evaluator(file.metrics, protocols: file.protocols) else {
            preconditionFailure("metrics are checked when the study file is read")
        }
        return evaluator.entries.enumerated().map { id, entry in
            MetricRecord(
                id: id, name: entry.metric.identifier, protocolName: entry.rules.rawValue, summary: entry.metric.summary,
                citation: entry.metric.citation,
                direction: (MetricRegistry.facts(entry.metric.identifier)?.better ?? .higher).rawValue)
        }
    }

    // MARK: Data sets

    /// - Parameter needsMasks: a metric or a control compares with masks, so that an image without one has no score.
    /// - Returns: the samples that take part, and the whole data set with its split.
    static func open(
        _ settings: StudyDataset, folder: String, id: Int, firstSample: Int, hasModels: Bool, needsMasks: Bool
    ) throws -> (DatasetSource, DatasetContents) {
        var options = settings.options
        if let annotations = options["annotations"] { options["annotations"] = resolve(annotations, folder) }
        let dataset = try Datasets.open(settings.kind, path: resolve(settings.path, folder), options: options)
        var contents = try dataset.contents()
        let hasImages = settings.kind != "masks"
        let what = "data set '\(settings.name)'"
        if let drawn = settings.drawn {
            contents.samples = try Splits.complete(
                contents.samples, validation: drawn.validation, test: drawn.test, seed: drawn.seed)
        }
        var taken = contents.samples
        let isSplit = taken.contains { $0.split != nil }
        if let sides = settings.split, sides.count < Split.allCases.count {
            guard isSplit else {
                throw StudyMistake(settings.place, "\(what) has no split to take a side of; leave split out, or draw one with draw-split")
            }
            taken = taken.filter { sample in sample.split.map(sides.contains) ?? false }
        } else if settings.split == nil && taken.contains(where: { $0.split == .test }) {
            taken = taken.filter { $0.split == .test }
        }
        let hasMasks = needsMasks || !hasImages || taken.contains { $0.annotation != nil }
        let isExplained = { (sample: Sample) in Self.isExplained(sample, settings, contents, hasMasks: hasMasks) }
        let explained = taken.indices.filter { isExplained(taken[$0]) }
        let scored = explained.count
        let limit = settings.limit ?? .max
        let chosen =
            settings.limitRule == .order
            ? Set(explained.prefix(limit)) : Set(spread(explained.map { (at: $0, patient: taken[$0].patient) }, limit: limit))
        var kept: [(Sample, SampleRecord.Role)] = []
        for (at, sample) in taken.enumerated() {
            if isExplained(sample) {
                if chosen.contains(at) { kept.append((sample, .score)) }
            } else if settings.others == .predict && hasModels && hasImages {
                kept.append((sample, .predict))
            }
        }
        guard scored > 0 else {
            let hint =
                settings.options["annotations"] == nil
                ? "name the folder or file of the experts' annotations with 'annotations', or ask for no metric and no control that needs masks"
                : "check the names of the annotations, and split"
            guard hasMasks else {
                throw StudyMistake(
                    settings.place, "\(what): none of its \(taken.count) images is of the positive class; check split and positive")
            }
            throw StudyMistake(settings.place, "\(what): none of its \(taken.count) images has a mask to score against; \(hint)")
        }
        let source = DatasetSource(
            id: id, settings: settings, information: dataset.information, hasImages: hasImages, hasMasks: hasMasks,
            positiveLabel: contents.positiveLabel, samples: kept.map(\.0), firstSample: firstSample, roles: kept.map(\.1))
        return (source, contents)
    }

    /// At most `limit` images, in turns one of each patient: a study says something about patients, and slices of one are alike.
    static func spread(_ images: [(at: Int, patient: String?)], limit: Int) -> [Int] {
        guard images.count > limit else { return images.map(\.at) }
        var taken: [String: Int] = [:]
        let turns = images.map { image -> (turn: Int, at: Int) in
            guard let patient = image.patient else { return (0, image.at) }
            taken[patient, default: 0] += 1
            return (taken[patient]! - 1, image.at)
        }
        return turns.sorted { $0 < $1 }.prefix(limit).map(\.at)
    }

    /// Whether an image is to be explained and scored.
    private static func isExplained(_ sample: Sample, _ settings: StudyDataset, _ contents: DatasetContents, hasMasks: Bool) -> Bool {
        // In these every image has a mask by definition; one that has none is a failure, not a negative.
        if settings.kind == "pairs" || settings.kind == "masks" { return true }
        if hasMasks {
            guard let annotation = sample.annotation else { return false }
            if settings.explained == .annotated { return true }
            // One that cannot be read is a failure of its image, not a negative.
            guard !annotation.regions.isEmpty || annotation.fault != nil else { return false }
        }
        guard let label = sample.label, let positive = contents.positiveLabel else { return true }
        return label == positive
    }

    /// Columns of which not a single file exists: a pattern is wrong. Single missing files are recorded when the study runs.
    private static func missingModels(_ file: StudyFile, folder: String) -> [StudyMistake] {
        file.models.compactMap { model in
            guard case .checkpoint = model.source else { return nil }
            let paths = file.datasets.filter { file.models(of: $0).contains { $0.name == model.name } }
                .map { resolve(model.path(dataset: $0.name), folder) }
            guard !paths.isEmpty, !paths.contains(where: { FileManager.default.fileExists(atPath: $0) }) else { return nil }
            return StudyMistake(
                model.place,
                "model '\(model.name)': \(paths[0]) does not exist\(paths.count > 1 ? ", nor does that of any other data set" : ""); check the path"
            )
        }
    }
}

extension StudyMistake: Error {}

extension StudyFile {
    /// The columns of a data set.
    func models(of dataset: StudyDataset) -> [StudyModel] {
        dataset.kind == "masks" ? [] : models.filter { $0.datasets?.contains(dataset.name) ?? true }
    }
}
