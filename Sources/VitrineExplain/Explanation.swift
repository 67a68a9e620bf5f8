import VitrineImage
import VitrineModel
import VitrineTensor

/// What one method says about one image.
public struct Explanation: Sendable {
    public var method: String
    public var map: HeatMap
    /// Facts the method noted while making the map; see each method.
    public var notes: [String: [Double]]
}

/// Everything asked about one image.
public struct ImageExplanations: Sendable {
    /// Empty for a backbone, or when no method looked at the model.
    public var logits: [Float]
    /// What was explained; nil when no method is class-specific.
    public var target: Target?
    /// In the order of the methods.
    public var explanations: [Explanation]
}

/// An image ready for the network.
public struct PreparedImage: Sendable {
    /// Keys random draws, together with the seed.
    public var name: String
    /// `[channels, height, width]`, normalised.
    public var pixels: Tensor
    public var target: TargetChoice

    public init(name: String, pixels: Tensor, target: TargetChoice) {
        self.name = name
        self.pixels = pixels
        self.target = target
    }
}

/// Explains images of one size by several methods, computing what they share once.
///
/// The needs of all methods are united per variant of the input. The image itself is traced first; variants that need the same
/// inner values run as batches, each under the target of the image itself.
public struct ExplanationPlan: Sendable {
    public let model: VisionTransformer
    public let methods: [ConfiguredMethod]
    public let seed: UInt64
    private let own: TraceRequest
    private let variants: [(variant: InputVariant, request: TraceRequest)]

    public init(model: VisionTransformer, methods: [ConfiguredMethod], seed: UInt64) throws(ViTError) {
        self.model = model
        self.methods = methods
        self.seed = seed
        var union: [InputVariant: TraceRequest] = [:]
        for method in methods {
            try method.explainer.check(model.configuration)
            let needs = method.explainer.needs(model.configuration)
            for (variant, request) in needs {
                if request.needsTarget && model.head == nil { throw .noHead(request: "method '\(method.name)'") }
                union[variant, default: TraceRequest()].formUnion(request)
            }
        }
        own = union.removeValue(forKey: .identity) ?? TraceRequest()
        variants = union.map { ($0.key, $0.value) }.sorted {
            ($0.variant.isFlipped ? 1 : 0, $0.variant.gain) < ($1.variant.isFlipped ? 1 : 0, $1.variant.gain)
        }
    }

    /// Explains a batch of images of equal size.
    ///
    /// - Parameters:
    ///   - images: a batch gives what single images give, bit for bit.
    ///   - workspace: its threads share the work on each pass; the result is the same.
    /// - Returns: one entry per image, in order.
    public func explain(_ images: [PreparedImage], workspace: Workspace) throws(ViTError) -> [ImageExplanations] {
        guard let first = images.first else { return [] }
        for image in images where image.pixels.shape != first.pixels.shape {
            throw .imageShape(expected: first.pixels.shape.description, found: image.pixels.shape.description)
        }
        var targets: [Target] = []
        let passes = passes(imageCount: images.count)
        var traces: [Trace] = []
        for pass in passes { traces.append(try trace(images, pass, targets: &targets, workspace: workspace)) }
        return images.indices.map { i in
            var own: [InputVariant: (trace: Trace, index: Int)] = [:]
            for (pass, trace) in zip(passes, traces) {
                for (index, item) in pass.items.enumerated() where item.image == i { own[item.variant] = (trace, index) }
            }
            let subject = Subject(
                configuration: model.configuration, image: images[i].pixels, grid: traces[0].grid, name: images[i].name, seed: seed,
                traces: own)
            let explanations = methods.map { method in
                let result = method.explainer.map(subject)
                return Explanation(method: method.name, map: result.map, notes: result.notes)
            }
            return ImageExplanations(
                logits: traces[0].logits(of: i), target: targets.isEmpty ? nil : targets[i], explanations: explanations)
        }
    }

    /// One batch that goes through the network.
    private struct Pass {
        var items: [(image: Int, variant: InputVariant)]
        var request: TraceRequest
    }

    /// Variants that go through the network together: few hold less memory (ViT-B/16: 40 MB less than five).
    private static let mostVariants = 2

    /// The images themselves, then their variants: those that need the same inner values together.
    private func passes(imageCount: Int) -> [Pass] {
        var passes = [Pass(items: (0..<imageCount).map { ($0, .identity) }, request: own)]
        var pending = variants
        while let first = pending.first {
            let group = pending.filter { $0.request == first.request }
            pending.removeAll { $0.request == first.request }
            let items = (0..<imageCount).flatMap { i in group.map { (image: i, variant: $0.variant) } }
            for start in stride(from: 0, to: items.count, by: Self.mostVariants) {
                passes.append(Pass(items: Array(items[start..<min(start + Self.mostVariants, items.count)]), request: first.request))
            }
        }
        return passes
    }

    /// Runs a pass. The images' own pass settles the targets; their variants are explained under them.
    private func trace(
        _ images: [PreparedImage], _ pass: Pass, targets: inout [Target], workspace: Workspace
    ) throws(ViTError) -> Trace {
        let input = batch(pass.items.map { $0.variant.applied(to: images[$0.image].pixels) }, workspace: workspace)
        guard targets.isEmpty else {
            let known = pass.items.map { TargetChoice.fixed(targets[$0.image]) }
            return try model.trace(input, targets: known, request: pass.request, workspace: workspace)
        }
        let trace = try model.trace(input, targets: images.map(\.target), request: pass.request, workspace: workspace)
        if let logits = trace.logits { targets = images.indices.map { images[$0].target.resolved(logits: logits[$0].values) } }
        return trace
    }

    private func batch(_ images: [Tensor], workspace: Workspace) -> Tensor {
        let s = images[0].shape
        var result = workspace.tensor([images.count, s[0], s[1], s[2]])
        for (i, image) in images.enumerated() { result.replace(from: i * image.count, with: image) }
        return result
    }
}

extension InputVariant {
    /// The variant of a normalised image `[channels, height, width]`.
    func applied(to image: Tensor) -> Tensor {
        var result = image
        if gain != 1 { scale(&result, by: gain) }
        guard isFlipped else { return result }
        let width = image.shape[2]
        result.withMutableSpan { span in
            for row in 0..<span.count / width {
                for x in 0..<width / 2 {
                    let (a, b) = (row * width + x, row * width + width - 1 - x)
                    (span[a], span[b]) = (span[b], span[a])
                }
            }
        }
        return result
    }
}
