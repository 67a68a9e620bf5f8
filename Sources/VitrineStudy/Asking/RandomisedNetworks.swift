import Synchronization
import VitrineModel
import VitrineTrain

/// Versions of a network in which some layers hold random weights, for as many images as ask.
///
/// Layers are counted as `Circumstance.randomised` counts them: 0 the head, 1 the final norm, then the blocks from the last to the
/// first, at last the embedding with its tokens and positions. Weights are drawn as for training from scratch, LayerScale at 1. One
/// network of random weights per draw is held; its versions share memory with it and with the trained one.
public final class RandomisedNetworks: Sendable {
    private let model: VisionTransformer
    private let seed: UInt64
    private let scratch = Mutex<[Int: VisionTransformer]>([:])

    public init(_ model: VisionTransformer, seed: UInt64) {
        self.model = model
        self.seed = seed
    }

    /// How many layers there are.
    public var layers: Int { model.configuration.depth + 3 }

    /// The network with these layers at random.
    public func network(_ layers: Range<Int>, draw: Int) -> VisionTransformer {
        let random = scratch.withLock { known in
            if let found = known[draw] { return found }
            let made = VisionTransformer.scratch(model.configuration, seed: seed &+ UInt64(draw), layerScale: 1)
            known[draw] = made
            return made
        }
        let weights = Dictionary(uniqueKeysWithValues: random.parameters.map { ($0.info.name, $0.tensor) })
        var mixed = model
        mixed.forEachParameter { info, tensor in
            if layers.contains(place(of: info)), let fresh = weights[info.name] { tensor = fresh }
        }
        return mixed
    }

    private func place(of info: ParameterInfo) -> Int {
        if info.name.hasPrefix("head") { return 0 }
        return model.configuration.depth + 2 - info.layer
    }
}
