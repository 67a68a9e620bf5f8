import Foundation
import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// Metrics that ask the model, worked out once more from their definitions with plain loops over a `ToyWitness`: nothing is shared with
/// the metrics but the streams of random draws, which their sources name.
struct SlowTwins {
    let witness: ToyWitness
    /// One value per patch.
    let values: [Double]

    private var patches: Int { values.count }
    private var rows: Int { witness.patches.rows }
    private var columns: Int { witness.patches.columns }

    /// Of the explained class, when only these patches are left.
    private func probability(_ kept: Set<Int>) -> Double {
        let logits = logits(kept)
        return exp(logits[witness.explainedClass]) / logits.reduce(0) { $0 + exp($1) }
    }

    private func logits(_ kept: Set<Int>) -> [Double] {
        let means = witness.patchMeans(witness.image)
        return witness.weights.map { row in kept.reduce(0) { $0 + row[$1] * means[$1] } }
    }

    private var everything: Set<Int> { Set(0..<patches) }

    /// Most important first.
    private var order: [Int] { (0..<patches).sorted { values[$0] > values[$1] } }

    // MARK: Faithfulness

    /// Where the area of the map's order of cells lies between ten random orders and a greedy search.
    func rank(cells: Int, isDeletion: Bool) -> Double {
        let steps = 20
        var members: [[Int]] = []
        for row in 0..<min(cells, rows) {
            for column in 0..<min(cells, columns) {
                members.append(
                    (0..<patches).filter {
                        $0 / columns * min(cells, rows) / rows == row && $0 % columns * min(cells, columns) / columns == column
                    })
            }
        }
        func answer(_ gone: [Int]) -> Double {
            let inside = Set(gone.flatMap { members[$0] })
            return probability(isDeletion ? everything.subtracting(inside) : inside)
        }
        func area(_ order: [Int]) -> Double {
            let curve = (0...steps).map { answer(Array(order.prefix(Int((Double($0 * order.count) / Double(steps)).rounded())))) }
            let trapezoids = (1...steps).map { (curve[$0 - 1] + curve[$0]) / 2 }
            return trapezoids.reduce(0, +) / Double(steps)
        }
        let random = (0..<10).map { draw -> Double in
            var random = witness.random("random-cells", draw)
            return area(random.permutation(members.count))
        }
        let floor = random.reduce(0, +) / 10
        var greedy: [Int] = []
        while greedy.count < members.count {
            let open = members.indices.filter { !greedy.contains($0) }
            let answers = open.map { answer(greedy + [$0]) }
            let best = isDeletion ? answers.min()! : answers.max()!
            greedy.append(open[answers.firstIndex(of: best)!])
        }
        let means = members.map { cell in cell.reduce(0) { $0 + values[$1] } / Double(cell.count) }
        let own = members.indices.sorted { means[$0] > means[$1] }
        return (area(own) - floor) / (area(greedy) - floor)
    }

    /// Whether the top patches alone keep the class, by their number.
    var keeps: [Bool] {
        (0...patches).map { count in
            let logits = logits(Set(order.prefix(count)))
            return logits.firstIndex(of: logits.max()!) == witness.explainedClass
        }
    }

    /// The sums of the map over sets of patches, and how far the probability falls without them.
    private func subsets(_ purpose: String, _ sizes: [Int]) -> (sums: [Double], falls: [Double]) {
        let sets = sizes.indices.map { i in
            var random = witness.random(purpose, i)
            return random.permutation(patches).prefix(sizes[i])
        }
        let whole = probability(everything)
        return (
            sets.map { $0.reduce(0) { $0 + values[$1] } }, sets.map { whole - probability(everything.subtracting($0)) }
        )
    }

    func sensitivity(sizes: [Int]) -> Double {
        let all = sizes.map { size -> Double in
            let (sums, falls) = subsets("sensitivity-\(size)", [Int](repeating: size, count: 100))
            return Self.pearson(sums, falls)
        }
        return all.reduce(0, +) / Double(all.count)
    }

    var faithfulnessCorrelation: Double {
        let (sums, falls) = subsets("faithfulness-correlation-6", [Int](repeating: 6, count: 200))
        return Self.pearson(sums, falls)
    }

    /// The least mean square of falls against the best multiple of the sums.
    var infidelity: Double {
        let sizes = (0..<100).map { sample -> Int in
            var random = witness.random("infidelity-size", sample)
            return 1 + random.below(patches)
        }
        let (sums, falls) = subsets("infidelity", sizes)
        // The residual of a regression through the origin.
        let (xx, xy, yy) = (Self.dot(sums, sums), Self.dot(sums, falls), Self.dot(falls, falls))
        return (yy - xy * xy / xx) / 100
    }

