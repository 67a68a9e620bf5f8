import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// Chance levels against plain Monte Carlo: native values shuffled, displayed by `HeatMap.displayed()`, and scored by the
/// slow metrics of `PlainMetrics`.
@Suite struct ChanceTests {
    static let height = 24
    static let width = 20
    static let mask = Mask(width: width, height: height) { (y: Int, x: Int) -> Bool in
        (3..<11).contains(y) && (2..<9).contains(x) && x + y > 8 || (y == 20 && x == 15)
    }

    /// Name and slow value of every metric.
    static let metrics: [(String, EvaluationProtocol, @Sendable (PlainMetrics) -> Double)] = [
        ("pointing-game", .study, { $0.pointingGameAny }),
        ("pointing-game:first", .study, { $0.pointingGameFirst }),
        ("pointing-game", .corrected, { $0.pointingGameExpected }),
        ("iou@10", .study, { $0.iou($0.rectangle($0.selected(10))) }),
        ("iou@3", .study, { $0.iou($0.rectangle($0.selected(3))) }),
        ("iou@20:raw", .study, { $0.iou($0.selected(20)) }),
        ("iou@20:component", .study, { $0.iou($0.largestComponent($0.selected(20))) }),
        ("average-precision", .corrected, { $0.averagePrecision }),
        ("auroc", .corrected, { $0.auroc }),
        ("energy-pointing-game", .study, { $0.massShare($0.values) }),
    ]

    enum Kind: String, CaseIterable { case pixels, tiedPixels, patches, tiedPatches, bilinear, bicubic, gradCAM }

    static func heatMap(_ kind: Kind) -> HeatMap {
        var random = Philox(seed: 21, name: kind.rawValue)
        func map(_ rows: Int, _ columns: Int, _ display: DisplayRule, _ value: () -> Float) -> HeatMap {
            HeatMap(
                rows: rows, columns: columns, values: (0..<rows * columns).map { _ in value() }, height: height, width: width,
                display: display)
        }
        // Skewed values, as attention is.
        func skewed() -> Float { Float(random.uniform() * random.uniform()) * Float(random.uniform()) }
        switch kind {
        case .pixels: return map(height, width, .attention, skewed)
        case .tiedPixels: return map(height, width, .attention) { Float(random.below(9)) }
        case .patches: return map(6, 5, .attention, skewed)
        case .tiedPatches: return map(6, 5, .attention) { Float(random.below(5)) }
        case .bilinear: return map(6, 5, .relevance, skewed)
        case .bicubic: return map(6, 5, DisplayRule(upsampling: .bicubic, normalisation: .minMax), skewed)
        case .gradCAM: return map(6, 5, .gradCAM) { Float(random.normal()) }
        }
    }

    @Test(arguments: Kind.allCases)
    func equalsMonteCarlo(_ kind: Kind) throws {
        var heat = Self.heatMap(kind)
        let scored = ScoredMap(heat)
        let mask = ScoredMask(Self.mask)
        let draws = 600
        var sums = [(sum: Double, square: Double)](repeating: (0, 0), count: Self.metrics.count)
        let native = heat.values
        for draw in 0..<draws {
            var random = Philox(seed: 77, name: "monte carlo " + kind.rawValue, index: UInt64(draw))
            heat.values = random.permutation(native.count).map { native[$0] }
            let plain = PlainMetrics(values: heat.displayed(), mask: Self.mask)
            for (i, metric) in Self.metrics.enumerated() {
                let value = metric.2(plain)
                sums[i].sum += value
                sums[i].square += value * value
            }
        }
        for (i, metric) in Self.metrics.enumerated() {
            let score = try Evaluator([metric.0], protocol: metric.1, seed: 5, permutations: 2000)
                .scores(of: scored, on: mask, item: kind.rawValue)[0]
            let mean = sums[i].sum / Double(draws)
            let variance = max(0, sums[i].square / Double(draws) - mean * mean) / Double(draws)
            // Five standard errors of the two estimates together, and one draw's worth for events too rare for 600 draws (53
            // tied maxima that all miss the mask), which show no variance.
            let both = variance + score.chanceStandardError * score.chanceStandardError
            let allowed = 5 * both.squareRoot() + 1 / Double(draws)
            #expect(abs(score.chance! - mean) < allowed, "\(metric.0) \(metric.1): \(score.chance!) against \(mean)")
        }
    }

