import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An image under a model, ready to be asked about by metrics; all maps and metrics of the image share what was asked.
///
/// For one thread.
public final class QuestionedImage {
    let image: PreparedImage
    let target: Target
    let grid: PatchGrid
    let scale: ChannelScale
    let seed: UInt64
    /// Of the method's own draws.
    let methodSeed: UInt64
    let networks: RandomisedNetworks
    let probe: Probe
    let memory = WitnessMemory()
    /// Empty until somebody asked.
    private var ownLogits: [Float] = []
    private let model: VisionTransformer
    private let workspace: Workspace
    private let watch: Watch

    /// The image's name.
    public var name: String { image.name }

    /// - Parameters:
    ///   - image: its target is what the maps explain.
    ///   - networks: of the same model; shared between images.
    ///   - seed: of the metrics' draws.
    ///   - methodSeed: of the method that made the maps, where it draws at random.
    /// - Throws: `ViTError`, for a model without a head too; `ExplanationStopped`.
    public init(
        _ image: PreparedImage, scale: ChannelScale, model: VisionTransformer, networks: RandomisedNetworks, seed: UInt64,
        methodSeed: UInt64, workspace: Workspace, watch: Watch = Watch()
    ) throws {
        grid = try model.configuration.grid(height: image.pixels.shape[1], width: image.pixels.shape[2])
        guard model.head != nil else { throw ViTError.noHead(request: "a metric that asks the model") }
        switch image.target {
        case .fixed(let target): self.target = target.under(model.configuration.probabilities)
        case .predicted, .nearest:
            var own: [Float] = []
            let first = Probe(model: model, image: image.pixels, grid: grid, target: nil, workspace: workspace, watch: watch)
            try first.logits(of: CollectionOfOne(ChangedInput.pixels(image.pixels))) { own = $1 }
            target = image.target.resolved(logits: own, model.configuration.probabilities)
            ownLogits = own
        }
        self.image = image
        self.scale = scale
        self.seed = seed
        self.methodSeed = methodSeed
        self.networks = networks
        self.model = model
        self.workspace = workspace
        self.watch = watch
        probe = Probe(model: model, image: image.pixels, grid: grid, target: target, workspace: workspace, watch: watch)
    }

    /// The network's logits for the image as it stands; one pass at most, however often they are asked for.
    public func logits() throws -> [Float] {
        if ownLogits.isEmpty { try probe.logits(of: CollectionOfOne(ChangedInput.pixels(image.pixels))) { ownLogits = $1 } }
        return ownLogits
    }

    /// The probabilities of the classes sum to 1.
    var classesExclude: Bool { model.configuration.probabilities == .softmax }

    /// Who can be asked about a map of this image.
    ///
    /// - Parameter method: what made the map; absent for a map of another tool, whose method cannot be asked again.
    public func witness(of method: ConfiguredMethod?) -> some Witness { MapWitness(questioned: self, method: method) }

    /// The method's maps of versions of the image, under a target, a network and a seed; a pass holds a few of them.
    func maps(
        _ method: ConfiguredMethod, of versions: [Tensor], target: Target? = nil, network: VisionTransformer? = nil, seed: UInt64? = nil,
        _ body: (HeatMap) throws -> Void
    ) throws {
        let plan = try ExplanationPlan(model: network ?? model, methods: [method], seed: seed ?? methodSeed)
        let most = VisionTransformer.imagesPerPass(tokens: model.configuration.prefixTokens + grid.count)
        for start in stride(from: 0, to: versions.count, by: most) {
            let images = versions[start..<min(start + most, versions.count)].map {
                PreparedImage(name: image.name, pixels: $0, target: .fixed(target ?? self.target), scale: scale)
            }
            for result in try plan.explain(images, workspace: workspace, watch: watch) {
                if let failure = result.failures.first { throw Undefined("the method gives no map again: \(failure.message)") }
                try body(result.explanations[0].map)
            }
        }
    }
}

/// What a method said under circumstances that several metrics ask about, by name.
private final class MadeMaps {
    var maps: [String: HeatMap] = [:]
}

