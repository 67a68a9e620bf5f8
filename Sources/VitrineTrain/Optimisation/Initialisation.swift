import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How random weights to train from are drawn; the values are those of a recipe's `init`.
public enum ScratchWeights: String, Sendable, CaseIterable {
    /// As timm draws them: deviation 0.02, whatever the width.
    case timm = "scratch"
    /// The blocks' linear maps of deviation 1 / sqrt(inputs) (LeCun et al. 1998), and positions of patches as sines and cosines of column and
    /// row, as MoCo v3 and MAE have them (arXiv:2104.02057, arXiv:2111.06377) but of frequencies 1...1/100, halved, and trained on. Of a
    /// narrow network maps of deviation 0.02 are almost zero: it needs hundreds of steps to begin.
    case fanIn = "scratch-fan-in"
}

extension VisionTransformer {
    /// Random weights; deterministic by the seed, each weight from a stream of its own, by name.
    ///
    /// With `.timm` as timm 1.0.31 draws them for a ViT. Linear maps and positions: normal of deviation 0.02, cut at ±2; their biases 0; class token and registers: normal of
    /// deviation 1e-6; distillation token: deviation 0.02; the query of attention pooling: deviation 1 / sqrt(width); patch embedding: uniform within ±1 / sqrt(inputs), bias likewise (PyTorch's
    /// convolution); norms 1 and 0; LayerScale `layerScale`; tables of relative positions as linear maps. With SwiGLU, timm draws the second half of the first map with deviation
    /// 1e-6 and sets its bias to 1.
    public static func scratch(
        _ configuration: ViTConfiguration, seed: UInt64, weights: ScratchWeights = .timm, layerScale: Float = 1e-5
    ) -> VisionTransformer {
        let c = configuration
        func norm(_ width: Int) -> LayerNorm { LayerNorm(weight: Tensor([width]), bias: Tensor([width])) }
        func linear(_ outputs: Int, _ inputs: Int) -> Linear { Linear(weight: Tensor([outputs, inputs]), bias: Tensor([outputs])) }
        var model = VisionTransformer(
            configuration: c, patchEmbedding: linear(c.width, c.channels * c.patchSize * c.patchSize),
            classToken: c.hasClassToken ? Tensor([c.width]) : nil,
            distillationToken: c.hasDistillationToken ? Tensor([c.width]) : nil,
            registerTokens: c.registers > 0 ? Tensor([c.registers, c.width]) : nil,
            positionEmbedding: c.hasPositionEmbedding ? Tensor([c.positionedPrefixTokens + c.positionGrid.count, c.width]) : nil,
            blocks: (0..<c.depth).map { _ in
                var block = ViTBlock(
                    norm1: norm(c.width), qkv: linear(3 * c.width, c.width), projection: linear(c.width, c.width),
                    scale1: c.hasLayerScale ? Tensor([c.width]) : nil, norm2: norm(c.width), fc1: linear(c.firstHidden, c.width),
                    fc2: linear(c.width, c.hidden), scale2: c.hasLayerScale ? Tensor([c.width]) : nil)
                block.queryNorm = c.hasQueryKeyNorm ? norm(c.headWidth) : nil
                block.keyNorm = c.hasQueryKeyNorm ? norm(c.headWidth) : nil
                block.contextNorm = c.hasContextNorm ? norm(c.width) : nil
                block.hiddenNorm = c.hasHiddenNorm ? norm(c.hidden) : nil
                block.relativePositions = c.hasRelativePositions ? Tensor([c.relativePositionCount, c.heads]) : nil
                block.rotaryFrequencies = c.rotary?.frequencies == .learned ? Tensor([2, c.heads, c.headWidth / 2]) : nil
                return block
            },
            norm: norm(c.normPlacement == .afterPooling ? c.pooledWidth : c.width),
            head: c.classes > 0 ? linear(c.classes, c.featureWidth) : nil,
            distillationHead: c.classes > 0 && c.pooling == .distilled ? linear(c.classes, c.featureWidth) : nil,
            inputNorm: c.hasInputNorm ? norm(c.width) : nil,
            attentionPool: c.pooling == .attention
                ? AttentionPool(
                    probe: Tensor([c.pool.width]), query: linear(c.pool.width, c.pool.width),
                    keysValues: linear(2 * c.pool.width, c.width), projection: linear(c.pool.width, c.pool.width),
                    keyNorm: c.pool.hasKeyNorm ? norm(c.width) : nil,
                    mlp: c.pool.hasMLP
                        ? AttentionPool.MLP(
                            norm2: norm(c.pool.width), fc1: linear(c.hidden, c.pool.width), fc2: linear(c.pool.width, c.hidden)) : nil,
                    outputNorm: c.pool.hasOutputNorm ? norm(c.pool.width) : nil) : nil,
            visualProjection: c.projectionWidth > 0
                ? Linear(weight: Tensor([c.projectionWidth, c.pooledWidth]), bias: nil) : nil)
        model.forEachParameter { info, tensor in
            let name = info.name
            var generator = Philox(seed: seed, name: "initialisation " + name)
            // What a linear map's drawn values, of deviation 0.02, are multiplied with.
            let scale =
                weights == .fanIn && name.hasPrefix("blocks.") && name.hasSuffix(".weight") && tensor.shape.rank == 2
                ? Float(50 / Double(tensor.shape[1]).squareRoot()) : 1
            if name.hasPrefix("patch_embed.") {
                let bound = 1 / Double(c.channels * c.patchSize * c.patchSize).squareRoot()
                tensor.assign { _ in Float((2 * generator.uniform() - 1) * bound) }
            } else if name.hasSuffix("rope.freqs") {
                // Each head turned by an angle of its own; magnitudes from 1 down to 1/10 (RoPE-ViT).
                let pairs = c.headWidth / 2
                let angles = (0..<c.heads).map { _ in 2 * .pi * generator.uniform() }
                tensor.assign { i in
                    let (axis, m) = (i / (c.heads * pairs), i % pairs)
                    let angle = angles[i / pairs % c.heads] + (m < pairs / 2 ? 0 : .pi / 2)
                    let magnitude = pow(10, -Double(m % (pairs / 2)) / Double(pairs / 2))
                    return Float(magnitude * (axis == 0 ? cos(angle) : sin(angle)))
                }
            } else if name.hasSuffix("gamma") {
                tensor.fill(layerScale)
            } else if name.contains("norm") {
                tensor.fill(name.hasSuffix("weight") ? 1 : 0)
            } else if name == "attn_pool.latent" {
                tensor.assign { _ in Float(50 * generator.truncatedNormal() / Double(c.pool.width).squareRoot()) }
            } else if name == "cls_token" || name == "reg_token" {
                tensor.assign { _ in Float(1e-6 * generator.normal()) }
            } else if name.hasSuffix(".bias") {
                let half = tensor.count / 2
                if c.mlp == .swiGLU && name.hasSuffix("mlp.fc1.bias") { tensor.assign { $0 < half ? 0 : 1 } }
            } else {
                let half = tensor.count / 2
                let gated = c.mlp == .swiGLU && name.hasSuffix("mlp.fc1.weight")
                tensor.assign { gated && $0 >= half ? Float(1e-6 * generator.normal()) : scale * Float(generator.truncatedNormal()) }
            }
        }
        if weights == .fanIn, c.hasPositionEmbedding { model.setSineCosinePositions() }
        return model
    }

