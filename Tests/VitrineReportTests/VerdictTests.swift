import Foundation
import Testing
import VitrineEvaluate
import VitrineStore
import VitrineStudy

@testable import VitrineReport

@Suite("Verdict")
struct VerdictTests {
    private static func study(
        metrics: [String] = PlantedVerdict.metrics, hasCentre: Bool = true, patients: Int = 24
    ) throws -> StudyAnalysis {
        let folder = try PlantedStudy()
        let store = try PlantedVerdict.store(folder.file("a.sqlite"), metrics: metrics, hasCentre: hasCentre, patients: patients)
        return try StudyAnalysis(store, resamples: 10_000)
    }

    private static func verdict(_ study: StudyAnalysis, _ method: PlantedVerdict.Method, model: Int = 1) throws -> MethodVerdict {
        let id = try #require(study.methods.first { $0.name == method.rawValue }?.id)
        return try #require(study.verdicts.first { $0.modelID == model && $0.methodID == id })
    }

    private static func outcomes(_ verdict: MethodVerdict) -> [Verdict.Outcome] { VerdictQuestion.allCases.map { verdict[$0].outcome } }

    @Test("what is planted comes out: a method that is the mask, one that fails, one like random maps, one that is constant")
    func planted() throws {
        let study = try Self.study()
        #expect(Self.outcomes(try Self.verdict(study, .mask)) == [Verdict.Outcome](repeating: .shown, count: 6))
        #expect(Self.outcomes(try Self.verdict(study, .fails)) == [Verdict.Outcome](repeating: .shownToFail, count: 6))
        // Both training runs draw `random` alike, so that its maps agree; nothing else is shown, and being below the centre is.
        let random = try Self.verdict(study, .random)
        #expect(Self.outcomes(random) == [.shownToFail, .notShown, .notShown, .notShown, .notShown, .shown])
        let constant = try Self.verdict(study, .constant)
        #expect(Self.outcomes(constant) == [Verdict.Outcome](repeating: .notShown, count: 6))
        for question in VerdictQuestion.allCases { #expect(constant[question].test == nil) }
        #expect(constant[.used].note == "undefined on all 24 images: the map says the same of every patch")
        let anatomy = try Self.verdict(study, .anatomy)
        #expect(Self.outcomes(anatomy) == [.shown, .notShown, .shown, .shown, .shown, .shown])
        #expect(study.verdicts.count == 12)
    }

    @Test("an image without a value is missing, never at chance")
    func holes() throws {
        let study = try Self.study()
        let (whole, half) = (try Self.verdict(study, .mask), try Self.verdict(study, .holes))
        let measure = try #require(half[.lesion].measures.first)
        #expect((measure.images, measure.undefined) == (12, 12))
        let mean = (0..<24).filter { $0 % 2 == 1 }.reduce(0) { $0 + PlantedVerdict.value(.mask, 0, $1)! } / 12
        // Sums in another order differ by rounding only.
        #expect(abs(measure.value - mean) < 1e-12)
        #expect(Self.outcomes(half) == Self.outcomes(whole))
        #expect(VerdictText.numbers(measure).hasSuffix("undefined on 12 of 24 images"))
    }

    @Test("Holm's adjustment runs over every test of the page, as by hand")
    func family() throws {
        let study = try Self.study()
        // Two models; six methods of which one is constant; six questions.
        #expect(study.verdictTests == 2 * 5 * 6)
        let tested = study.verdicts.flatMap(\.verdicts).filter { $0.test != nil }
        let sorted = tested.sorted { $0.test!.pValue < $1.test!.pValue }
        var running = 0.0
        for (i, verdict) in sorted.enumerated() {
            running = max(running, min(1, Double(sorted.count - i) * verdict.test!.pValue))
            #expect(abs(try #require(verdict.adjusted) - running) < 1e-15)
        }
    }

    @Test("what a study did not measure is not measured, and the card says what to add")
    func notMeasured() throws {
        let study = try Self.study(metrics: ["average-precision"])
        let mask = try Self.verdict(study, .mask)
        #expect(Self.outcomes(mask) == [.shown, .notMeasured, .notMeasured, .notMeasured, .notMeasured, .shown])
        #expect(mask[.used].note == "add deletion and insertion to metrics")
        let blind = try Self.study(metrics: ["deletion:steps=10"], hasCentre: false)
        #expect(try Self.verdict(blind, .mask)[.lesion].note == VerdictQuestion.lesion.remedy)
        let uncentred = try Self.study(hasCentre: false)
        let lesion = try Self.verdict(uncentred, .mask)[.lesion]
        #expect(lesion.outcome == .notMeasured && lesion.note?.contains("add centre") == true)
    }

    @Test("with too few patients nothing is shown, and the card says how many it takes")
    func fewPatients() throws {
        let study = try Self.study(patients: 4)
        let mask = try Self.verdict(study, .mask)
        #expect(Self.outcomes(mask) == [Verdict.Outcome](repeating: .notShown, count: 6))
        // 2^(1-n) * 60 < 0.05 from 12 patients on.
        #expect(mask[.lesion].note == "with 4 patients or images nothing could be shown; at least 12 are needed")
    }

    @Test("the sentence says what a reader may take from the map, and what not")
    func sentences() throws {
        let study = try Self.study()
        let mask = VerdictSentence(verdicts: [try Self.verdict(study, .mask)]).text
        #expect(mask == "The map points at the lesion, and the network used what it points at.")
        let fails = VerdictSentence(verdicts: [try Self.verdict(study, .fails)]).text
        #expect(
            fails.hasPrefix(
                "The map points neither at the lesion nor at what the network used; beware: a network that has learnt nothing gets much the same map, "
            ))
        let two = VerdictSentence(verdicts: study.verdicts.filter { $0.methodID == 0 }).text
        #expect(two.hasPrefix("Of 2 pairs of model and data set, it is shown that the map points at the lesion in 2 of 2, "))
    }

    @Test("families that order methods alike agree, and a planted conflict between localisation and faithfulness is found")
    func families() throws {
        let study = try Self.study()
        let agreement = try #require(study.datasets[0].families.first { $0.modelID == 1 })
        #expect(agreement.families == [.localisation, .faithfulness, .randomisation, .stability, .complexity])
        // Where `holes` has a value: mask and holes are equal there by construction, so that their order is left open.
        #expect(agreement.images == 12 && agreement.methodIDs == [0, 2, 3, 4, 5])
        let w = try #require(agreement.concordance)
        // Two of the five methods are equal, and faithfulness puts one the other way round; orders at random have 0.2.
        #expect(w.value > 0.5 && w.interval.contains(w.value) && w.interval.lower > w.chance)
        // `holes` scores what `mask` does, so that both contradict `anatomy` alike.
        #expect(Set(agreement.conflicts.prefix(2).map(\.second)) == [0, 4])
        let conflict = try #require(agreement.conflicts.first)
        #expect(conflict.first == 5 && conflict.adjusted < 0.05 && conflict.localisation > 0 && conflict.faithfulness < 0)
        #expect(conflict.images.count == 3 && Set(conflict.images).count == 3)
        let text = try #require(VerdictText(study: study).conflict(agreement))
        #expect(text.contains("anatomy lies above mask by localisation"))
    }

    @Test("a removal rule under which nothing beats chance is said to order noise")
    func orderOfNoise() throws {
        let study = try Self.study(metrics: PlantedVerdict.metrics + [PlantedVerdict.blurred])
        let flips = try #require(RankFlips(study, study.datasets[0], study.datasets[0].models[1]))
        func row(_ name: String) throws -> RankFlips.Row { try #require(flips.rows.first { $0.metric.name == name }) }
        // `mask` and `holes`; the constant map has no value, and the others are at chance or worse.
        #expect(try row("deletion:steps=10").beating == (2, 5))
        #expect(try row(PlantedVerdict.blurred).beating == (0, 5))
        let choice = try #require(flips.choices.first { $0.name == "removal rule of deletion steps=10" })
        #expect(choice.settings.map(\.name) == ["drop", "blur"] && choice.settings.map(\.tellsNothing) == [false, true])
    }

    @Test("the page begins with the cards, whose names are text")
    func page() throws {
        let folder = try PlantedStudy()
        var report = Report()
        report.resamples = 500
        let store = try PlantedVerdict.store(folder.file("a.sqlite"))
        let answer = try report.write(store, pictures: StudyPictures(store), to: folder.file("r"))
        let html = try String(contentsOfFile: folder.file("r/report.html"), encoding: .utf8)
        let first = try #require(html.range(of: "<section id=\"verdict\""))
        #expect(html.range(of: "<section id=\"answer\"")!.lowerBound > first.upperBound)
        #expect(html.components(separatedBy: "class=\"card\"").count == 1 + 6)
        #expect(answer.cards.contains { $0.hasPrefix("  points at the lesion") && $0.contains("shown: average-precision (corrected) 0.") })
        let csv = try String(contentsOfFile: folder.file("r/verdict.csv"), encoding: .utf8).split(separator: "\n")
        // Two curves stand behind "used", one measurement behind every other question, none behind a constant map's.
        #expect(csv.count == 1 + 2 * (5 * 7 + 6))
    }

    @Test("a method without a value on any image keeps the others from neither ranks nor agreement")
    func constantBesideOthers() throws {
        let dataset = try Self.study().datasets[0]
        #expect(dataset.agreements.count == 2 && dataset.agreements[0].agreement.tau.count == 7 - 1)
        #expect(dataset.metric("insertion", "corrected")?.rankings.first?.methodIDs == [0, 2, 3, 4, 5])
    }

    @Test("every row of summary.csv has as many fields as its head, whatever the verdict")
    func summary() throws {
        // Metrics that the centre control has no value for are above chance without a centre, which is said with a comma.
        let lines = SummaryTable(study: try Self.study()).summary().split(separator: "\n")
        #expect(lines.contains { $0.hasSuffix(",\"above chance, no centre control\"") })
        let plain = lines.map {
            $0.replacing("\"above chance, no centre control\"", with: "x").split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(Set(plain.map(\.count)).count == 1)
    }

    @Test("a study of before there were such metrics is reported as it was, its cards say what is missing")
    func oldStore() throws {
        let planted = try PlantedStudy()
        let study = try StudyAnalysis(planted.store(), resamples: 2000)
        let good = try #require(study.verdicts.first { $0.methodID == 0 })
        #expect(Self.outcomes(good) == [.shown] + [Verdict.Outcome](repeating: .notMeasured, count: 5))
        let centred = try #require(study.verdicts.first { $0.methodID == 1 })
        #expect(centred[.lesion].outcome == .notShown)
    }
}
