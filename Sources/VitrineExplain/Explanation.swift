import VitrineImage
import VitrineModel
import VitrineTensor

/// What one method says about one image.
public struct Explanation: Sendable {
    /// The method's place in the plan.
    public var index: Int
    public var method: String
    public var map: HeatMap
    /// Facts the method noted while making the map; see each method.
    public var notes: [String: [Double]]
    /// Standard error of the map, where the method estimates it.
    public var error: HeatMap?
    /// What this map explains; nil for a backbone.
    public var target: Target?
}

/// Everything asked about one image.
public struct ImageExplanations: Sendable {
    /// Empty for a backbone.
    public var logits: [Float]
    /// What was explained, but by methods that bring a target of their own; nil for a backbone.
    public var target: Target?
    /// In the order of the methods; those that failed are left out.
    public var explanations: [Explanation]
    /// Methods that could not serve this image, by their place in the plan, and why.
    public var failures: [(index: Int, method: String, message: String)]
    /// Images that went through the network for this one, shared passes and versions of the image included.
    public var passCount = 0
    /// Patches whose token stands out from all others by its norm (as the note `outlier-patches` counts them), row by row.
    public var outliers: [Int] = []
    /// Patches of the image.
    public var grid = PatchGrid(rows: 0, columns: 0)
}

extension ImageExplanations {
    /// Puts the answers of methods with a target of their own in their places.
    fileprivate mutating func add(_ other: ImageExplanations, places: [Int]) {
        for var explanation in other.explanations {
            explanation.index = places[explanation.index]
            explanations.append(explanation)
        }
        failures += other.failures.map { (places[$0.index], $0.method, $0.message) }
        explanations.sort { $0.index < $1.index }
        failures.sort { $0.index < $1.index }
        passCount += other.passCount
    }
}

/// An image ready for the network.
public struct PreparedImage: Sendable {
    /// Keys random draws, together with the seed.
    public var name: String
    /// `[channels, height, width]`, normalised.
    public var pixels: Tensor
    public var target: TargetChoice
    /// How the pixels were normalised; nil where nobody said.
    public var scale: ChannelScale?

    public init(name: String, pixels: Tensor, target: TargetChoice, scale: ChannelScale? = nil) {
        self.name = name
        self.pixels = pixels
        self.target = target
        self.scale = scale
    }
}

/// Explains images of one size by several methods, computing what they share once.
///
/// The needs of all methods are united per variant of the input. The image itself is traced first; variants that need the same
/// inner values run as batches, each under the target of the image itself. What a method asks beyond that goes through its probe. Methods with
/// a target of their own (`ConfiguredMethod.target`) are a plan of their own, whose answers are put in their places.
public struct ExplanationPlan: Sendable {
    public let model: VisionTransformer
    public let methods: [ConfiguredMethod]
    public let seed: UInt64
    let own: TraceRequest
    private let variants: [(variant: InputVariant, request: TraceRequest)]
    /// The places of the methods that this plan serves itself.
    private let served: [Int]
    /// By target, with the places of the methods.
    private let others: [(target: TargetChoice, places: [Int], plan: ExplanationPlan)]

    public init(model: VisionTransformer, methods: [ConfiguredMethod], seed: UInt64) throws(ViTError) {
        self.model = model
        self.methods = methods
        self.seed = seed
        served = methods.indices.filter { methods[$0].target == nil }
        var places: [(target: TargetChoice, places: [Int])] = []
        for (i, method) in methods.enumerated() {
            guard let target = method.target else { continue }
            if let known = places.firstIndex(where: { $0.target == target }) {
                places[known].places.append(i)
            } else {
                places.append((target, [i]))
            }
        }
        var others: [(target: TargetChoice, places: [Int], plan: ExplanationPlan)] = []
        for group in places {
            let own = group.places.map { methods[$0].underTheImagesTarget }
            others.append((group.target, group.places, try ExplanationPlan(model: model, methods: own, seed: seed)))
        }
        self.others = others
        var own = TraceRequest()
        var union: [InputVariant: TraceRequest] = [:]
        for i in served {
            let method = methods[i]
            let needs = try method.explainer.needs(model.configuration)
            if needs.needsClass && model.head == nil { throw .noHead(request: "method '\(method.name)'") }
            own.formUnion(needs.image)
            for (variant, request) in needs.variants { union[variant, default: TraceRequest()].formUnion(request) }
        }
        // The image itself is a variant that every plan traces.
        if let same = union.removeValue(forKey: .identity) { own.formUnion(same) }
        // Free: what enters the last block, where tokens that stand out show.
        if served.contains(where: { !methods[$0].method.isControl }) { own.forward.insert(OutlierPatches.site(model.configuration)) }
        self.own = own
        variants = union.map { ($0.key, $0.value) }.sorted {
            ($0.variant.isFlipped ? 1 : 0, $0.variant.gain) < ($1.variant.isFlipped ? 1 : 0, $1.variant.gain)
        }
    }

