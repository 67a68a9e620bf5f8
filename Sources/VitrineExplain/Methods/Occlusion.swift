import VitrineImage
import VitrineModel
import VitrineTensor

/// How much the answer changes when a window is painted over (Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901; captum's `Occlusion`).
///
/// Map(u) = mean over the windows w that cover u of y(x) - y(x with w painted over). Windows start at every `stride` pixels; those at the
/// right and lower edge are cut off. Where window and stride are one patch the map stands on the patch grid.
struct Occlusion: Explainer {
    static let methods = [
        Method(
            "occlusion", "change of the answer with a window painted over", "Zeiler & Fergus 2014, arXiv:1311.2901",
            family: .perturbation, options: "window=patch|PIXELS, stride=patch|PIXELS, \(RemovalRule.option(default: .mean))"
        ) { options throws(MethodError) in try Occlusion(&options) }
    ]

    /// In pixels; nil for a patch.
    var window: Int?
    var stride: Int?
    var removal: RemovalRule

    init(_ options: inout MethodOptions) throws(MethodError) {
        func pixels(_ text: String) -> Int?? { text == "patch" ? .some(nil) : Int(text).flatMap { $0 > 0 ? .some($0) : nil } }
        window = try options.take("window", default: nil, "a number of pixels from 1 up, or patch", pixels)
        stride = try options.take("stride", default: nil, "a number of pixels from 1 up, or patch", pixels)
        removal = try options.takeWord("removal", default: .mean)
    }

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        let p = network.patchSize
        let counts = [grid.rows, grid.columns].map { starts($0 * p, window ?? p, stride ?? p).count }
        return Passes(forward: Double(counts[0] * counts[1]))
    }

    /// Where windows start along a side.
    private func starts(_ side: Int, _ window: Int, _ stride: Int) -> [Int] {
        let count = 1 + max(0, (side - window + stride - 1) / stride)
        return (0..<count).map { $0 * stride }
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let p = subject.network.patchSize
        let (window, stride) = (window ?? p, stride ?? p)
        if window == p && stride == p {
            // A window is a patch, and so may leave the sequence.
            var options = MethodOptions(method: "occlusion", values: ["removal": removal.rawValue])
            return try TokenRemoval(&options).map(subject, probe)
        }
        guard removal.isPainted else {
            throw MethodFailure(
                "removal=\(removal.rawValue) takes whole patches away: leave window and stride at 'patch', or paint the window over")
        }
        guard window >= stride else {
            throw MethodFailure("a window of \(window) pixels every \(stride) leaves pixels uncovered; take a stride up to the window")
        }
        let target = try probe.requiredTarget()
        let whole = target.value(logits: subject.logits)
        let (height, width) = (subject.height, subject.width)
        let scale = removal == .black ? try subject.requiredScale() : subject.scale ?? .unit(channels: subject.image.shape[0])
        let ground = PatchRemoval.ground(removal, subject.image, scale, subject.random("removal-noise"))
        let windows = starts(height, window, stride).flatMap { y in
            starts(width, window, stride).map { x in (y: y..<min(y + window, height), x: x..<min(x + window, width)) }
        }
        var sums = [Float](repeating: 0, count: height * width)
        var counts = sums
        let inputs = windows.lazy.map { w in ChangedInput.pixels(painted(subject.image, ground, w.y, w.x)) }
        try probe.values(of: inputs) { i, value in
            for y in windows[i].y {
                for x in windows[i].x {
                    sums[y * width + x] += whole - value
                    counts[y * width + x] += 1
                }
            }
        }
        for i in sums.indices { sums[i] /= counts[i] }
        return MethodResult(subject.pixelMap(sums, DisplayRule(upsampling: .nearest, normalisation: .minMax)))
    }

    private func painted(_ image: Tensor, _ ground: Tensor, _ rows: Range<Int>, _ columns: Range<Int>) -> Tensor {
        var result = image
        let (height, width) = (image.shape[1], image.shape[2])
        ground.withSpan { source in
            result.withMutableSpan { span in
                for c in 0..<image.shape[0] {
                    for y in rows {
                        for x in columns { span[(c * height + y) * width + x] = source[(c * height + y) * width + x] }
                    }
                }
            }
        }
        return result
    }
}
