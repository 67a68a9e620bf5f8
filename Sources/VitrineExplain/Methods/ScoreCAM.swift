import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Score-CAM (Wang et al. 2020, https://arxiv.org/abs/1910.01279), as pytorch-grad-cam has it.
///
/// Each channel of norm1's output, brought to the image (bilinear, corners aligned) and to [0, 1], multiplies the normalised image; the answers
/// to these images, softmaxed over channels, weigh the channels: map = `max(0, sum_c w_c a_c)`. One pass per channel.
struct ScoreCAM: Explainer {
    static let methods = [
        Method(
            "scorecam", "channels weighted by the answer to the image under each", "Wang et al. 2020, arXiv:1910.01279", family: .cam,
            options: "block=last, value=logit|probability"
        ) { options throws(MethodError) in
            ScoreCAM(block: try options.takeBlock(), value: try options.takeWord("value", default: .logit))
        }
    ]

    var block: Int?
    var value: AnswerKind

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        Needs(TraceRequest(forward: [.norm1(try network.block(block))]), needsClass: true)
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes { Passes(forward: Double(network.width)) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let answer = try probe.answer(value)
        let a = subject.patchRows(subject.values().value(.norm1(block ?? subject.depth - 1)))
        let (patches, channels) = (a.shape[0], a.shape[1])
        func mask(_ c: Int) -> [Float] {
            let values = a.withSpan { s in (0..<patches).map { s[$0 * channels + c] } }
            var map = alignedBilinear(values, subject.grid, height: subject.height, width: subject.width)
            let (low, high) = (map.min()!, map.max()!)
            for i in map.indices { map[i] = (map[i] - low) / (high - low + 1e-8) }
            return map
        }
        let inputs = (0..<channels).lazy.map { c -> ChangedInput in
            let mask = mask(c)
            var pixels = subject.image
            pixels.withMutableSpan { span in for i in 0..<span.count { span[i] *= mask[i % mask.count] } }
            return .pixels(pixels)
        }
        var scores: [Double] = []
        try probe.logits(of: inputs) { _, logits in scores.append(Double(answer.value(logits: logits))) }
        let top = scores.max()!
        let exponentials = scores.map { exp($0 - top) }
        let total = exponentials.reduce(0, +)
        let weights = Tensor([channels, 1], exponentials.map { Float($0 / total) })
        var map = Tensor([patches, 1])
        multiply(a.matrix, weights.matrix, into: &map)
        return MethodResult(subject.patchMap(map.values.map { max($0, 0) }, .gradCAM))
    }
}

/// Bilinear upsampling with aligned corners (PyTorch's `UpsamplingBilinear2d`).
func alignedBilinear(_ values: [Float], _ grid: PatchGrid, height: Int, width: Int) -> [Float] {
    func taps(_ old: Int, _ new: Int) -> [(Int, Float)] {
        let scale = new > 1 ? Float(old - 1) / Float(new - 1) : 0
        return (0..<new).map { i in
            let place = scale * Float(i)
            let first = min(Int(place), max(0, old - 2))
            return (first, old > 1 ? place - Float(first) : 0)
        }
    }
    let (down, across) = (taps(grid.rows, height), taps(grid.columns, width))
    return down.flatMap { y, v in
        across.map { x, u in
            let (y1, x1) = (min(y + 1, grid.rows - 1), min(x + 1, grid.columns - 1))
            let top = values[y * grid.columns + x] * (1 - u) + values[y * grid.columns + x1] * u
            let bottom = values[y1 * grid.columns + x] * (1 - u) + values[y1 * grid.columns + x1] * u
            return top * (1 - v) + bottom * v
        }
    }
}