    /// Sets the positions of patches to half the sines and cosines of their column, then of their row, in as many frequencies as a quarter of
    /// the width, from 1 down to 1 / 100 per patch; what is left of the width stays 0.
    private mutating func setSineCosinePositions() {
        let (c, width) = (configuration, configuration.width)
        let frequencies = (0..<width / 4).map { pow(100, -Double($0) / Double(width / 4)) }
        forEachParameter { info, tensor in
            guard info.name == "pos_embed" else { return }
            let first = (tensor.count / width - c.positionGrid.count) * width
            var values = tensor.values
            for patch in 0..<c.positionGrid.count {
                let place = [Double(patch % c.positionGrid.columns), Double(patch / c.positionGrid.columns)]
                let row = place.flatMap { at in frequencies.map { sin(at * $0) } + frequencies.map { cos(at * $0) } }
                for k in 0..<width { values[first + patch * width + k] = k < row.count ? Float(row[k] / 2) : 0 }
            }
            tensor.replace(from: 0, with: Tensor(tensor.shape, values))
        }
    }

    /// The model with a new head of this many classes, drawn as `scratch` draws heads.
    public func withFreshHead(classes: Int, seed: UInt64) -> VisionTransformer {
        var model = self
        model.configuration.classes = classes
        let width = configuration.featureWidth
        func fresh(_ name: String) -> Linear {
            var weight = Tensor([classes, width])
            var generator = Philox(seed: seed, name: "initialisation " + name + ".weight")
            weight.assign { _ in Float(generator.truncatedNormal()) }
            return Linear(weight: weight, bias: Tensor([classes]))
        }
        model.head = fresh("head")
        model.distillationHead = configuration.pooling == .distilled ? fresh("head_dist") : nil
        return model
    }
}

extension Tensor {
    fileprivate mutating func assign(_ value: (Int) -> Float) {
        withMutableSpan { span in for i in 0..<span.count { span[i] = value(i) } }
    }
}

extension Philox {
    /// A standard normal number, by Box and Muller (1958, https://doi.org/10.1214/aoms/1177706645).
    package mutating func normal() -> Double {
        // 1 - u lies in (0, 1]: its logarithm is finite.
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    /// Normal of deviation 0.02, cut at ±2 as timm's `trunc_normal_` does by default.
    fileprivate mutating func truncatedNormal() -> Double {
        while true {
            let value = 0.02 * normal()
            if abs(value) <= 2 { return value }
        }
    }
}
