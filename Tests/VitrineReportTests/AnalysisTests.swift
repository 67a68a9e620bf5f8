import Testing
import VitrineEvaluate
import VitrineStudy

@testable import VitrineReport

@Suite("Analysis of a study")
struct AnalysisTests {
    private static func analysis() throws -> (StudyAnalysis, PlantedStudy) {
        let planted = try PlantedStudy()
        return (try StudyAnalysis(planted.store(), resamples: 2000), planted)
    }

    @Test("means, skill and counts are those of the planted scores")
    func cells() throws {
        let (study, _) = try Self.analysis()
        let metric = try #require(study.datasets[0].metric("iou@20", "corrected"))
        let images = (0..<PlantedStudy.images).filter { $0 != 5 }
        for method in 0..<3 {
            let cell = try #require(metric.cell(model: 1, method: method))
            let mean = images.reduce(0) { $0 + PlantedStudy.value(method: method, image: $1) } / Double(images.count)
            // Sums in another order differ by rounding only.
            #expect(abs(cell.value - mean) < 1e-12)
            #expect(abs(try #require(cell.skill) - (mean - PlantedStudy.chance) / (1 - PlantedStudy.chance)) < 1e-12)
            #expect((cell.images, cell.undefined, cell.patients) == (23, 1, 8))
            #expect(cell.flagged == ["empty-mask": 1])
            #expect(cell.interval.contains(mean))
        }
        let study0 = try #require(study.datasets[0].metric("iou@20", "study"))
        #expect(try #require(study0.cell(model: 1, method: 0)).images == 24)
    }

    @Test("a method is called localising above chance and above the centre prior only")
    func verdicts() throws {
        let (study, _) = try Self.analysis()
        let metric = try #require(study.datasets[0].metric("iou@20", "corrected"))
        #expect(metric.cell(model: 1, method: 0)?.verdict == .localises)
        #expect(metric.cell(model: 1, method: 1)?.verdict == .chanceOnly)
        #expect(metric.cell(model: 1, method: 2)?.verdict == .notAboveChance)
        let centred = try #require(metric.cell(model: 1, method: 1)?.against(method: 3))
        #expect(centred.comparison.meanDifference == 0)
        #expect(centred.adjusted == 1)
    }

    @Test("p-values are adjusted within a data set and metric, as Holm's procedure does it by hand")
    func families() throws {
        let (study, _) = try Self.analysis()
        let metric = try #require(study.datasets[0].metric("iou@20", "study"))
        let cells = metric.cells.filter { $0.modelID == 1 }
        let sorted = cells.sorted { $0.chanceP! < $1.chanceP! }
        var running = 0.0
        for (i, cell) in sorted.enumerated() {
            running = max(running, min(1, Double(sorted.count - i) * cell.chanceP!))
            #expect(abs(cell.chanceAdjusted! - running) < 1e-15)
        }
        #expect(metric.pairs.count == 3)
        let good = try #require(metric.pairs.first { $0.firstMethod == 0 && $0.secondMethod == 1 })
        #expect(abs(good.comparison.meanDifference - 0.3) < 1e-12)
    }

    @Test("an overlap of 0 on every image is a constant, not a proportion of hits")
    func constantOverlap() throws {
        let planted = try PlantedStudy()
        let study = try StudyAnalysis(planted.store(blind: 0), resamples: 500)
        let cell = try #require(study.datasets[0].metric("iou@20", "corrected")?.cell(model: 1, method: 2))
        #expect((cell.interval.method, cell.interval.lower, cell.interval.upper) == (.constant, 0, 0))
    }

    @Test("too few patients for any test are named in the answer")
    func fewPatients() throws {
        // Two patients: the smallest two-sided p over signs is 0.5.
        var synthetic = SyntheticStore()
        (synthetic.images, synthetic.metrics) = (4, 2)
        let planted = try PlantedStudy()
        let few = try StudyAnalysis(synthetic.write(to: planted.file("a.sqlite")), resamples: 500)
        #expect(Answer(few).sentences[2].contains("2 patients, too few"))
        // Three maps: 2^(1-7) * 3 < 0.05.
        #expect(Answer(few).short == "Cannot be told: not answerable with 2 patients; at least 7 needed.")
        let cells = try #require(few.datasets[0].metric("iou@5", "corrected") ?? few.datasets[0].metrics.first).cells
        #expect(cells.filter { $0.modelID == 1 }.allSatisfy { $0.verdict == .noPower })
        #expect(!Answer(try Self.analysis().0).sentences[2].contains("too few"))
    }