    /// The share of the answer that is left while segments turn to the mean colour, over the share of segments.
    func irof(segments: Int) -> Double {
        let (height, width) = (witness.height, witness.width)
        let plane = height * width
        let labels = slic(segments)
        let names = Set(labels).sorted()
        let side = height / rows
        func importance(_ segment: Int) -> Double {
            let own = (0..<plane).filter { labels[$0] == segment }
            return own.reduce(0) { $0 + values[$1 / width / side * columns + $1 % width / side] } / Double(own.count)
        }
        let ranked = names.map { ($0, importance($0)) }.sorted { $0.1 > $1.1 }.map(\.0)
        let image = witness.image.values
        let means = (0..<3).map { c in (0..<plane).reduce(0.0) { $0 + Double(image[c * plane + $1]) } / Double(plane) }
        func answer(_ count: Int) -> Double {
            let gone = Set(ranked.prefix(count))
            var sums = [Double](repeating: 0, count: patches)
            for c in 0..<3 {
                for i in 0..<plane {
                    let value = gone.contains(labels[i]) ? means[c] : Double(image[c * plane + i])
                    sums[i / width / side * columns + i % width / side] += value / Double(3 * side * side)
                }
            }
            let logits = witness.weights.map { Self.dot($0, sums) }
            return exp(logits[witness.explainedClass]) / logits.reduce(0) { $0 + exp($1) }
        }
        let curve = (0...ranked.count).map { answer($0) / answer(0) }
        let trapezoids = (1..<curve.count).map { (curve[$0 - 1] + curve[$0]) / 2 }
        return trapezoids.reduce(0, +) / Double(ranked.count)
    }

    /// SLIC as Achanta et al. describe it, pixel by pixel over all centres.
    private func slic(_ count: Int) -> [Int] {
        let (height, width) = (witness.height, witness.width)
        let plane = height * width
        let levels = witness.image.values.enumerated().map { 100 * (Double($1) * 0.25 + 0.5) }
        let spacing = (Double(plane) / Double(count)).squareRoot()
        let (down, across) = (Int((Double(height) / spacing).rounded()), Int((Double(width) / spacing).rounded()))
        struct Centre { var y, x: Double, color: [Double] }
        var centres: [Centre] = []
        for row in 0..<down {
            for column in 0..<across {
                let y = (Double(row) + 0.5) / Double(down) * Double(height) - 0.5
                let x = (Double(column) + 0.5) / Double(across) * Double(width) - 0.5
                let pixel = Int(y.rounded()) * width + Int(x.rounded())
                centres.append(Centre(y: y, x: x, color: (0..<3).map { levels[$0 * plane + pixel] }))
            }
        }
        var labels = [Int](repeating: 0, count: plane)
        for _ in 0..<10 {
            for pixel in 0..<plane {
                let (y, x) = (Double(pixel / width), Double(pixel % width))
                var best = (distance: Double.infinity, label: labels[pixel])
                for (k, centre) in centres.enumerated() where abs(y - centre.y) <= spacing && abs(x - centre.x) <= spacing {
                    let place = (y - centre.y) * (y - centre.y) + (x - centre.x) * (x - centre.x)
                    let color = (0..<3).reduce(0.0) { $0 + pow(levels[$1 * plane + pixel] - centre.color[$1], 2) }
                    let distance = color + 100 / (spacing * spacing) * place
                    if distance < best.distance { best = (distance, k) }
                }
                labels[pixel] = best.label
            }
            for k in centres.indices {
                let own = (0..<plane).filter { labels[$0] == k }
                guard !own.isEmpty else { continue }
                let n = Double(own.count)
                centres[k] = Centre(
                    y: own.reduce(0) { $0 + Double($1 / width) } / n, x: own.reduce(0) { $0 + Double($1 % width) } / n,
                    color: (0..<3).map { c in own.reduce(0) { $0 + levels[c * plane + $1] } / n })
            }
        }
        return labels
    }

    // MARK: Sums

    static func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    static func pearson(_ a: [Double], _ b: [Double]) -> Double {
        let n = Double(a.count)
        let (sumA, sumB) = (a.reduce(0, +), b.reduce(0, +))
        let covariance = dot(a, b) - sumA * sumB / n
        return covariance / ((dot(a, a) - sumA * sumA / n) * (dot(b, b) - sumB * sumB / n)).squareRoot()
    }

    /// Ranks by counting: one more than how many are smaller, and half of the others that are equal.
    static func spearman(_ a: [Float], _ b: [Float]) -> Double {
        func ranks(_ values: [Float]) -> [Double] {
            values.map { value in Double(values.count { $0 < value }) + Double(values.count { $0 == value } + 1) / 2 }
        }
        return pearson(ranks(a), ranks(b))
    }
}
