import VitrineImage
import VitrineModel
import VitrineTensor

/// ViT-CX (Xie et al. 2023, https://arxiv.org/abs/2211.03064): masks from clustered feature maps, scored by what they keep under noise.
///
/// The channels of the last block's norm1 output, brought to the image and each to [0, 1], are masks; masks whose cosine distance stays within `threshold`
/// under complete linkage are summed and brought to [0, 1] again. `score_i = p(x M_i + n_i) - p(x + n_i) + p(x)` with `n_i = noise N(0, 1) (1 - M_i)`;
/// map(u) = `1/N sum_i score_i M_i(u) / sum_j M_j(u)`. A constant channel is left out (the authors' code makes NaN of it). Two passes per mask.
struct ViTCX: Explainer {
    static let methods = [
        Method(
            "vit-cx", "feature maps clustered into masks, scored under noise", "Xie et al. 2023, arXiv:2211.03064", family: .perturbation,
            options: "threshold=0.1, noise=0.1, seed=0"
        ) { options throws(MethodError) in try ViTCX(&options) }
    ]

    var threshold: Double
    var noise: Float
    var seed: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        threshold = try options.takeNumber("threshold", default: 0.1, .atLeastZero)
        noise = try options.takeNumber("noise", default: 0.1, .atLeastZero)
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(TraceRequest(forward: [.norm1(network.depth - 1)]), needsClass: true) }

    /// The number of clusters is known afterwards; a tenth of the channels is usual.
    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes { Passes(forward: Double(network.width) / 5) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let answer = try probe.answer(.probability)
        let masks = masks(subject)
        guard !masks.isEmpty else { throw MethodFailure("every channel of the last norm1 is constant over the patches") }
        let own = Double(answer.value(logits: subject.logits))
        var kept = [Double](repeating: 0, count: masks.count)
        var disturbed = kept
        let inputs = (0..<2 * masks.count).lazy.map { k in ChangedInput.pixels(changed(subject, masks[k / 2], k / 2, isMasked: k % 2 == 0))
        }
        try probe.logits(of: inputs) { k, logits in
            let p = Double(answer.value(logits: logits))
            if k % 2 == 0 { kept[k / 2] = p } else { disturbed[k / 2] = p }
        }
        let plane = subject.height * subject.width
        var (weighted, cover) = ([Double](repeating: 0, count: plane), [Double](repeating: 0, count: plane))
        for (i, mask) in masks.enumerated() {
            let score = kept[i] - disturbed[i] + own
            for u in 0..<plane {
                weighted[u] += score * Double(mask[u])
                cover[u] += Double(mask[u])
            }
        }
        let map = (0..<plane).map { u in Float(cover[u] > 0 ? weighted[u] / cover[u] / Double(masks.count) : 0) }
        return MethodResult(subject.pixelMap(map, .pixels), notes: ["masks": [Double(masks.count)]])
    }

    /// Masks on the pixels, 0...1.
    private func masks(_ subject: Subject) -> [[Float]] {
        let features = subject.patchRows(subject.values().value(.norm1(subject.depth - 1)))
        let (patches, channels) = (features.shape[0], features.shape[1])
        let plane = subject.height * subject.width
        var maps: [[Float]] = []
        for c in 0..<channels {
            let values = features.withSpan { s in (0..<patches).map { s[$0 * channels + c] } }
            guard values.contains(where: { $0 != values[0] }) else { continue }
            let map = subject.patchMap(values, DisplayRule(upsampling: .bilinear, normalisation: .minMax)).displayed()
            maps.append(map)
        }
        var rows = Tensor([maps.count, plane])
        for (i, map) in maps.enumerated() {
            var row = Tensor([plane], map)
            let norm = squaredNorm([row]).squareRoot()
            if norm > 0 { scale(&row, by: Float(1 / norm)) }
            rows.replace(from: i * plane, with: row)
        }
        var cosines = Tensor([maps.count, maps.count])
        multiplyRows(rows, rows.matrix.transposed, into: &cosines)
        let clusters = completeLinkage(cosines.values.map { 1 - Double($0) }, count: maps.count, threshold: threshold)
        return clusters.map { members in
            var sum = [Float](repeating: 0, count: plane)
            for i in members { for u in 0..<plane { sum[u] += maps[i][u] } }
            let (low, high) = (sum.min()!, sum.max()!)
            return high > low ? sum.map { ($0 - low) / (high - low) } : sum
        }
    }

    /// The image under a mask with noise where it is masked, or the whole image with the same noise.
    private func changed(_ subject: Subject, _ mask: [Float], _ index: Int, isMasked: Bool) -> Tensor {
        var random = subject.random("vit-cx/\(seed)", index)
        var result = subject.image
        result.withMutableSpan { span in
            for i in 0..<span.count {
                let m = mask[i % mask.count]
                span[i] = (isMasked ? span[i] * m : span[i]) + noise * Float(random.normal()) * (1 - m)
            }
        }
        return result
    }
}

/// Agglomerative clustering by complete linkage: clusters merge while the largest distance between their members is below `threshold`
/// (scikit-learn's `distance_threshold`). Members ascend; clusters by their first member.
func completeLinkage(_ distances: [Double], count n: Int, threshold: Double) -> [[Int]] {
    var d = distances
    var members = (0..<n).map { [$0] }
    var alive = Array(0..<n)
    while alive.count > 1 {
        var best = (distance: Double.infinity, i: 0, j: 0)
        for (p, i) in alive.enumerated() {
            for j in alive[(p + 1)...] where d[i * n + j] < best.distance { best = (d[i * n + j], i, j) }
        }
        guard best.distance < threshold else { break }
        members[best.i] += members[best.j]
        alive.removeAll { $0 == best.j }
        for k in alive where k != best.i {
            let larger = max(d[best.i * n + k], d[best.j * n + k])
            d[best.i * n + k] = larger
            d[k * n + best.i] = larger
        }
    }
    return alive.map { members[$0].sorted() }.sorted { $0[0] < $1[0] }
}
