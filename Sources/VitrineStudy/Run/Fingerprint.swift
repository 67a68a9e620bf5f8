import VitrineData
import VitrineModel
import VitrineStore
import VitrineTensor

/// What a result depends on, as 32 hexadecimal digits: two results with the same one are the same.
enum Fingerprint {
    static func of(_ parts: [String]) -> String {
        // Lengths keep two lists apart that read alike when joined.
        String(sha256(of: Array(parts.map { "\($0.utf8.count):\($0)" }.joined(separator: " ").utf8)).prefix(32))
    }
}

/// The fingerprints of everything under one model, from what a store knows of the inputs.
struct StudyFingerprints {
    private let plan: StudyPlan
    private let source: StudyPlan.DatasetSource
    private let images: [Int: ImageRecord]
    private let masks: [Int: MaskRecord]
    /// Weights and how they are loaded; empty for controls, nil for a model that never was.
    private let model: String?
    private let preprocess: String
    private let prior: String?

    init(_ plan: StudyPlan, _ record: ModelRecord, _ source: StudyPlan.DatasetSource, store: Store) throws(StoreError) {
        self.plan = plan
        self.source = source
        images = Dictionary(try store.images().map { ($0.sampleID, $0) }) { $1 }
        masks = source.hasMasks ? Dictionary(try store.masks(dataset: source.id).map { ($0.sampleID, $0) }) { $1 } : [:]
        if record.kind == .none {
            model = ""
            preprocess = source.preprocess.description
            let stored = try store.maskPrior(dataset: source.id)
            prior = stored.map { Fingerprint.of(["\($0.masks)", "\($0.height)", "\($0.width)"] + $0.counts.map(String.init)) }
        } else {
            let checkpoint = try store.checkpoints().first { $0.modelID == record.id }
            model = checkpoint.map { Fingerprint.of([$0.sha256, $0.settings ?? plan.settings(of: record)]) }
            preprocess = checkpoint?.preprocess ?? ""
            prior = nil
        }
    }

    /// Of a mask as it was decoded; nil for an image that has none.
    func mask(_ sample: Int) -> String? { masks[sample]?.digest }

    /// What a model says of an image, and under which size it sees it.
    func unit(_ sample: Int) -> String? {
        guard let model, let look = look(sample) else { return nil }
        return Fingerprint.of([model, preprocess, look])
    }

    func map(_ sample: Int, _ method: Int) -> String? {
        guard let model, let look = look(sample) else { return nil }
        let record = plan.store.methods[method]
        var parts = [model, preprocess, look, record.name, "\(plan.file.seed)"]
        if record.isClassSpecific { parts.append("\(plan.target(sample, source))") }
        if record.isControl { parts.append("\(plan.file.controlGrid)") }
        if record.identifier == MethodRecord.maskPrior { parts.append(prior ?? "") }
        return Fingerprint.of(parts)
    }

    /// Of the scores of a map; the metric and its protocol are their names.
    func scored(_ sample: Int, _ method: Int) -> String? {
        guard let map = map(sample, method), let mask = source.hasMasks ? mask(sample) : "" else { return nil }
        return Fingerprint.of([map, mask, "\(plan.file.seed)", "\(plan.file.permutations)"])
    }

    /// What is looked at: the image, or the mask where there are masks alone.
    private func look(_ sample: Int) -> String? { source.hasImages ? images[sample]?.sha256 : masks[sample]?.digest }
}

extension StudyPlan {
    /// How the study file says to load a model and to prepare images for it.
    func settings(of record: ModelRecord) -> String {
        let settings = file.settings(of: record.name, dataset: sources[record.datasetID].settings.name) ?? ""
        // A head in a file of its own, or an adapter, is part of the weights.
        let own = entry(record)?.settings ?? [:]
        let head = own[.head].flatMap { try? sha256(ofFile: Self.resolve($0, folder)) }
        let adapter = own[.adapter].flatMap { AdapterFile.sha256(Self.resolve($0, folder)) }
        return settings + (head.map { "; head \($0)" } ?? "") + (adapter.map { "; adapter \($0)" } ?? "")
    }
}

extension StudyFile {
    /// As `StudyPlan.settings`; nil for a model or a data set that the file does not have.
    func settings(of model: String, dataset name: String) -> String? {
        guard let dataset = datasets.first(where: { $0.name == name }), let entry = models(of: dataset).first(where: { $0.name == model })
        else { return nil }
        let preprocess = dataset.preprocess.map { "\($0)" } ?? "the model's own"
        return ([preprocess] + loading(entry)).joined(separator: "; ")
    }
}
