import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// A network whose workings are known: each class adds up weighted patch means, and an absent patch adds nothing.
///
/// logit_c = Σ_i w_ci mean_i, so that the contribution of patch i to the explained class is exactly w_ci mean_i.
struct ToyWitness: Witness {
    /// What the witness says when it is asked for the map again.
    enum Method {
        /// The contributions.
        case contributions
        /// Independent uniform values, new ones every time.
        case noise
        /// The same values whatever is asked.
        case blind(HeatMap)
        /// No one can be asked.
        case file
    }

    var name = "toy"
    var seed: UInt64 = 1
    var image: Tensor
    var scale = ChannelScale(mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25])
    var patches: (rows: Int, columns: Int)
    var needsPatches = false
    var explainedClass = 0
    var layers = 5
    let memory = WitnessMemory()
    /// One row per class.
    var weights: [[Double]]
    var method = Method.contributions
    /// Inputs that were asked about so far.
    let asked = Counter()

    final class Counter { var count = 0 }

    /// Patches that speak strongly for the explained class are bright and all others dark, so that removal by any rule takes something
    /// away; contributions have the signs of the weights. The explained class is the last one: where all logits are 0, the first wins.
    init(rows: Int = 6, columns: Int = 5, side: Int = 4, classes: Int = 3, seed: UInt64 = 1, weights: [[Double]]? = nil) {
        patches = (rows, columns)
        var random = Philox(seed: seed, name: "toy witness")
        // Few patches matter, as lesions do.
        let drawn = (0..<classes).map { _ in
            (0..<rows * columns).map { _ in random.uniform() < 0.3 ? random.normal() : 0.05 * random.normal() }
        }
        self.weights = weights ?? drawn
        explainedClass = weights == nil ? classes - 1 : 0
        var pixels = [Float](repeating: 0, count: 3 * rows * side * columns * side)
        for i in pixels.indices {
            let (y, x) = (i / (columns * side) % (rows * side), i % (columns * side))
            let isBright = drawn[classes - 1][y / side * columns + x / side] > 0.3
            pixels[i] = Float((isBright ? 1.7 : 0.2) + 0.1 * random.uniform())
        }
        image = Tensor([3, rows * side, columns * side], pixels)
    }

    func patchMeans(_ pixels: Tensor) -> [Double] {
        let values = pixels.values
        let (height, width) = (pixels.shape[1], pixels.shape[2])
        let (h, w) = (height / patches.rows, width / patches.columns)
        return (0..<patches.rows * patches.columns).map { patch in
            var sum = 0.0
            for c in 0..<3 {
                for y in 0..<h {
                    for x in 0..<w {
                        sum += Double(values[(c * height + patch / patches.columns * h + y) * width + patch % patches.columns * w + x])
                    }
                }
            }
            return sum / Double(3 * h * w)
        }
    }

    func contributions(_ means: [Double], _ weights: [Double]) -> [Double] { zip(means, weights).map(*) }

    /// Of the explained class to the image.
    var truth: [Double] { contributions(patchMeans(image), weights[explainedClass]) }

    func map(_ values: [Double]) -> HeatMap {
        HeatMap(
            rows: patches.rows, columns: patches.columns, values: values.map { Float($0) }, height: image.shape[1], width: image.shape[2],
            display: .attention)
    }

    func value(_ logits: [Float], _ scale: AnswerScale) -> Double { answer(logits, explainedClass, scale) }

    func logits(of inputs: some Sequence<ChangedInput>, _ body: (Int, [Float]) throws -> Void) throws {
        let own = patchMeans(image)
        for (i, input) in inputs.enumerated() {
            asked.count += 1
            let means: [Double]
            switch input {
            case .pixels(let pixels): means = patchMeans(pixels)
            case .averaged(let kept):
                let mean = own.reduce(0, +) / Double(own.count)
                means = own.indices.map { kept.contains($0) ? own[$0] : mean }
            case .patches(let kept), .visible(let kept):
                var present = [Double](repeating: 0, count: own.count)
                for patch in kept { present[patch] = own[patch] }
                means = present
            }
            try body(i, weights.map { Float(contributions(means, $0).reduce(0, +)) })
        }
    }

    func maps(under circumstances: some Sequence<Circumstance>, _ body: (Int, HeatMap) throws -> Void) throws {
        for (i, circumstance) in circumstances.enumerated() {
            switch method {
            case .file: throw Undefined("the map comes from a file")
            case .blind(let map): try body(i, map)
            case .noise:
                asked.count += 1
                var random = Philox(seed: seed, name: "noise", index: UInt64(asked.count))
                try body(i, map(truth.map { _ in random.uniform() }))
            case .contributions: try body(i, map(explained(circumstance)))
            }
        }
    }

    private func explained(_ circumstance: Circumstance) -> [Double] {
        var weights = weights[explainedClass]
        var means = patchMeans(image)
        switch circumstance {
        case .input(.pixels(let pixels)), .drawn(_, .pixels(let pixels)): means = patchMeans(pixels)
        case .input(.patches(let kept)), .input(.visible(let kept)), .input(.averaged(let kept)), .drawn(_, .patches(let kept)),
            .drawn(_, .visible(let kept)), .drawn(_, .averaged(let kept)):
            for i in means.indices where !kept.contains(i) { means[i] = 0 }
        case .target(let c): weights = self.weights[c]
        case .seed: break
        case .randomised(let range, let draw):
            var random = Philox(seed: 99, name: "random weights", index: UInt64(draw))
            let share = Double(range.count) / Double(layers)
            for i in weights.indices { weights[i] = (1 - share) * weights[i] + 0.1 * share * random.normal() }
        }
        return contributions(means, weights)
    }
}

/// An answer read for a class.
func answer(_ logits: [Float], _ c: Int, _ scale: AnswerScale) -> Double {
    let y = logits.map(Double.init)
    guard scale == .probability else { return y[c] }
    let total = y.reduce(0) { $0 + exp($1 - y[c]) }
    return 1 / total
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif
