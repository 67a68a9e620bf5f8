import VitrineImage
import VitrineModel
import VitrineTensor

/// Randomised input sampling (Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421).
///
/// Map(u) = 1 / (N p) sum_i p_c(x M_i) M_i(u): M_i a grid of Bernoulli(p) cells brought to the image by bilinear interpolation and a random
/// shift, so that what is masked has the mean colour. At `level=token` the cells are patches that really leave the sequence. The standard
/// error of each value stands beside the map. One pass per mask, shortened ones at the level of tokens, where the
/// draws are those of `lime` with the same seed, so that both read the same passes at p = 0.5. `tolerance`: `Sampling`.
struct RISE: Explainer {
    static let methods = [
        Method(
            "rise", "mean of random masks, weighted by the probability under each", "Petsiuk et al. 2018, arXiv:1806.07421",
            family: .perturbation, options: "masks=2000, cells=7, p=0.5, level=pixel|token, \(Sampling.option), seed=0"
        ) { options throws(MethodError) in try RISE(&options) }
    ]

    var sampling: Sampling
    private var masks: Int { sampling.most }
    var cells: Int
    var probability: Double
    var seed: Int
    var level: InputLevel

    init(_ options: inout MethodOptions) throws(MethodError) {
        sampling = try Sampling(&options, most: try options.takeCount("masks", default: 2000))
        cells = try options.takeCount("cells", default: 7)
        probability = try options.takeNumber("p", default: 0.5, .betweenZeroAndOne)
        seed = try options.takeSeed()
        level = try options.takeWord("level", default: .pixel)
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(masks) * (level == .token ? probability : 1))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let answer = try probe.answer(.probability)
        let count = level == .pixel ? subject.height * subject.width : subject.grid.count
        var total = WeightedMaskSum(count: count)
        var halves = [total, total]
        let removal = try subject.removal(.drop)
        let notes = try sampling.run { range in
            func add(_ k: Int, _ logits: [Float]) {
                // A mask is drawn again when its answer comes: cheaper than keeping it.
                let (i, weight) = (range.lowerBound + k, Double(answer.value(logits: logits)))
                let mask = mask(subject, i)
                total.add(mask, weight: weight)
                if sampling.mayStop { halves[i % 2].add(mask, weight: weight) }
            }
            let shares = range.lazy.map { mask(subject, $0) }
            switch level {
            case .pixel: try probe.logits(of: shares.map { .pixels(dimmed(subject.image, by: $0)) }, add)
            case .token: try probe.logits(keeping: shares.map { share in share.indices.filter { share[$0] == 1 } }, by: removal, add)
            }
        } halves: {
            (halves[0].result(dividedBy: probability).mean, halves[1].result(dividedBy: probability).mean)
        }
        let (map, error) = total.result(dividedBy: probability)
        return level == .pixel
            ? MethodResult(subject.pixelMap(map, .pixels), notes: notes, error: subject.pixelMap(error, .pixels))
            : MethodResult(subject.patchMap(map, .relevance), notes: notes, error: subject.patchMap(error, .relevance))
    }

    /// The `index`-th mask, 0...1 per pixel, or 0 and 1 per patch.
    func mask(_ subject: Subject, _ index: Int) -> [Float] {
        guard level == .pixel else {
            var random = subject.coalitions(seed, index)
            return (0..<subject.grid.count).map { _ in random.uniform() < probability ? 1 : 0 }
        }
        var random = subject.random("rise/\(seed)", index)
        let (height, width) = (subject.height, subject.width)
        let cellHeight = (height + cells - 1) / cells
        let cellWidth = (width + cells - 1) / cells
        let coarse = (0..<cells * cells).map { _ -> Float in random.uniform() < probability ? 1 : 0 }
        let (top, left) = (random.below(cellHeight), random.below(cellWidth))
        // Brought to one cell more than the image, so that the shift moves it freely.
        let (tall, wide) = ((cells + 1) * cellHeight, (cells + 1) * cellWidth)
        let large = HeatMap(
            rows: cells, columns: cells, values: coarse, height: tall, width: wide,
            display: DisplayRule(upsampling: .bilinear, normalisation: .none)
        ).displayed()
        var mask = [Float](repeating: 0, count: height * width)
        for y in 0..<height {
            for x in 0..<width { mask[y * width + x] = large[(y + top) * wide + x + left] }
        }
        return mask
    }

    /// The normalised image times a mask of its pixels.
    private func dimmed(_ image: Tensor, by mask: [Float]) -> Tensor {
        var result = image
        result.withMutableSpan { span in for i in 0..<span.count { span[i] *= mask[i % mask.count] } }
        return result
    }
}
