import Foundation
import Synchronization
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
    ///   - workspaces: one per worker. With more than one, the passes over the images and over their variants run side by side; the
    ///     result is the same.
    /// - Returns: one entry per image, in order.
    public func explain(_ images: [PreparedImage], workspaces: [Workspace]) throws(ViTError) -> [ImageExplanations] {
        guard let first = images.first else { return [] }
        for image in images where image.pixels.shape != first.pixels.shape {
            throw .imageShape(expected: first.pixels.shape.description, found: image.pixels.shape.description)
        }
        let passes = passes(imageCount: images.count, workers: workspaces.count)
        let targets = PendingTargets()
        let results = TraceResults(count: passes.count)
        // The pass over the images themselves comes first, so that a single worker never waits for their targets.
        try! parallelFor(passes.count, workers: workspaces.count) { worker, i in
            results.store(at: i) { () throws(ViTError) in
                try trace(images, passes[i], targets: targets, workspace: workspaces[worker])
            }
        }
        let traces = try results.traces()
        let resolved = targets.current ?? []
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
                logits: traces[0].logits(of: i), target: resolved.isEmpty ? nil : resolved[i], explanations: explanations)
        }
    }

    /// Explains a batch on the caller's thread alone.
    public func explain(_ images: [PreparedImage], workspace: Workspace) throws(ViTError) -> [ImageExplanations] {
        try explain(images, workspaces: [workspace])
    }

    /// One batch that goes through the network.
    private struct Pass: Sendable {
        var items: [(image: Int, variant: InputVariant)]
        var request: TraceRequest
    }

    /// Variants that go through the network together: they fill the products, and few hold less memory (ViT-B/16: 40 MB less than five).
    private static let mostVariants = 2

    /// The images themselves, then their variants: those that need the same inner values together, in as many passes as keep the other
    /// workers busy.
    private func passes(imageCount: Int, workers: Int) -> [Pass] {
        var passes = [Pass(items: (0..<imageCount).map { ($0, .identity) }, request: own)]
        var pending = variants
        while let first = pending.first {
            let group = pending.filter { $0.request == first.request }
            pending.removeAll { $0.request == first.request }
            let items = (0..<imageCount).flatMap { i in group.map { (image: i, variant: $0.variant) } }
            let size = min(Self.mostVariants, (items.count + max(1, workers - 1) - 1) / max(1, workers - 1))
            for start in stride(from: 0, to: items.count, by: size) {
                passes.append(Pass(items: Array(items[start..<min(start + size, items.count)]), request: first.request))
            }
        }
        return passes
    }

    /// Runs a pass. Variants are explained under the target of the image itself, which its own pass publishes.
    private func trace(
        _ images: [PreparedImage], _ pass: Pass, targets: PendingTargets, workspace: Workspace
    ) throws(ViTError) -> Trace {
        let isOwn = pass.items[0].variant == .identity
        let input = batch(pass.items.map { $0.variant.applied(to: images[$0.image].pixels) }, workspace: workspace)
        do {
            let trace = try model.trace(input, request: pass.request, workspace: workspace) { logits throws(ViTError) in
                if isOwn { return targets.publish(images.map(\.target), logits: logits) }
                let known = try targets.wait()
                return pass.items.map { .fixed(known[$0.image]) }
            }
            if isOwn, targets.current == nil, let logits = trace.logits {
                _ = targets.publish(images.map(\.target), logits: logits)
            }
            return trace
        } catch {
            if isOwn { targets.fail(error) }
            throw error
        }
    }

    private func batch(_ images: [Tensor], workspace: Workspace) -> Tensor {
        let s = images[0].shape
        var result = workspace.tensor([images.count, s[0], s[1], s[2]])
        for (i, image) in images.enumerated() { result.replace(from: i * image.count, with: image) }
        return result
    }
}

/// The targets of a batch, known after the forward pass over its images.
private final class PendingTargets: Sendable {
    private let condition = NSCondition()
    private let state = Mutex<Result<[Target], ViTError>?>(nil)

    /// The targets if they are known.
    var current: [Target]? { state.withLock { try? $0?.get() } }

    func publish(_ choices: [TargetChoice], logits: Tensor) -> [TargetChoice] {
        let targets = choices.indices.map { choices[$0].resolved(logits: logits[$0].values) }
        settle(.success(targets))
        return targets.map { .fixed($0) }
    }

    func fail(_ error: ViTError) { settle(.failure(error)) }

    func wait() throws(ViTError) -> [Target] {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result = state.withLock({ $0 }) { return try result.get() }
            condition.wait()
        }
    }

    private func settle(_ result: Result<[Target], ViTError>) {
        condition.lock()
        state.withLock { if $0 == nil { $0 = result } }
        condition.broadcast()
        condition.unlock()
    }
}

/// The traces of passes that finish in any order.
private final class TraceResults: Sendable {
    private let results: Mutex<[Result<Trace, ViTError>?]>

    init(count: Int) { results = Mutex(Array(repeating: nil, count: count)) }

    func store(at index: Int, _ body: () throws(ViTError) -> Trace) {
        let result = Result(catching: body)
        results.withLock { $0[index] = result }
    }

    /// - Throws: the first error in the order of the passes.
    func traces() throws(ViTError) -> [Trace] {
        var traces: [Trace] = []
        for result in results.withLock({ $0 }) { traces.append(try result!.get()) }
        return traces
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