    /// Which levels are exact is part of the interface.
    @Test func exactWhereItIsSaidToBe() throws {
        let mask = ScoredMask(Self.mask)
        let names = [
            "pointing-game", "iou@10:rectangle", "iou@10:raw", "iou@10:component", "average-precision", "auroc", "mass-accuracy",
            "rank-accuracy",
        ]
        func sources(_ kind: Kind) throws -> [ChanceSource?] {
            try Evaluator(names, protocol: .corrected, permutations: 10)
                .scores(of: ScoredMap(Self.heatMap(kind)), on: mask, item: "sources").map(\.chanceSource)
        }
        #expect(try sources(.pixels) == [.exact, .exact, .exact, .permutation, .exact, .exact, .exact, .exact])
        #expect(try sources(.patches) == [.exact, .exact, .permutation, .permutation, .exact, .exact, .exact, .exact])
        #expect(try sources(.bilinear) == [ChanceSource](repeating: .permutation, count: 6) + [.exact, .permutation])
    }

    /// All arrangements of 9 pixels, with more and fewer ties: the closed forms are exact to rounding.
    @Test(arguments: [[9, 8, 7, 6, 5, 1, 1, 1, 1], [3, 3, 2, 2, 2, 1, 1, 1, 1], [5, 1, 1, 1, 1, 1, 1, 1, 0]])
    func equalsEnumeration(_ values: [Float]) throws {
        let mask = Mask("##.", "#..", "..#")
        let names = [
            "pointing-game:any", "pointing-game:first", "pointing-game:expected", "iou@25:rectangle", "iou@25:raw", "average-precision",
            "auroc", "rank-accuracy", "mass-accuracy",
        ]
        let metrics = try names.map { try localisation($0, .study) }
        var sums = [Double](repeating: 0, count: names.count)
        var count = 0.0
        func visit(_ prefix: [Float], _ rest: [Float]) {
            guard !rest.isEmpty else {
                let plain = PlainMetrics(values: prefix, mask: mask)
                let on = plain.selected(25)
                // Rank accuracy by its definition on 4 lesion pixels, the tie class by its share.
                let threshold = prefix.sorted(by: >)[3]
                let above = prefix.indices.filter { prefix[$0] > threshold }
                let tied = prefix.indices.filter { prefix[$0] == threshold }
                let drawn = Double(4 - above.count) * Double(tied.count { mask.bits[$0] }) / Double(tied.count)
                let slow = [
                    plain.pointingGameAny, plain.pointingGameFirst, plain.pointingGameExpected,
                    plain.iou(plain.rectangle(on)), plain.iou(on), plain.averagePrecision, plain.auroc,
                    (Double(above.count { mask.bits[$0] }) + drawn) / 4, plain.massShare(prefix),
                ]
                for i in sums.indices { sums[i] += slow[i] }
                count += 1
                return
            }
            // Equal values in equal places are one arrangement; each occurs equally often among all 9!.
            for i in rest.indices where !rest[..<i].contains(rest[i]) {
                var shorter = rest
                shorter.remove(at: i)
                visit(prefix + [rest[i]], shorter)
            }
        }
        visit([], values)
        let map = ScoredMap(pixels: values, height: 3, width: 3)
        let ranking = SiteRanking(map, ScoredMask(mask))
        for (i, metric) in metrics.enumerated() {
            let chance = metric.exactChance(of: ranking)!
            #expect(abs(chance - sums[i] / count) < 1e-12, "\(names[i])")
        }
    }

    /// The closed forms printed in the literature for distinct pixels.
    @Test func closedFormsOfDistinctPixels() throws {
        let n = Self.height * Self.width
        let mask = ScoredMask(Self.mask)
        let m = Double(mask.count)
        let map = ScoredMap(pixels: (0..<n).map { Float($0) }, height: Self.height, width: Self.width)
        let scores = try Evaluator(["average-precision", "dice@10:raw", "rank-accuracy"], protocol: .study)
            .scores(of: map, on: mask, item: "closed")
        let harmonic = (1...n).reduce(0.0) { $0 + 1 / Double($1) }
        let size = Double(n)
        let precision: Double = (harmonic + (size - harmonic) * (m - 1) / (size - 1)) / size
        #expect(abs(scores[0].chance! - precision) < 1e-12)
        // b = floor(480 / 10) + 1 = 49 pixels.
        let dice: Double = 2 * (m * 49 / size) / (m + 49)
        #expect(abs(scores[1].chance! - dice) < 1e-12)
        #expect(scores[2].chance == mask.area)
    }