    /// Passes through the network for one image of this grid, at most: the shared ones, and those that each method asks for alone.
    public func passes(grid: PatchGrid) -> Passes {
        let requests = [own] + variants.map(\.request)
        let shared = Passes(
            forward: Double(requests.reduce(0) { $0 + $1.forwardPasses }), backward: Double(requests.reduce(0) { $0 + $1.backward.count }))
        let all = served.reduce(shared) { $0 + methods[$1].explainer.passes(model.configuration, grid: grid) }
        return others.reduce(all) { $0 + $1.plan.passes(grid: grid) }
    }

    /// Explains a batch of images of equal size.
    ///
    /// - Parameters:
    ///   - images: a batch gives what single images give, bit for bit.
    ///   - workspace: its threads share the work on each pass; the result is the same.
    /// - Returns: one entry per image, in order.
    /// - Throws: `ViTError`; `ExplanationStopped` when the watch says so. A method that cannot serve an image is an entry in
    ///   its `failures` instead.
    public func explain(_ images: [PreparedImage], workspace: Workspace, watch: Watch = Watch()) throws -> [ImageExplanations] {
        guard let first = images.first else { return [] }
        for image in images where image.pixels.shape != first.pixels.shape {
            throw ViTError.imageShape(expected: first.pixels.shape.description, found: image.pixels.shape.description)
        }
        var results = try explainServed(images, workspace: workspace, watch: watch)
        for other in others {
            let asked = images.map { image in
                var image = image
                image.target = other.target
                return image
            }
            for (i, result) in try other.plan.explain(asked, workspace: workspace, watch: watch).enumerated() {
                results[i].add(result, places: other.places)
            }
        }
        return results
    }

    /// By the methods that explain the image's own target.
    private func explainServed(_ images: [PreparedImage], workspace: Workspace, watch: Watch) throws -> [ImageExplanations] {
        var targets: [Target] = []
        let passes = passes(imageCount: images.count)
        var traces: [Trace] = []
        for pass in passes {
            if watch.isStopped() { throw ExplanationStopped() }
            traces.append(try trace(images, pass, targets: &targets, workspace: workspace))
            watch.passed(pass.items.count)
        }
        return try images.indices.map { i in
            var own: [InputVariant: (trace: Trace, index: Int)] = [:]
            for (pass, trace) in zip(passes, traces) {
                for (index, item) in pass.items.enumerated() where item.image == i { own[item.variant] = (trace, index) }
            }
            let (image, target) = (images[i], targets.isEmpty ? nil : targets[i])
            let subject = Subject(
                network: model.configuration, image: image.pixels, scale: image.scale, grid: traces[0].grid, target: target,
                logits: traces[0].logits(of: i), name: image.name, seed: seed, traces: own)
            let probe = Probe(
                model: model, image: image.pixels, grid: subject.grid, target: target, workspace: workspace, watch: watch)
            var result = ImageExplanations(logits: subject.logits, target: target, explanations: [], failures: [])
            let isRead = own[.identity]!.trace.forward[OutlierPatches.site(model.configuration)] != nil
            let outliers = isRead ? OutlierPatches.patches(subject) : nil
            result.grid = subject.grid
            result.outliers = outliers ?? []
            for index in served {
                let method = methods[index]
                do {
                    var found = try method.explainer.map(subject, probe)
                    if let outliers, !method.method.isControl { found.notes["outlier-patches"] = [Double(outliers.count)] }
                    result.explanations.append(
                        Explanation(
                            index: index, method: method.name, map: found.map, notes: found.notes, error: found.error, target: target))
                } catch let stop as ExplanationStopped {
                    throw stop
                } catch {
                    result.failures.append((index, method.name, "\(error)"))
                }
            }
            result.passCount = own.count + probe.passCount
            return result
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
        if let logits = trace.logits {
            targets = images.indices.map { images[$0].target.resolved(logits: logits[$0].values, model.configuration.probabilities) }
        }
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
