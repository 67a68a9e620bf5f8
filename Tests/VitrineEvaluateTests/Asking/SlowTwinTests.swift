import Foundation
import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// Metrics that no package computes, or none as we define them, against `SlowTwins`; and that every metric of the registry has something
/// to be compared with.
@Suite struct SlowTwinTests {
    /// Compared with public implementations or NumPy: `AskingFixtureTests`, `MetricFixtureTests`, `LocalisationFixtureTests`; the first
    /// eight with plain loops as well (`PlainMetrics`, `HandExampleTests`).
    static let fromFixtures: Set = [
        "pointing-game", "energy-pointing-game", "iou@K", "dice@K", "average-precision", "auroc", "mass-accuracy", "rank-accuracy",
        "partial-auroc", "shuffled-auroc", "best-iou", "iou-otsu", "iou-mean", "iou-mass50", "top-intersection@K", "distance", "deletion",
        "insertion", "srg", "selectivity", "comprehensiveness", "sufficiency", "monotonicity", "single-deletion", "saco", "average-drop",
        "average-increase", "road", "gini", "entropy", "area-50", "area-90",
    ]

    static let faithfulness: [(name: String, twin: @Sendable (SlowTwins) -> Double)] = [
        ("deletion-rank", { $0.rank(cells: 7, isDeletion: true) }),
        ("deletion-rank:cells=3", { $0.rank(cells: 3, isDeletion: true) }),
        ("insertion-rank", { $0.rank(cells: 7, isDeletion: false) }),
        ("insertion-rank:cells=3", { $0.rank(cells: 3, isDeletion: false) }),
        ("minimal-sufficient-fraction", { Double($0.keeps.firstIndex(of: true) ?? 0) / 30 }),
        // 8 sizes from 1 to 80 % of 30 patches, in equal steps of the logarithm.
        ("sensitivity-n", { $0.sensitivity(sizes: [1, 2, 2, 4, 6, 10, 15, 24].reduce(into: []) { if $0.last != $1 { $0.append($1) } }) }),
        ("faithfulness-correlation", { $0.faithfulnessCorrelation }),
        ("infidelity", { $0.infidelity }),
        // Few, so that each spans several patches: segments within one patch tie, and ties fall by draw.
        ("irof:segments=12", { $0.irof(segments: 12) }),
        ("irof:segments=20", { $0.irof(segments: 20) }),
    ]

    /// Maps that are right, wrong and in between.
    private static func maps(_ witness: ToyWitness) -> [[Double]] {
        var random = Philox(seed: 11, name: "slow twins")
        let noisy = witness.truth.map { $0 + 0.3 * random.normal() }
        return [witness.truth, noisy, (0..<30).map { _ in random.normal() }].map { $0.map { Double(Float($0)) } }
    }

    /// Logits are handed over in Float32: 1e-7 of a probability, and of areas between which a rank lies.
    @Test(arguments: faithfulness.map(\.name))
    func faithfulnessIsItsTwins(_ name: String) throws {
        let twin = try #require(Self.faithfulness.first { $0.name == name }).twin
        for seed in UInt64(1)...3 {
            let witness = ToyWitness(seed: seed)
            for values in Self.maps(witness) {
                let slow = SlowTwins(witness: witness, values: values)
                if name == "minimal-sufficient-fraction", slow.keeps.dropFirst(slow.keeps.firstIndex(of: true) ?? 0).contains(false) {
                    continue  // Comes and goes: see below.
                }
                let found = try Evaluator([name], protocol: .corrected).scores(
                    of: ScoredMap(witness.map(values)), on: nil, witness: witness, item: "twin")[0]
                let value = try #require(found.value, "\(name): \(found.reason ?? "")")
                #expect(abs(value - twin(slow)) < 1e-6, "\(name), \(seed): \(value) against \(twin(slow))")
            }
        }
    }

