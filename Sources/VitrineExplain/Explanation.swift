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
/// inner values then run as one batch, each under the target of the image itself.
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
    /// - Returns: one entry per image, in order; a batch gives what single images give, to the rounding of a product.
    public func explain(_ images: [PreparedImage], workspace: Workspace) throws(ViTError) -> [ImageExplanations] {
        guard let first = images.first else { return [] }
        for image in images where image.pixels.shape != first.pixels.shape {
            throw .imageShape(expected: first.pixels.shape.description, found: image.pixels.shape.description)
        }
        let trace = try model.trace(
            batch(images.map(\.pixels), workspace: workspace), targets: images.map(\.target), request: own, workspace: workspace)
        var targets = trace.targets
        if targets.isEmpty && model.head != nil {
            targets = images.indices.map { images[$0].target.resolved(logits: trace.logits(of: $0)) }
        }
        var traces = images.indices.map { [InputVariant.identity: (trace: trace, index: $0)] }
        try traceVariants(images, targets: targets, into: &traces, workspace: workspace)

        return images.indices.map { i in
            let subject = Subject(
                configuration: model.configuration, image: images[i].pixels, grid: trace.grid, name: images[i].name, seed: seed,
                traces: traces[i])
            let explanations = methods.map { method in
                let result = method.explainer.map(subject)
                return Explanation(method: method.name, map: result.map, notes: result.notes)
            }
            return ImageExplanations(
                logits: trace.logits(of: i), target: targets.isEmpty ? nil : targets[i], explanations: explanations)
        }
    }

    /// Runs the variants of all images: one batch per distinct request.
    private func traceVariants(
        _ images: [PreparedImage], targets: [Target], into traces: inout [[InputVariant: (trace: Trace, index: Int)]],
        workspace: Workspace
    ) throws(ViTError) {
        var pending = variants
        while let first = pending.first {
            let group = pending.filter { $0.request == first.request }
            pending.removeAll { $0.request == first.request }
            var inputs: [Tensor] = []
            var choices: [TargetChoice] = []
            for (i, image) in images.enumerated() {
                for member in group {
                    inputs.append(member.variant.applied(to: image.pixels))
                    choices.append(targets.isEmpty ? .predicted : .fixed(targets[i]))
                }
            }
            let trace = try model.trace(
                batch(inputs, workspace: workspace), targets: choices, request: first.request, workspace: workspace)
            for i in images.indices {
                for (j, member) in group.enumerated() { traces[i][member.variant] = (trace, i * group.count + j) }
            }
        }
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
