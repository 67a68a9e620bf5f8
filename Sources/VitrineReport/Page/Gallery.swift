import Foundation
import VitrineImage
import VitrineStudy
import VitrineTensor

/// Images to look at one by one: of every data set the best, the worst and some drawn at random, with the maps of all methods.
struct Gallery {
    struct Case {
        /// `best`, `worst` or `random`.
        var kind: String
        var sample: SampleRecord
        var picture: StudyPictures.Picture
    }

    struct Part {
        var dataset: DatasetAnalysis
        /// Models that see an image alike, so that their maps lie over the same picture: those prepared for as the first one.
        var models: [ModelRecord]
        var cases: [Case]
        /// Why pictures are missing, once per reason.
        var absences: [String]
    }

    let study: StudyAnalysis
    let parts: [Part]
    private let store: Store
    private let pictures: StudyPictures

    /// - Parameter each: how many best, worst and random images; 0 for no gallery.
    init(_ study: StudyAnalysis, store: Store, pictures: StudyPictures, each: Int) throws(StoreError) {
        self.study = study
        self.store = store
        self.pictures = pictures
        var parts: [Part] = []
        for dataset in study.datasets {
            let views = Dictionary(study.checkpoints.map { ($0.modelID, $0.preprocess) }) { $1 }
            let models = dataset.columns.filter { model in views[model.id] == dataset.columns.first.flatMap { views[$0.id] } }
            var part = Part(dataset: dataset, models: models, cases: [], absences: [])
            if let model = models.first, each > 0 {
                let samples = Dictionary(uniqueKeysWithValues: try store.samples(dataset: dataset.dataset.id).map { ($0.id, $0) })
                for (kind, id) in try Self.choose(study, dataset, store, each: each) {
                    guard let sample = samples[id] else { continue }
                    do throws(StudyPictures.Absence) {
                        part.cases.append(Case(kind: kind, sample: sample, picture: try pictures.picture(model: model.id, sample: id)))
                    } catch  where !part.absences.contains(error.description) { part.absences.append(error.description) } catch {}
                }
            }
            parts.append(part)
        }
        self.parts = parts
    }

    /// By the mean of the primary metric over trained models and methods; the random ones by the study's seed.
    static func choose(
        _ study: StudyAnalysis, _ dataset: DatasetAnalysis, _ store: Store, each: Int
    ) throws(StoreError) -> [(String, Int)] {
        let models = dataset.columns.filter { $0.kind != .randomWeights }
        var sums: [Int: (sum: Double, count: Int)] = [:]
        for model in models.isEmpty ? dataset.columns : models {
            for method in study.explainers {
                let column = try store.scores(model: model.id, method: method.id, metric: study.primary.id)
                for (sample, value) in zip(column.sampleIDs, column.values) {
                    guard let value else { continue }
                    let old = sums[sample] ?? (0, 0)
                    sums[sample] = (old.sum + value, old.count + 1)
                }
            }
        }
        let means = sums.mapValues { $0.sum / Double($0.count) }
        let ranked = means.keys.sorted { (means[$0]!, -$0) > (means[$1]!, -$1) }
        // Slices of one patient are alike: three of them would be one example.
        let patients = Dictionary(
            try store.samples(dataset: dataset.dataset.id).map { ($0.id, $0.patient.map { "patient \($0)" } ?? "image \($0.name)") }
        ) { $1 }
        var seen: Set<String> = []
        func pick(_ count: Int, from candidates: [Int]) -> [Int] {
            var picked: [Int] = []
            for id in candidates where picked.count < count {
                if seen.insert(patients[id] ?? "").inserted { picked.append(id) }
            }
            return picked
        }
        let best = pick(each, from: ranked)
        let worst = pick(each, from: ranked.reversed())
        var rest = ranked.sorted()
        var generator = Philox(seed: study.seed, name: "gallery", index: UInt64(dataset.dataset.id))
        generator.shuffle(&rest)
        let random = pick(each, from: rest)
        return best.map { ("best", $0) } + worst.map { ("worst", $0) } + random.map { ("random", $0) }
    }

    // MARK: Data for the page

    /// The JSON that the page's script draws from.
    func json(colorMap: ColorMap) throws -> String {
        let names = [colorMap] + [ColorMap.viridis, .magma, .turbo, .jet].filter { $0 != colorMap }
        let colors = names.map { map in
            "\"\(map.rawValue)\":\"" + map.table.map { Self.hex($0.red) + Self.hex($0.green) + Self.hex($0.blue) }.joined() + "\""
        }
        var datasets: [String] = []
        for part in parts where !part.cases.isEmpty {
            let models = part.models.map { "{\"id\":\($0.id),\"name\":\(Self.text($0.name))}" }
            var heads: [Int: [Int: [HeatMap]]] = [:]
            for model in part.models {
                heads[model.id] = try pictures.headAttention(model: model.id, samples: part.cases.map(\.sample.id))
            }
            let views = try Views(part, study, store)
            let cases = try part.cases.map { try json($0, part.models, heads, views) }
            datasets.append(
                "{\"name\":\(Self.text(part.dataset.dataset.name)),\"models\":[\(models.joined(separator: ","))],\"cases\":[\(cases.joined(separator: ","))]}"
            )
        }
        return "{\"colors\":{\(colors.joined(separator: ","))},\"datasets\":[\(datasets.joined(separator: ","))]}"
    }