    /// Where the prediction comes and goes as patches arrive, what is found is a place at which it comes.
    @Test func bisectionEndsWhereThePredictionComes() throws {
        var comesAndGoes = 0
        for seed in UInt64(1)...40 {
            let witness = ToyWitness(seed: seed)
            let values = Self.maps(witness)[2]
            let keeps = SlowTwins(witness: witness, values: values).keeps
            guard keeps[30], !keeps[0] else { continue }
            if keeps.drop(while: { !$0 }).contains(false) { comesAndGoes += 1 }
            let score = try Evaluator(["minimal-sufficient-fraction"], protocol: .corrected).scores(
                of: ScoredMap(witness.map(values)), on: nil, witness: witness, item: "twin")[0]
            let count = Int((try #require(score.value) * 30).rounded())
            #expect(keeps[count] && !keeps[count - 1])
        }
        #expect(comesAndGoes > 3)
    }

    // MARK: Maps made again

    static let pairs = [
        "arithmetic-stability", "quantisation-stability", "gain-stability", "jpeg-stability", "flip-equivariance", "shift-stability",
        "rotation-stability", "seed-repeatability", "max-sensitivity", "average-sensitivity", "local-lipschitz", "relative-input-stability",
        "relative-output-stability", "parameter-randomisation", "efficient-randomisation", "class-sensitivity",
    ]

    @Test(arguments: pairs)
    func comparisonsAreTheirTwins(_ name: String) throws {
        for seed in UInt64(1)...3 {
            var witness = RecordingWitness()
            witness.toy = ToyWitness(seed: seed)
            if name == "seed-repeatability" { witness.toy.method = .noise }
            let map = witness.toy.map(witness.toy.truth)
            let found = try Evaluator([name], protocol: .corrected).scores(of: ScoredMap(map), on: nil, witness: witness, item: "twin")[0]
            let value = try #require(found.value, "\(name): \(found.reason ?? "")")
            let twin = try comparison(name, map, witness)
            #expect(abs(value - twin) < 1e-6 * max(1, abs(twin)), "\(name), \(seed): \(value) against \(twin)")
        }
    }

    /// What a metric of two maps is of what it asked for; and that it asked for what it says.
    private func comparison(_ name: String, _ map: HeatMap, _ witness: RecordingWitness) throws -> Double {
        let toy = witness.toy
        let asked = witness.record.asked
        let image = toy.image.values
        let others = asked.map(\.map.values)
        let spearman = others.map { SlowTwins.spearman(map.values, $0) }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        func differences(_ i: Int) throws -> [Double] {
            zip(image, try #require(asked[i].circumstance.pixels)).map { Double($1) - Double($0) }
        }
        func length(_ values: [Double]) -> Double { SlowTwins.dot(values, values).squareRoot() }
        // One grey level of 255, where the deviation is a quarter.
        let greyLevel = 4.0 / 255
        switch name {
        case "arithmetic-stability":
            #expect(asked.count == 10)
            for i in asked.indices {
                let change = try differences(i)
                #expect(change.allSatisfy { abs($0) < 2.5e-7 } && change.contains { $0 != 0 })
            }
            return mean(spearman)
        case "quantisation-stability":
            #expect(asked.count == 10)
            for i in asked.indices {
                let noise = try differences(i)
                // Uniform from end to end of a grey level: a standard deviation of 1 / sqrt(12).
                #expect(noise.allSatisfy { abs($0) <= greyLevel / 2 + 1e-6 })
                #expect(abs(length(noise) / Double(noise.count).squareRoot() - greyLevel / 12.0.squareRoot()) < 0.03 * greyLevel)
            }
            return mean(spearman)
        case "gain-stability":
            #expect(asked.count == 2)
            for (i, factor) in [1.05, 0.95].enumerated() {
                let expected = image.map { (min(max(factor * (Double($0) * 0.25 + 0.5), 0), 1) - 0.5) * 4 }
                #expect(zip(try #require(asked[i].circumstance.pixels), expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
            }
            return mean(spearman)
        case "jpeg-stability":
            let change = try differences(0)
            #expect(asked.count == 1 && change.contains { abs($0) > greyLevel })
            return spearman[0]
        case "seed-repeatability":
            #expect(asked.count == 3 && Set(others).count == 3)
            return mean(spearman)
        case "flip-equivariance":
            let width = toy.width
            let mirrored = try #require(asked[0].circumstance.pixels)
            #expect(asked.count == 1 && image.indices.allSatisfy { mirrored[$0] == image[$0 / width * width + width - 1 - $0 % width] })
            return SlowTwins.spearman(map.values, (0..<30).map { others[0][$0 / 5 * 5 + 4 - $0 % 5] })
        case "shift-stability", "rotation-stability":
            let motions: [(degrees: Double, down: Double, right: Double)] =
                name == "shift-stability" ? [(0, 2, 0), (0, -2, 0), (0, 0, 2), (0, 0, -2)] : [(3, 0, 0), (-3, 0, 0)]
            #expect(asked.count == motions.count)
            return mean(motions.indices.map { broughtBack(map.values, others[$0], motions[$0]) })
        case "max-sensitivity", "average-sensitivity":
            let changes = others.map { other in
                length(zip(map.values, other).map { Double($0) - Double($1) }) / length(map.values.map(Double.init))
            }
            return name == "max-sensitivity" ? changes.max()! : mean(changes)
        case "local-lipschitz":
            func scaled(_ values: [Float]) -> [Double] { values.map { Double($0) / Double(values.map(abs).max()!) } }
            return try others.indices.map { i in
                length(zip(scaled(map.values), scaled(others[i])).map { $0 - $1 }) / length(try differences(i))
            }.max()!
        case "relative-input-stability", "relative-output-stability":
            for i in asked.indices { #expect(try differences(i).allSatisfy { abs($0) <= 0.02 + 1e-6 }) }
            let own = toy.weights.map { SlowTwins.dot($0, toy.patchMeans(toy.image)) }
            return try others.indices.map { i -> Double in
                let change = length(zip(map.values, others[i]).map { (Double($0) - Double($1)) / Double($0) })
                if name == "relative-input-stability" { return change / length(zip(try differences(i), image).map { $0 / Double($1) }) }
                let pixels = Tensor(toy.image.shape, try #require(asked[i].circumstance.pixels))
                let moved = toy.weights.map { SlowTwins.dot($0, toy.patchMeans(pixels)) }
                // As the toy hands them over.
                return change / length(zip(own, moved).map { Double(Float($0)) - Double(Float($1)) })
            }.max()!
        case "parameter-randomisation":
            let ranges = asked.map { if case .randomised(let range, draw: 0) = $0.circumstance { range } else { 0..<0 } }
            #expect(ranges == (1...5).map { 0..<$0 })
            return abs(spearman[4])
        case "efficient-randomisation":
            func entropy(_ values: [Float]) -> Double {
                let (low, high) = (Double(values.min()!), Double(values.max()!))
                let bins = Dictionary(grouping: values) { min(Int((Double($0) - low) / (high - low) * 100), 99) }.values.map(\.count)
                return bins.reduce(0) { $0 - Double($1) / Double(values.count) * log(Double($1) / Double(values.count)) }
            }
            return entropy(others[0]) / entropy(map.values) - 1
        case "class-sensitivity":
            let logits = toy.weights.map { SlowTwins.dot($0, toy.patchMeans(toy.image)) }
            let strongest = logits[0] > logits[1] ? 0 : 1
            guard case .target(strongest) = asked[0].circumstance else {
                Issue.record("another class than the strongest is asked for")
                return .nan
            }
            return spearman[0]
        default:
            Issue.record("\(name) has no twin")
            return .nan
        }
    }

    /// Spearman over the cells whose content stayed in the image, each compared with the moved map at the place it went to.
    private func broughtBack(_ own: [Float], _ moved: [Float], _ motion: (degrees: Double, down: Double, right: Double)) -> Double {
        let (sine, cosine) = (sin(motion.degrees * .pi / 180), cos(motion.degrees * .pi / 180))
        var (kept, back): ([Float], [Float]) = ([], [])
        for row in 0..<6 {
            for column in 0..<5 {
                // In pixels from the centre of 24 x 20 pixels.
                let (y, x) = (Double(4 * row + 2) - 12, Double(4 * column + 2) - 10)
                let (toY, toX) = (sine * x + cosine * y + motion.down, cosine * x - sine * y + motion.right)
                guard abs(toY) <= 12, abs(toX) <= 10 else { continue }
                // In cells; beyond the outermost centres their values go on.
                let (u, v) = (min(max((toY + 12) / 4 - 0.5, 0), 5), min(max((toX + 10) / 4 - 0.5, 0), 4))
                var sum = 0.0
                for r in 0..<6 {
                    for c in 0..<5 {
                        sum += max(0, 1 - abs(u - Double(r))) * max(0, 1 - abs(v - Double(c))) * Double(moved[r * 5 + c])
                    }
                }
                kept.append(own[row * 5 + column])
                back.append(Float(sum))
            }
        }
        return SlowTwins.spearman(kept, back)
    }

    // MARK: Lesions

    /// Maxima and lesions by plain loops over patches and pixels.
    @Test func lesionsAreTheirTwins() throws {
        for seed in UInt64(0)..<12 {
            var random = Philox(seed: seed, name: "lesions")
            let (rows, columns, side) = (9, 11, 8)
            let values = (0..<rows * columns).map { _ in Float(random.normal()) }
            let centres = (0..<4).map { _ in (8 + random.below(56), 8 + random.below(72), 3 + random.below(6)) }
            let isLesion = { (y: Int, x: Int) in centres.contains { abs(y - $0.0) < $0.2 && abs(x - $0.1) < $0.2 } }
            let mask = Mask(width: columns * side, height: rows * side) { y, x in isLesion(y, x) }
            let map = HeatMap(
                rows: rows, columns: columns, values: values, height: rows * side, width: columns * side, display: .attention)
            let (found, hits) = lesionTwin(values, rows, columns, side, isLesion)
            let scores = try Evaluator(["lesion-hits", "lesion-hits@2", "lesion-sensitivity"], protocol: .corrected, permutations: 2)
                .scores(
                    of: ScoredMap(map), on: ScoredMask(mask), item: "lesions")
            func share(_ maxima: some Sequence<Set<Int>>) -> Double {
                Double(maxima.reduce(into: Set<Int>()) { $0.formUnion($1) }.count) / Double(found)
            }
            var beforeSecondMiss: [Set<Int>] = []
            for hit in hits {
                if hit.isEmpty && beforeSecondMiss.contains([]) { break }
                beforeSecondMiss.append(hit)
            }
            let expected = [share(hits.prefix(found)), share(hits.prefix(2)), share(beforeSecondMiss)]
            for (score, twin) in zip(scores, expected) { #expect(abs(score.value! - twin) < 1e-12, "\(seed)") }
        }
    }

    /// The number of lesions, and for every maximum, highest first, the lesions within a patch of its centre.
    private func lesionTwin(
        _ values: [Float], _ rows: Int, _ columns: Int, _ side: Int, _ isLesion: (Int, Int) -> Bool
    ) -> (lesions: Int, hits: [Set<Int>]) {
        let (height, width) = (rows * side, columns * side)
        var labels: [[Int]] = [[Int]](repeating: [Int](repeating: -1, count: width), count: height)
        var count = 0
        for y in 0..<height {
            for x in 0..<width where isLesion(y, x) && labels[y][x] < 0 {
                var open = [(y, x)]
                while let (v, u) = open.popLast() {
                    guard v >= 0, u >= 0, v < height, u < width, isLesion(v, u), labels[v][u] < 0 else { continue }
                    labels[v][u] = count
                    open += [(v - 1, u), (v + 1, u), (v, u - 1), (v, u + 1)]
                }
                count += 1
            }
        }
        var smooth = [[Double]](repeating: [Double](repeating: 0, count: columns), count: rows)
        for row in 0..<rows {
            for column in 0..<columns {
                var total = 0.0
                for dy in -4...4 {
                    for dx in -4...4 {
                        let weight = exp(-Double(dy * dy + dx * dx) / 2)
                        let at = min(max(row + dy, 0), rows - 1) * columns + min(max(column + dx, 0), columns - 1)
                        smooth[row][column] += weight * Double(values[at])
                        total += weight
                    }
                }
                smooth[row][column] /= total
            }
        }
        var maxima: [(value: Double, row: Int, column: Int)] = []
        for row in 0..<rows {
            for column in 0..<columns {
                let around = (max(0, row - 2)...min(rows - 1, row + 2)).flatMap { r in
                    (max(0, column - 2)...min(columns - 1, column + 2)).map { smooth[r][$0] }
                }
                if smooth[row][column] >= around.max()! - 1e-13 { maxima.append((smooth[row][column], row, column)) }
            }
        }
        let hits = maxima.sorted { $0.value > $1.value }.map { maximum -> Set<Int> in
            var hit: Set<Int> = []
            let (cy, cx) = (maximum.row * side + side / 2, maximum.column * side + side / 2)
            for y in 0..<height {
                for x in 0..<width where labels[y][x] >= 0 {
                    if hypot(Double(y - cy), Double(x - cx)) <= Double(side) + 1e-9 { hit.insert(labels[y][x]) }
                }
            }
            return hit
        }
        return (count, hits)
    }

    // MARK: The registry

    /// A new metric has a twin, or a public implementation that it is compared with.
    @Test func everyMetricIsComparedWithSomething() {
        let stems = (Self.faithfulness.map(\.name) + Self.pairs).map { String($0.prefix { $0 != ":" }) }
        let compared = Self.fromFixtures.union(stems).union(["lesion-hits@K", "lesion-sensitivity"])
        #expect(compared == Set(MetricRegistry.all.map { $0.facts.identifier }))
    }
}
