import Foundation
import VitrineData
import VitrineImage
import VitrineStore
import VitrineTensor

/// The images and masks behind a store as the networks saw them, read again from their files for figures.
public struct StudyPictures: StudyPictureSource {
    let store: Store
    let sources: [Int: StudyPlan.DatasetSource]
    let digests: [Int: String]
    /// The study with all its files in place, by data set.
    let plans: [Int: StudyPlan]
    private let names: [Int: String]
    private let failures: [Int: StudyPicture.Absence]
    private let samples: [SampleRecord]
    private let preprocessings: [Int: Preprocess]

    /// Opens the data sets of a study that was run.
    ///
    /// - Parameter folder: which the paths of the study file start from; nil takes the place, seen from the results, that the runs noted.
    /// - Throws: `StoreError`; a data set that cannot be opened is no error, its pictures are absent.
    public init(_ store: Store, folder: String? = nil) throws(StoreError) {
        self.store = store
        samples = try store.samples()
        digests = Dictionary(try store.images().map { ($0.sampleID, $0.sha256) }, uniquingKeysWith: { $1 })
        var preprocessings: [Int: Preprocess] = [:]
        for checkpoint in try store.checkpoints() { preprocessings[checkpoint.modelID] = try? Preprocess(parsing: checkpoint.preprocess) }
        self.preprocessings = preprocessings
        let text = try store.study(StudyKey.resolved) ?? ""
        var sources: [Int: StudyPlan.DatasetSource] = [:]
        var failures: [Int: StudyPicture.Absence] = [:]
        var names: [Int: String] = [:]
        var plans: [Int: StudyPlan] = [:]
        let noted = try store.runs().reversed().compactMap(\.studyFolder)
        for record in try store.datasets() {
            names[record.id] = record.name
            let own = samples.filter { $0.datasetID == record.id }
            var starts = folder.map { [$0] } ?? noted.map { StudyFolder.absolute($0, from: store.folder) } + [Self.folder(of: record, own)]
            starts = starts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
            for start in starts {
                do {
                    var file = try StudyFile.parse(text, path: "study.resolved.yaml")
                    file = file.keepingDraws(of: file)
                    guard let settings = file.datasets.first(where: { $0.name == record.name }) else { break }
                    let (source, _) = try StudyPlan.open(
                        settings, folder: start, id: record.id, firstSample: own.first?.id ?? 0,
                        hasModels: !file.models(of: settings).isEmpty, needsMasks: file.needsMasks)
                    guard source.samples.map(\.id) == own.map(\.name), own.indices.allSatisfy({ own[$0].id == own[0].id + $0 }) else {
                        failures[record.id] = .datasetGone(
                            record.name, reason: "\(own.count) images then, \(source.samples.count) now, or others")
                        continue
                    }
                    plans[record.id] = try? StudyPlan(file, path: start.isEmpty ? "study.yaml" : start + "/study.yaml")
                    sources[record.id] = source
                    failures[record.id] = nil
                    break
                } catch  where failures[record.id] == nil {
                    failures[record.id] = .datasetGone(record.name, reason: "\(error)")
                } catch {}
            }
        }
        self.names = names
        self.sources = sources
        self.failures = failures
        self.plans = plans
    }

    /// What stands before the data set's own path in the paths of its images, where nobody noted the folder.
    private static func folder(of record: DatasetRecord, _ samples: [SampleRecord]) -> String {
        guard !record.path.hasPrefix("/"), let path = samples.first?.imagePath, !path.hasPrefix(record.path),
            let range = path.range(of: "/" + record.path)
        else { return "" }
        return String(path[..<range.lowerBound])
    }

    /// What a model saw; under the pseudo-model `none`, what the controls saw.
    public func picture(model: Int, sample: Int) throws(StudyPicture.Absence) -> StudyPicture {
        guard let record = samples.first(where: { $0.id == sample }) else { throw .unreadable(reason: "the study has no image \(sample)") }
        if let failure = failures[record.datasetID] { throw failure }
        let name = names[record.datasetID] ?? ""
        guard let source = sources[record.datasetID] else { throw .datasetGone(name, reason: "the study file does not name it") }
        guard source.hasImages else { throw .noImages(name) }
        let entry = source.sample(sample)
        do {
            guard try digests[sample] == nil || sha256(ofFile: entry.imagePath) == digests[sample] else {
                throw StudyPicture.Absence.changed(path: entry.imagePath)
            }
            let view = try PreprocessedImage(contentsOf: entry.imagePath, preprocess: preprocessings[model] ?? source.preprocess)
            guard source.roles[sample - source.firstSample] == .score, let annotation = entry.annotation else {
                return StudyPicture(image: view.image, mask: nil)
            }
            let stored = try annotation.mask(
                width: view.storedWidth, height: view.storedHeight, orientation: view.orientation, source: entry.imagePath)
            return StudyPicture(image: view.image, mask: try view.align(stored, source: entry.maskPath ?? entry.imagePath))
        } catch let absence as StudyPicture.Absence { throw absence } catch { throw .unreadable(reason: "\(error)") }
    }
}