    /// Scores and predictions of a data set, looked up by model, method and image.
    private struct Views {
        var scores: [[Int]: (value: Double?, chance: Double?)] = [:]
        var says: [[Int]: String] = [:]

        init(_ part: Part, _ study: StudyAnalysis, _ store: Store) throws(StoreError) {
            let labels = Dictionary(part.cases.map { ($0.sample.id, $0.sample.label) }) { $1 }
            for model in part.models {
                for method in study.explainers {
                    let column = try store.scores(model: model.id, method: method.id, metric: study.primary.id)
                    for i in 0..<column.count {
                        scores[[model.id, method.id, column.sampleIDs[i]]] = (column.values[i], column.chances[i])
                    }
                }
                for prediction in try store.predictions(model: model.id) where prediction.predicted < prediction.probabilities.count {
                    guard let label = labels[prediction.sampleID] else { continue }
                    let names = part.dataset.dataset.classNames
                    let name = prediction.predicted < names.count ? names[prediction.predicted] : "\(prediction.predicted)"
                    let probability = Format.fixed(Double(prediction.probabilities[prediction.predicted]), 2)
                    let verdict = label.map { $0 == prediction.predicted ? ", which is right" : ", which is wrong" } ?? ""
                    says[[model.id, prediction.sampleID]] =
                        "\(model.name) says class \(name) with probability \(probability)\(verdict)"
                }
            }
        }
    }

    private func json(_ item: Case, _ shown: [ModelRecord], _ heads: [Int: [Int: [HeatMap]]], _ views: Views) throws -> String {
        let image = item.picture.image
        var parts = [
            "\"kind\":\"\(item.kind)\"", "\"name\":\(Self.text(item.sample.name))", "\"patient\":\(Self.text(item.sample.patient ?? ""))",
            "\"width\":\(image.width)", "\"height\":\(image.height)", "\"image\":\"\(Data(try image.pngData()).base64EncodedString())\"",
            "\"area\":\(HTML.json(item.picture.mask.map { Format.percent($0.area) } ?? "unknown"))",
        ]
        if let mask = item.picture.mask { parts.append("\"mask\":[\(Self.runs(mask.bits).map(String.init).joined(separator: ","))]") }
        var models: [String] = []
        for model in shown {
            var maps: [String] = []
            for method in study.explainers {
                guard let map = try store.map(model: model.id, method: method.id, sample: item.sample.id) else { continue }
                let score = views.scores[[model.id, method.id, item.sample.id]]
                let words = score.map { "\(study.primary.name) \(Format.score($0.value)), chance \(Format.score($0.chance))" } ?? ""
                maps.append("{\"method\":\(Self.text(method.name)),\"score\":\(Self.text(words)),\(Self.cells(map))}")
            }
            var view =
                "\"\(model.id)\":{\"says\":\(Self.text(views.says[[model.id, item.sample.id]] ?? "")),\"maps\":[\(maps.joined(separator: ","))]"
            if let own = heads[model.id]?[item.sample.id] {
                view += ",\"heads\":[\(own.map { "{\(Self.cells($0))}" }.joined(separator: ","))]"
            }
            models.append(view + "}")
        }
        parts.append("\"views\":{\(models.joined(separator: ","))}")
        return "{" + parts.joined(separator: ",") + "}"
    }

    /// The grid in 256 steps of its range; a rule that the page does not know is applied here, and the pixels are sent.
    private static func cells(_ map: HeatMap) -> String {
        var (rows, columns, values) = (map.rows, map.columns, map.values)
        var isSmooth = false
        switch map.display.upsampling {
        case .nearest: break
        case .bilinear: isSmooth = true
        case .bicubic: (rows, columns, values) = (map.height, map.width, map.displayed())
        }
        if map.display.clipsNegatives { values = values.map { max($0, 0) } }
        if !map.audit.isSound { values = values.map { _ in 0 } }
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        let scale = high > low ? 255 / (high - low) : 0
        let bytes = values.map { UInt8((($0 - low) * scale).rounded()) }
        return "\"rows\":\(rows),\"columns\":\(columns),\"smooth\":\(isSmooth),\"cells\":\"\(Data(bytes).base64EncodedString())\""
    }

    /// Lengths of runs, the first one outside the mask.
    private static func runs(_ bits: [Bool]) -> [Int] {
        var (runs, value) = ([0], false)
        for bit in bits {
            if bit != value {
                runs.append(0)
                value = bit
            }
            runs[runs.count - 1] += 1
        }
        return runs
    }

    /// A JSON string of what a reader sees.
    private static func text(_ text: String) -> String { HTML.json(text.printable) }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
