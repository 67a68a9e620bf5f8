import VitrineImage
import VitrineStore

/// Images on which localisation prefers one method and faithfulness the other, with the maps of both.
struct ConflictPictures {
    struct Row {
        var sample: String
        /// With what experts outlined.
        var image: Image
        var first: Image
        var second: Image
        /// What each method scores on this image: by the localisation metric, then by insertion minus deletion.
        var scores: [(localisation: Double?, faithfulness: Double?)]
    }

    /// The clearest conflict of each data set and model that has one.
    struct Part {
        var agreement: FamilyAgreement
        var conflict: FamilyAgreement.Conflict
        var rows: [Row] = []
        /// Why pictures are missing, once per reason.
        var absences: [String] = []
    }

    /// Pictures stand for this many pairs of data set and model: the clearest conflicts.
    private static let most = 3

    let parts: [Part]

    init(_ study: StudyAnalysis, store: Store, pictures: any StudyPictureSource, colorMap: ColorMap) throws(StoreError) {
        let overlay = Overlay(colorMap: colorMap, alpha: 0.5, showsColorBar: false)
        let found = study.datasets.flatMap(\.families).compactMap { agreement in
            agreement.conflicts.first.map { Part(agreement: agreement, conflict: $0) }
        }
        let clearest = found.enumerated().sorted { ($0.element.conflict.adjusted, $0.offset) < ($1.element.conflict.adjusted, $1.offset) }
            .prefix(Self.most).map(\.element)
        var parts: [Part] = []
        for var part in clearest {
            let (model, methods) = (part.agreement.modelID, [part.conflict.first, part.conflict.second])
            let names = Dictionary(uniqueKeysWithValues: try store.samples(dataset: part.agreement.datasetID).map { ($0.id, $0.name) })
            let scores = try Scores(study, store, model: model, methods: methods, rules: study.primary.protocolName)
            for sample in part.conflict.images {
                let picture: StudyPicture
                do throws(StudyPicture.Absence) { picture = try pictures.picture(model: model, sample: sample) } catch {
                    if !part.absences.contains(error.description) { part.absences.append(error.description) }
                    continue
                }
                var maps: [Image] = []
                for method in methods {
                    guard let map = try store.map(model: model, method: method, sample: sample), map.width == picture.image.width,
                        map.height == picture.image.height
                    else { continue }
                    maps.append(overlay.picture(of: map, over: picture.image, outline: picture.mask))
                }
                guard maps.count == 2 else { continue }
                var canvas = Canvas(picture.image.converted(toChannels: 3))
                if let mask = picture.mask { canvas.draw(mask.outline, color: .white) }
                part.rows.append(
                    Row(
                        sample: names[sample] ?? "", image: canvas.image, first: maps[0], second: maps[1],
                        scores: methods.map { scores[$0, sample] }))
            }
            parts.append(part)
        }
        self.parts = parts
    }

    /// Scores of two methods, image by image.
    private struct Scores {
        private var localisation: [[Int]: Double] = [:]
        private var faithfulness: [[Int]: Double] = [:]

        init(_ study: StudyAnalysis, _ store: Store, model: Int, methods: [Int], rules: String) throws(StoreError) {
            func first(_ isWanted: (MetricRecord) -> Bool) -> MetricRecord? { study.metrics.first(where: isWanted) }
            let located = first { $0.protocolName == rules && $0.isLocalisation }
            let (insertion, deletion) = (first { $0.stem == "insertion" }, first { $0.stem == "deletion" })
            for method in methods {
                if let located {
                    let column = try store.scores(model: model, method: method, metric: located.id)
                    for (sample, value) in zip(column.sampleIDs, column.values) { localisation[[method, sample]] = value }
                }
                guard let insertion, let deletion else { continue }
                let up = try store.scores(model: model, method: method, metric: insertion.id)
                let down = try store.scores(model: model, method: method, metric: deletion.id)
                let minus = Dictionary(uniqueKeysWithValues: zip(down.sampleIDs, down.values))
                for (sample, value) in zip(up.sampleIDs, up.values) {
                    if let value, let other = minus[sample] ?? nil { faithfulness[[method, sample]] = value - other }
                }
            }
        }

        subscript(method: Int, sample: Int) -> (localisation: Double?, faithfulness: Double?) {
            (localisation[[method, sample]], faithfulness[[method, sample]])
        }
    }
}