    @Test("signs of the untrained control warn of nothing, and signs that are right everywhere neither")
    func signsOfControls() throws {
        var (study, _) = try Self.analysis()
        study.methods[0].identifier = "gradcam-study"
        study.datasets[0].models.append(ModelRecord(id: 2, datasetID: 0, name: "untrained", kind: .randomWeights, path: ""))
        let control = SignAnalysis(modelID: 2, methodID: 0, agreeing: [0, 0])
        study.datasets[0].signs = [SignAnalysis(modelID: 1, methodID: 0, agreeing: [6, 6]), control]
        #expect(!Answer(study).sentences[2].contains("the sign of"))
        study.datasets[0].signs = [SignAnalysis(modelID: 1, methodID: 0, agreeing: [6, 4, 6]), control]
        #expect(Answer(study).sentences[2].contains("agree with plain Grad-CAM on 2 of 3 maps"))
    }

    @Test("the gallery shows a patient once")
    func galleryPatients() throws {
        let planted = try PlantedStudy()
        let store = try planted.store()
        let study = try StudyAnalysis(store, resamples: 500)
        let patients = Dictionary(uniqueKeysWithValues: try store.samples(dataset: 0).map { ($0.id, $0.patient) })
        for each in [1, 3, 20] {
            let chosen = try Gallery.choose(study, study.datasets[0], store, each: each)
            // Eight patients have a lesion.
            #expect(chosen.count == min(3 * each, 8), "\(each)")
            #expect(Set(chosen.map { patients[$0.1] ?? nil }).count == chosen.count, "\(each)")
        }
    }

    @Test("ranks run over patients, the centre prior among the methods")
    func ranks() throws {
        let (study, _) = try Self.analysis()
        let ranking = try #require(study.datasets[0].metric("iou@20", "corrected")?.rankings.first)
        #expect(ranking.methodIDs == [0, 1, 2, 3])
        #expect(ranking.friedman.blocks == 8)
        // good is first, blind last, and the two equal ones share the places between.
        #expect(ranking.friedman.averageRanks == [1, 2.5, 4, 2.5])
    }

    @Test("predictions are judged on scored and on merely classified images")
    func predictions() throws {
        let (study, _) = try Self.analysis()
        let prediction = try #require(study.datasets[0].predictions.first)
        #expect((prediction.images, prediction.positives) == (28, 24))
        #expect((prediction.accuracy, prediction.sensitivity, prediction.specificity, prediction.area) == (1, 1, 1, 1))
        // (24 * 0.1^2 + 4 * 0.2^2) / 28, from Float probabilities.
        #expect(abs(prediction.brier - 0.4 / 28) < 1e-7)
    }

    @Test("the answer counts what the table shows")
    func answer() throws {
        let (study, _) = try Self.analysis()
        let answer = Answer(study)
        #expect(answer.sentences.count == 3)
        #expect(answer.short == "Yes, for 1 of 3 sets of maps, which beat both chance and a blob at the centre: good.")
        #expect(answer.sentences[0].contains("the maps of good (1 of 1) are shown to score above both a random map and a blob"))
        #expect(answer.sentences[0].hasSuffix("those of centred and blind in none."))
        #expect(answer.sentences[1].contains("good under m</td> on =d&<i>"))
        #expect(answer.sentences[2].contains("1 mask of =d&<i> mark"))
    }

    @Test("Poisson-binomial and McNemar decide where hits are independent, sign flips where patients have several images")
    func tests() throws {
        var synthetic = SyntheticStore()
        (synthetic.images, synthetic.metrics) = (40, 2)
        let planted = try PlantedStudy()
        let study = try StudyAnalysis(synthetic.write(to: planted.file("a.sqlite")), resamples: 500)
        let hits = try #require(study.datasets[0].metric("pointing-game", "corrected"))
        // Synthetic patients have two images each.
        #expect(hits.cells.allSatisfy { $0.chanceTest == "sign flip" })
        #expect(hits.pairs.allSatisfy { $0.test == "sign flip" })
    }
}