extension Circumstance {
    /// What tells it from others of the same map; nil where nobody asks twice.
    fileprivate var name: String? {
        switch self {
        case .drawn(let name, _): name
        case .target(let c): "target \(c)"
        case .randomised(let layers, let draw): "random \(layers.lowerBound)..<\(layers.upperBound) \(draw)"
        case .input, .seed: nil
        }
    }
}

/// One map of a questioned image.
private struct MapWitness: Witness {
    let questioned: QuestionedImage
    let method: ConfiguredMethod?
    let made = MadeMaps()

    var name: String { questioned.image.name }
    var seed: UInt64 { questioned.seed }
    var image: Tensor { questioned.image.pixels }
    var scale: ChannelScale { questioned.scale }
    var patches: (rows: Int, columns: Int) { (questioned.grid.rows, questioned.grid.columns) }
    var needsPatches: Bool { questioned.probe.needsPatches }
    var explainedClass: Int { questioned.target.classIndex }
    var layers: Int { questioned.networks.layers }
    var memory: WitnessMemory { questioned.memory }

    func value(_ logits: [Float], _ scale: AnswerScale) -> Double {
        let y = logits.map(Double.init)
        let own = y[explainedClass]
        switch (scale, questioned.target) {
        case (.logit, .contrast(_, let other)): return own - y[other]
        case (.logit, .linear(let terms)): return terms.reduce(0) { $0 + Double($1.weight) * y[$1.classIndex] }
        // A sum of logits has no softmax: its sigmoid, which of two logits' difference is theirs.
        case (.probability, .linear(let terms)):
            return 1 / (1 + exp(-terms.reduce(0) { $0 + Double($1.weight) * y[$1.classIndex] }))
        case (.logit, _): return own
        // Of the two classes that are compared, as if there were no third.
        case (.probability, .contrast(_, let other)): return 1 / (1 + exp(y[other] - own))
        case (.probability, _):
            return questioned.classesExclude ? 1 / y.reduce(0) { $0 + exp($1 - own) } : 1 / (1 + exp(-own))
        }
    }

    func logits(of inputs: some Sequence<ChangedInput>, _ body: (Int, [Float]) throws -> Void) throws {
        try questioned.probe.logits(of: inputs, body)
    }

    func maps(under circumstances: some Sequence<Circumstance>, _ body: (Int, HeatMap) throws -> Void) throws {
        guard let method else { throw Undefined("the map comes from a file, and what made it cannot be asked again") }
        // Versions of the image go together, everything else one by one; answers keep their order.
        var (waiting, next): ([(name: String?, pixels: Tensor)], Int) = ([], 0)
        func answer(_ name: String?, _ map: HeatMap) throws {
            if let name { made.maps[name] = map }
            try body(next, map)
            next += 1
        }
        func flush() throws {
            var place = 0
            try questioned.maps(method, of: waiting.map(\.pixels)) { map in
                try answer(waiting[place].name, map)
                place += 1
            }
            waiting = []
        }
        func single(_ name: String?, _ target: Target? = nil, _ network: VisionTransformer? = nil, _ seed: UInt64? = nil) throws {
            try flush()
            try questioned.maps(method, of: [image], target: target, network: network, seed: seed) { try answer(name, $0) }
        }
        for circumstance in circumstances {
            if let known = circumstance.name.flatMap({ made.maps[$0] }) {
                try flush()
                try body(next, known)
                next += 1
                continue
            }
            switch circumstance {
            case .input(.pixels(let pixels)), .drawn(_, .pixels(let pixels)): waiting.append((circumstance.name, pixels))
            case .input, .drawn: throw Undefined("a method is not asked about an image without some of its patches")
            case .target(let c): try single(circumstance.name, .logit(c))
            case .seed(let draw): try single(nil, nil, nil, questioned.methodSeed &+ UInt64(draw))
            case .randomised(let layers, let draw): try single(circumstance.name, nil, questioned.networks.network(layers, draw: draw))
            }
        }
        try flush()
    }
}