    /// Order of work, threads and the other metrics asked for change nothing.
    @Test func permutationsDependOnSeedAndItemAlone() async throws {
        let mask = ScoredMask(Self.mask)
        let kinds: [Kind] = [.patches, .bilinear, .gradCAM]
        let names = ["iou@5:raw", "average-precision", "pointing-game"]
        let evaluator = try Evaluator(names, protocol: .corrected, seed: 8, permutations: 100)
        func scores(_ evaluator: Evaluator, _ kind: Kind) throws -> [Score] {
            try evaluator.scores(of: ScoredMap(Self.heatMap(kind)), on: mask, item: kind.rawValue)
        }
        let serial = try kinds.map { try scores(evaluator, $0) }
        let parallel = try await withThrowingTaskGroup(of: (Int, [Score]).self) { group in
            for (i, kind) in kinds.enumerated().reversed() { group.addTask { (i, try scores(evaluator, kind)) } }
            var all = [[Score]](repeating: [], count: kinds.count)
            for try await (i, found) in group { all[i] = found }
            return all
        }
        #expect(parallel == serial)
        for (i, name) in names.enumerated() {
            let alone = try Evaluator([name], protocol: .corrected, seed: 8, permutations: 100)
            for (k, kind) in kinds.enumerated() { #expect(try scores(alone, kind)[0] == serial[k][i]) }
        }
        let other = try Evaluator(names, protocol: .corrected, seed: 9, permutations: 100)
        #expect(try scores(other, .bilinear) != serial[1])
    }

    /// The fast display of permutations against `HeatMap.displayed()`.
    @Test(arguments: [Kind.bilinear, .bicubic, .gradCAM])
    func permutedDisplayIsTheMapsOwn(_ kind: Kind) throws {
        let heat = Self.heatMap(kind)
        let mask = ScoredMask(Self.mask)
        let smooth = SmoothRanking(heat, mask)
        smooth.restore()
        let exact = SiteRanking(ScoredMap(heat), mask)
        // The two displays round differently by 1e-7: pixels tied on a clamped edge in one may differ by that in the other,
        // and an 8-pixel corner block may change sides of a threshold.
        let displayed = heat.displayed()
        for site in smooth.top.sites + exact.top.sites { #expect(displayed.max()! - displayed[site] < 1e-6) }
        for rank in [4, 24, 48, 96, 200] {
            let (fast, slow) = (smooth.selection(rank: rank), exact.selection(rank: rank))
            #expect(abs(fast.total - slow.total) <= 8 && abs(fast.inside - slow.inside) <= 8)
            #expect(abs(smooth.largestComponent(rank: rank).total - exact.largestComponent(rank: rank).total) <= 8)
            #expect(abs(fast.bounds.width - slow.bounds.width) <= 1 && abs(fast.bounds.height - slow.bounds.height) <= 1)
        }
        // Ranks are grouped in 4,096 steps of value; sums are Float32 displays of 480 pixels.
        let precision = try localisation("average-precision", .corrected)
        #expect(abs(precision.value(of: smooth)! - precision.value(of: exact)!) < 1e-3)
        for clipped in [false, true] {
            let energy = smooth.massShare(.displayed, clipped: clipped)!
            #expect(abs(energy - exact.massShare(.displayed, clipped: clipped)!) < 1e-5)
            #expect(abs(smooth.massShare(.raw, clipped: clipped)! - exact.massShare(.raw, clipped: clipped)!) < 1e-5)
        }
    }

    /// The best rectangle against a search of all of them.
    @Test func rectangleCeilingEqualsSearch() {
        for (seed, minimum) in [(UInt64(0), 1), (1, 12), (2, 40), (3, 75), (4, 99)] {
            var random = Philox(seed: seed, name: "ceiling")
            for density in [0.1, 0.4, 0.8] {
                let mask = ScoredMask(Mask(width: 10, height: 10) { _, _ in random.uniform() < density })
                var best = 0.0
                for top in 0..<10 {
                    for bottom in top + 1...10 {
                        for left in 0..<10 {
                            for right in left + 1...10 where (bottom - top) * (right - left) >= minimum {
                                let rectangle = PixelRectangle(top: top, left: left, width: right - left, height: bottom - top)
                                best = max(best, mask.intersectionOverUnion(with: rectangle))
                            }
                        }
                    }
                }
                #expect(abs(mask.bestRectangleIoU(minimumArea: minimum) - best) < 1e-12)
            }
            let box = ScoredMask(Mask(width: 10, height: 10) { y, x in (2..<5).contains(y) && (3..<7).contains(x) })
            var best = 0.0
            for h in 1...10 {
                for w in 1...10 where h * w >= minimum {
                    let inside = min(h, 3) * min(w, 4)
                    best = max(best, Double(inside) / Double(12 + h * w - inside))
                }
            }
            #expect(abs(box.bestRectangleIoU(minimumArea: minimum) - best) < 1e-12)
        }
    }
}
