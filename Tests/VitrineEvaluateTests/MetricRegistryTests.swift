import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

@Suite struct MetricRegistryTests {
    /// Signed noise on a 7 x 7 grid, shown three ways at 28 x 28.
    static func heatMap(_ display: DisplayRule, scale: Float = 1, seed: UInt64 = 1) -> HeatMap {
        var random = Philox(seed: seed, name: "registry")
        let values = (0..<49).map { _ in scale * Float(random.normal()) }
        return HeatMap(rows: 7, columns: 7, values: values, height: 28, width: 28, display: display)
    }

    static let mask = ScoredMask(
        Mask(width: 28, height: 28) { (y: Int, x: Int) -> Bool in
            let (down, across) = (y - 12, x - 9)
            return down * down + across * across < 40
        })

    /// The metrics of one kind, under their usual numbers.
    static func localisation(_ number: Double, _ rules: EvaluationProtocol) throws -> [any LocalisationMetric] {
        try MetricRegistry.all.compactMap {
            try MetricRegistry.metric($0.facts.name($0.facts.usualNumber == nil ? nil : number), protocol: rules) as? any LocalisationMetric
        }
    }

    static func evaluator(
        _ metric: any Metric, _ rules: EvaluationProtocol, seed: UInt64 = 0, permutations: Int = 1000
    ) -> Evaluator {
        Evaluator([Evaluator.Entry(metric: metric, rules: rules)], seed: seed, permutations: permutations)
    }

    @Test func namesAreUniqueAndFactsAreStated() throws {
        let facts = MetricRegistry.all.map { $0.facts }
        #expect(Set(facts.map(\.identifier)).count == facts.count)
        for entry in facts {
            #expect(!entry.summary.isEmpty && !entry.citation.isEmpty, "\(entry.identifier)")
            #expect(entry.identifier.hasSuffix("@K") == (entry.usualNumber != nil || entry.number == .count), "\(entry.identifier)")
            let metric = try MetricRegistry.metric(entry.name(), protocol: .corrected)
            #expect(metric.identifier == entry.name() && !metric.summary.isEmpty)
            #expect(MetricRegistry.facts(entry.name())?.identifier == entry.identifier)
            // The default of every option, written out, is the metric itself.
            for option in entry.options {
                let text = option.split(separator: "|")[0]
                _ = try MetricRegistry.metric("\(entry.name()):\(text)", protocol: .corrected)
            }
        }
        #expect(try MetricRegistry.expand(["family:complexity", "gini", "all"]).count == facts.count)
        #expect(try MetricRegistry.expand(["auroc", "family:faithfulness"]).first == "auroc")
        #expect(throws: MetricError.self) { try MetricRegistry.expand(["family:beauty"]) }
    }

