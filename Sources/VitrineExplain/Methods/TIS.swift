import VitrineImage
import VitrineModel
import VitrineTensor

/// Transformer input sampling (Englebert et al. 2023, https://arxiv.org/abs/2308.02257).
///
/// Every channel of every block's output is a vector over patches; k-means with `masks` clusters gives as many raw masks, of each of which the top
/// `keep` share of patches is kept, really dropped otherwise. Map_i = the mean probability over the masks that keep i; a patch that none keeps takes the
/// least value. Beside it the standard error of that mean. `tolerance`: `Sampling`. `masks` shortened passes, and the clustering: O(depth · width · masks · patches) per round.
struct TIS: Explainer {
    static let methods = [
        Method(
            "tis", "mean probability over masks clustered from the tokens", "Englebert et al. 2023, arXiv:2308.02257",
            family: .perturbation,
            options: "masks=1024, keep=0.5, \(Sampling.option), seed=0"
        ) { options throws(MethodError) in try TIS(&options) }
    ]

    var sampling: Sampling
    private var masks: Int { sampling.most }
    var keep: Double
    var seed: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        sampling = try Sampling(&options, most: try options.takeCount("masks", default: 1024))
        keep = try options.takeNumber("keep", default: 0.5, .share)
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) -> Needs {
        Needs(TraceRequest(forward: Set((1...network.depth).map(Site.tokens))), needsClass: true)
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes { Passes(forward: Double(masks) * keep) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let answer = try probe.answer(.probability)
        let patches = subject.grid.count
        let width = subject.network.width
        var vectors = Tensor([subject.depth * width, patches])
        for l in 1...subject.depth {
            let rows = subject.patchRows(subject.values().value(.tokens(l)))
            rows.withSpan { s in
                vectors.withMutableSpan { v in
                    for i in 0..<patches { for c in 0..<width { v[((l - 1) * width + c) * patches + i] = s[i * width + c] } }
                }
            }
        }
        let centroids = clustered(vectors, count: min(masks, vectors.shape[0]), subject)
        let kept = max(1, Int((keep * Double(patches)).rounded()))
        let sets = (0..<centroids.shape[0]).map { m -> [Int] in
            let values = centroids[m].values
            // Equal values: the lower patch first.
            return Array(values.indices.sorted { (values[$0], $1) > (values[$1], $0) }.prefix(kept)).sorted()
        }
        var halves = [KeptMeans(count: patches), KeptMeans(count: patches)]
        let removal = try subject.removal(.drop)
        var notes = try sampling.limited(to: sets.count).run { range in
            try probe.logits(keeping: sets[range], by: removal) { k, logits in
                let m = range.lowerBound + k
                halves[m % 2].add(sets[m], Double(answer.value(logits: logits)))
            }
        } halves: {
            (halves[0].map, halves[1].map)
        }
        let all = halves[0].joined(with: halves[1])
        notes["never-kept"] = [Double(all.neverKept)]
        return MethodResult(subject.patchMap(all.map, .relevance), notes: notes, error: subject.patchMap(all.errors, .relevance))
    }

    /// The mean answer over the sets that keep a patch.
    private struct KeptMeans {
        private var sums: [Double]
        private var squares: [Double]
        private var counts: [Double]

        init(count: Int) {
            sums = [Double](repeating: 0, count: count)
            (squares, counts) = (sums, sums)
        }

        mutating func add(_ set: [Int], _ value: Double) {
            for i in set {
                sums[i] += value
                squares[i] += value * value
                counts[i] += 1
            }
        }

        func joined(with other: KeptMeans) -> KeptMeans {
            var result = self
            for i in sums.indices {
                result.sums[i] += other.sums[i]
                result.squares[i] += other.squares[i]
                result.counts[i] += other.counts[i]
            }
            return result
        }

        var neverKept: Int { counts.count { $0 == 0 } }

        /// Standard errors of the means, as if sets were drawn independently; where none or one keeps a patch, the whole range of the map.
        var errors: [Float] {
            let map = map
            let range = (map.max() ?? 0) - (map.min() ?? 0)
            return sums.indices.map { i in
                guard counts[i] > 1 else { return range }
                let mean = sums[i] / counts[i]
                return Float((max(0, squares[i] / counts[i] - mean * mean) / (counts[i] - 1)).squareRoot())
            }
        }

        /// A patch that no set keeps takes the least mean.
        var map: [Float] {
            let means = zip(sums, counts).map { $1 > 0 ? $0 / $1 : nil }
            let least = means.compactMap { $0 }.min() ?? 0
            return means.map { Float($0 ?? least) }
        }
    }

    /// Centroids `[count, patches]` after at most 25 rounds of Lloyd's algorithm from distinct random vectors; an empty cluster keeps its centroid.
    private func clustered(_ vectors: Tensor, count: Int, _ subject: Subject) -> Tensor {
        let (n, d) = (vectors.shape[0], vectors.shape[1])
        var random = subject.random("tis/\(seed)")
        var centroids = Tensor([count, d])
        for (m, i) in random.permutation(n).prefix(count).enumerated() { centroids.replace(from: m * d, with: vectors[i]) }
        var owner = [Int](repeating: -1, count: n)
        var products = Tensor([n, count])
        for _ in 0..<25 {
            multiplyRows(vectors, centroids.matrix.transposed, into: &products)
            let norms = (0..<count).map { Float(squaredNorm([centroids[$0]])) }
            var moved = false
            products.withSpan { p in
                for i in 0..<n {
                    var (best, place) = (Float.infinity, 0)
                    for m in 0..<count {
                        let distance = norms[m] - 2 * p[i * count + m]
                        if distance < best { (best, place) = (distance, m) }
                    }
                    if owner[i] != place {
                        owner[i] = place
                        moved = true
                    }
                }
            }
            if !moved { break }
            var sums = [Double](repeating: 0, count: count * d)
            var sizes = [Int](repeating: 0, count: count)
            vectors.withSpan { v in
                for i in 0..<n {
                    sizes[owner[i]] += 1
                    for j in 0..<d { sums[owner[i] * d + j] += Double(v[i * d + j]) }
                }
            }
            centroids.withMutableSpan { c in
                for m in 0..<count where sizes[m] > 0 { for j in 0..<d { c[m * d + j] = Float(sums[m * d + j] / Double(sizes[m])) } }
            }
        }
        return centroids
    }
}