    @Test(arguments: EvaluationProtocol.allCases, [DisplayRule.attention, .relevance, .gradCAM])
    func everyMetric(_ rules: EvaluationProtocol, _ display: DisplayRule) throws {
        for metric in try Self.localisation(10, rules) where metric.undefined(on: Self.mask) == nil {
            let evaluator = Self.evaluator(metric, rules, seed: 4, permutations: 200)
            func score(_ map: HeatMap) throws -> Score {
                try evaluator.scores(of: ScoredMap(map), on: Self.mask, item: "image")[0]
            }
            let map = Self.heatMap(display)
            let first = try score(map)
            #expect(first.status == .ok)
            for number in [first.value, first.chance, first.ceiling] where number != nil { #expect(number!.isFinite) }
            #expect(first.value != nil && first.chance != nil)
            #expect(try score(map) == first, "\(metric.identifier) is deterministic")
            // A power of two scales every float exactly; only the guarded min-max adds its 1e-7.
            let scaled = try score(Self.heatMap(display, scale: 4))
            #expect(abs(scaled.value! - first.value!) < 1e-6, "\(metric.identifier) ignores the scale")
            if let ceiling = first.ceiling {
                #expect(!metric.better.isBetter(first.value!, than: ceiling + 1e-12 * (metric.better.sign ?? 0)), "\(metric.identifier)")
            }
        }
    }

    /// Many random maps of patches: over images their mean is that of their levels of chance.
    @Test(
        arguments: MetricRegistry.all.map { $0.facts }.filter { $0.family == .localisation }.map {
            $0.name($0.usualNumber == nil ? nil : 10)
        })
    func randomMapsScoreAtChance(_ name: String) throws {
        var random = Philox(seed: 17, name: "masks of others")
        let others = (0..<28 * 28).map { _ in Float(random.uniform()) }
        let mask = ScoredMask(Self.mask.mask, others: others)
        var (values, chances): ([Double], [Double]) = ([], [])
        for draw in 0..<200 {
            // On patches: their smooth display is permuted in steps, which has a test of its own.
            let map = Self.heatMap(.attention, seed: UInt64(1000 + draw))
            let score = try Evaluator([name], protocol: .corrected, permutations: 100).scores(
                of: ScoredMap(map), on: mask, item: "draw \(draw)")[0]
            values.append(try #require(score.value, "\(name): \(score.reason ?? "")"))
            chances.append(try #require(score.chance))
        }
        let difference = zip(values, chances).map { $0 - $1 }
        let error = standardDeviation(difference) / 200.0.squareRoot()
        #expect(abs(mean(difference)) <= 3 * error + 1e-9, "\(name): \(mean(values)) against \(mean(chances)), error \(error)")
    }

    @Test func optionsOverrideTheProtocol() throws {
        let metric = try MetricRegistry.metric("iou@12.5:component-rectangle", protocol: .study)
        #expect(metric.identifier == "iou@12.5:component-rectangle")
        #expect(metric.summary.contains("12.5 %") && metric.summary.contains("largest component"))
        let pointing = try MetricRegistry.metric("pointing-game:first,tolerance=15", protocol: .corrected) as? PointingGame
        #expect(pointing?.ties == .first && pointing?.tolerance == 15)
    }

    @Test func wrongNamesSayWhatToDo() {
        func message(_ name: String) -> String {
            do {
                _ = try MetricRegistry.metric(name, protocol: .study)
                return "no error"
            } catch { return error.description }
        }
        #expect(message("iuo@5").hasPrefix("unknown metric 'iuo@5'; did you mean iou@K"))
        #expect(message("averageprecision").hasPrefix("unknown metric 'averageprecision'; did you mean average-precision"))
        #expect(message("zzz").hasPrefix("unknown metric 'zzz'. vitrine evaluate --help lists all \(MetricRegistry.all.count)"))
        #expect(message("iou") == "metric 'iou' needs a percentage of the image: write for example iou@10")
        #expect(message("auroc@5").hasPrefix("unknown metric"))
        for name in ["iou@0", "iou@100", "iou@-5", "iou@x", "iou@", "iou@nan"] {
            #expect(message(name).contains("is no percentage above 0 and below 100"), "\(name)")
        }
        #expect(message("auroc:raw") == "metric 'auroc' has no option 'raw': it takes none")
        #expect(message("iou@5:box").hasPrefix("metric 'iou@K' has no option 'box': choose from rectangle, raw, "))
        #expect(
            message("pointing-game:tolerance=-1")
                == "metric 'pointing-game': tolerance=-1 is not understood; tolerance takes a number from 0 to 10000")
        #expect(message("iou@5:raw,component") == "metric 'iou@K': 'component' stands beside another option of its kind; keep one")
        #expect(message("deletion:steps=5,steps=6") == "metric 'deletion': 'steps=6' stands beside another option of its kind; keep one")
        #expect(
            message("deletion:removal=paint").hasPrefix("metric 'deletion': removal=paint is not understood; removal takes one of drop, "))
        #expect(message("deletion:step=5").hasPrefix("metric 'deletion' has no option 'step=5': choose from steps=20, "))
    }
}
