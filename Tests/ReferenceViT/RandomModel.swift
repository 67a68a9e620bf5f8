import Foundation
import VitrineModel
import VitrineTensor

/// Tiny models with weights under which every part matters and logits are of order 1.
public struct RandomModel: Sendable, CustomStringConvertible {
    public let description: String
    public let configuration: ViTConfiguration
    public let seed: UInt64

    public init(_ description: String, seed: UInt64, _ configuration: ViTConfiguration) {
        self.description = description
        self.configuration = configuration
        self.seed = seed
    }

    public var model: VisionTransformer {
        var normal = Normal(seed: seed)
        let c = configuration
        let d = c.width
        func linear(_ outputs: Int, _ inputs: Int, gain: Double = 1) -> Linear {
            Linear(
                weight: normal.tensor([outputs, inputs], deviation: gain / Double(inputs).squareRoot()),
                bias: normal.tensor([outputs], deviation: 0.2))
        }
        func norm(_ width: Int) -> LayerNorm {
            LayerNorm(weight: normal.tensor([width], mean: 1, deviation: 0.2), bias: normal.tensor([width], deviation: 0.2))
        }
        func maybeNorm(_ has: Bool, _ width: Int) -> LayerNorm? { has ? norm(width) : nil }
        let rows = (2 * c.positionGrid.rows - 1) * (2 * c.positionGrid.columns - 1) + (c.hasClassToken ? 3 : 0)
        func scale() -> Tensor? { c.hasLayerScale ? normal.tensor([d], mean: 0.6, deviation: 0.2) : nil }
        return VisionTransformer(
            configuration: c, patchEmbedding: linear(d, c.channels * c.patchSize * c.patchSize),
            classToken: c.hasClassToken ? normal.tensor([d]) : nil,
            distillationToken: c.hasDistillationToken ? normal.tensor([d]) : nil,
            registerTokens: c.registers > 0 ? normal.tensor([c.registers, d]) : nil,
            positionEmbedding: c.hasPositionEmbedding
                ? normal.tensor([c.positionedPrefixTokens + c.positionGrid.count, d], deviation: 0.4) : nil,
            blocks: (0..<c.depth).map { _ in
                var block = ViTBlock(
                    norm1: norm(d), qkv: linear(3 * d, d, gain: 1.4), projection: linear(d, d), scale1: scale(), norm2: norm(d),
                    fc1: linear(c.firstHidden, d), fc2: linear(d, c.hidden), scale2: scale())
                block.queryNorm = maybeNorm(c.hasQueryKeyNorm, c.headWidth)
                block.keyNorm = maybeNorm(c.hasQueryKeyNorm, c.headWidth)
                block.contextNorm = maybeNorm(c.hasContextNorm, d)
                block.hiddenNorm = maybeNorm(c.hasHiddenNorm, c.hidden)
                if c.hasRelativePositions { block.relativePositions = normal.tensor([rows, c.heads], deviation: 0.7) }
                if c.rotary?.frequencies == .learned {
                    block.rotaryFrequencies = normal.tensor([2, c.heads, c.headWidth / 2], deviation: 0.8)
                }
                if !c.hasKeyBias { block.qkv.bias!.replace(from: d, with: Tensor([d])) }
                return block
            },
            norm: norm(c.normPlacement == .afterPooling ? c.pooledWidth : d),
            head: c.classes > 0 ? linear(c.classes, c.featureWidth, gain: c.hasUnitFeatures ? 4 : 1) : nil,
            distillationHead: c.pooling == .distilled ? linear(c.classes, d) : nil, inputNorm: maybeNorm(c.hasInputNorm, d),
            attentionPool: c.pooling == .attention
                ? AttentionPool(
                    probe: normal.tensor([c.pool.width]), query: linear(c.pool.width, c.pool.width, gain: 1.4),
                    keysValues: linear(2 * c.pool.width, d, gain: 1.4), projection: linear(c.pool.width, c.pool.width),
                    keyNorm: maybeNorm(c.pool.hasKeyNorm, d),
                    mlp: c.pool.hasMLP
                        ? AttentionPool.MLP(
                            norm2: norm(c.pool.width), fc1: linear(c.hidden, c.pool.width), fc2: linear(c.pool.width, c.hidden)) : nil,
                    outputNorm: maybeNorm(c.pool.hasOutputNorm, c.pool.width)) : nil,
            visualProjection: c.projectionWidth > 0
                ? Linear(weight: normal.tensor([c.projectionWidth, c.pooledWidth], deviation: 0.3), bias: nil) : nil)
    }

    /// A normalised image of the position grid's size, `[channels, height, width]`.
    public func image(_ index: Int) -> Tensor {
        var normal = Normal(seed: seed &* 1_000_003 &+ UInt64(index) &+ 17)
        let (p, grid) = (configuration.patchSize, configuration.positionGrid)
        return normal.tensor([configuration.channels, grid.rows * p, grid.columns * p])
    }

    /// A batch of the first images, `[count, channels, height, width]`.
    public func images(_ count: Int) -> Tensor {
        let all = (0..<count).map { image($0) }
        return Tensor([count, all[0].shape[0], all[0].shape[1], all[0].shape[2]], all.flatMap(\.values))
    }
}

extension RandomModel {
    /// One model for every option of the family, and so of every family that is read: what every method is walked over. Grids are not square, widths are odd multiples.
    public static let all: [RandomModel] = [
        RandomModel("class token", seed: 1, configuration()),
        RandomModel("mean pooling, norm before", seed: 2, configuration(pooling: .mean)),
        RandomModel("mean pooling, fc_norm", seed: 3, configuration(pooling: .mean, placement: .afterPooling)),
        RandomModel("mean pooling without class token", seed: 4, configuration(classToken: false, pooling: .mean)),
        RandomModel("class token and mean", seed: 5, configuration(pooling: .classAndMean)),
        RandomModel("distilled", seed: 6, configuration(distilled: true, pooling: .distilled)),
        RandomModel("registers, LayerScale", seed: 7, configuration(registers: 3, layerScale: true)),
        RandomModel("SwiGLU, LayerScale", seed: 8, configuration(mlp: .swiGLU, layerScale: true)),
        RandomModel("tanh GELU, large epsilon", seed: 9, configuration(mlp: .activation(.geluTanh), epsilon: 1e-2)),
        RandomModel("quick GELU, class token fc_norm", seed: 10, configuration(placement: .afterPooling, mlp: .activation(.quickGelu))),
        RandomModel(
            "registers, SwiGLU, class token and mean", seed: 11,
            configuration(registers: 2, pooling: .classAndMean, mlp: .swiGLU, layerScale: true)),
        RandomModel(
            "DINOv3", seed: 12,
            configuration(registers: 2, mlp: .swiGLU, layerScale: true, epsilon: 1e-5) {
                $0.rotary = RotaryPositions(
                    pairing: .halves, coordinates: .centred, frequencies: .axial([6.28, 1.9]), columnsFirst: false)
                $0.hasPositionEmbedding = false
                $0.positionedPrefixTokens = 0
                $0.hasKeyBias = false
            }),
        RandomModel(
            "EVA-02 CLIP", seed: 13,
            configuration(mlp: .swiGLU) {
                $0.rotary = RotaryPositions(
                    pairing: .neighbours, coordinates: .scaled(to: PatchGrid(rows: 5, columns: 4)), frequencies: .axial([1, 0.3]),
                    columnsFirst: false)
                $0.hasKeyBias = false
                $0.hasContextNorm = true
                $0.hasHiddenNorm = true
            }),
        RandomModel(
            "RoPE-ViT with learnt frequencies, norms on queries and keys", seed: 14,
            configuration(pooling: .mean, layerScale: true) {
                $0.rotary = RotaryPositions(pairing: .neighbours, coordinates: .index, frequencies: .learned, columnsFirst: true)
                $0.hasQueryKeyNorm = true
            }),
        RandomModel(
            "BEiT", seed: 15,
            configuration(pooling: .mean, placement: .afterPooling, layerScale: true) {
                $0.hasRelativePositions = true
                $0.hasPositionEmbedding = false
                $0.positionedPrefixTokens = 0
                $0.hasKeyBias = false
            }),
        RandomModel(
            "EVA", seed: 16,
            configuration(pooling: .mean, placement: .afterPooling) { $0.hasKeyBias = false }),
        RandomModel(
            "DINOv3, mean of patches", seed: 19,
            configuration(registers: 2, pooling: .mean, layerScale: true, epsilon: 1e-5) {
                $0.rotary = RotaryPositions(
                    pairing: .halves, coordinates: .centred, frequencies: .axial([6.28, 1.9]), columnsFirst: false)
                $0.hasPositionEmbedding = false
                $0.positionedPrefixTokens = 0
                $0.hasKeyBias = false
            }),
        RandomModel(
            "CLIP with text vectors", seed: 17,
            configuration(mlp: .activation(.quickGelu), epsilon: 1e-5) {
                $0.hasInputNorm = true
                $0.projectionWidth = 9
                $0.hasUnitFeatures = true
            }),
        RandomModel(
            "CLIP, mean of patches without the last norm", seed: 18,
            configuration(pooling: .mean, placement: .absent, epsilon: 1e-5) { $0.hasInputNorm = true }),
        RandomModel("attention pooling", seed: 19, configuration(classToken: false, pooling: .attention, mlp: .activation(.geluTanh))),
        RandomModel(
            "attention pooling with text vectors, fc_norm, class token and registers", seed: 20,
            configuration(registers: 2, pooling: .attention, placement: .afterPooling, layerScale: true) { $0.hasUnitFeatures = true }),
        RandomModel(
            "CoCa, norm behind the pool", seed: 22,
            configuration(pooling: .attention, placement: .afterPooling, mlp: .activation(.quickGelu), epsilon: 1e-5) {
                $0.hasInputNorm = true
                $0.attentionPooling = pool { _ in }
                $0.projectionWidth = 9
                $0.hasUnitFeatures = true
            }),
        RandomModel(
            "CONCH, norms before and behind the pool", seed: 23,
            configuration(pooling: .attention) {
                $0.attentionPooling = pool { $0.hasOutputNorm = true }
                $0.projectionWidth = 9
            }),
    ]

    /// A pool of a width and heads of its own.
    private static func pool(_ change: (inout ViTConfiguration.AttentionPooling) -> Void) -> ViTConfiguration.AttentionPooling {
        var pool = ViTConfiguration.AttentionPooling(width: 14, heads: 2)
        (pool.readsPrefix, pool.hasKeyNorm, pool.hasMLP, pool.normEpsilon) = (true, true, false, 1e-3)
        change(&pool)
        return pool
    }

    private static func configuration(
        classToken: Bool = true, distilled: Bool = false, registers: Int = 0, pooling: ViTConfiguration.Pooling = .classToken,
        placement: ViTConfiguration.NormPlacement = .beforePooling, mlp: ViTConfiguration.MLP = .activation(.gelu),
        layerScale: Bool = false, epsilon: Float = 1e-6, _ change: ((inout ViTConfiguration) -> Void)? = nil
    ) -> ViTConfiguration {
        // Angles take channels by fours.
        var configuration = ViTConfiguration(
            patchSize: 4, width: change == nil ? 15 : 24, depth: 3, heads: 3, hidden: 22, classes: 4,
            positionGrid: PatchGrid(rows: 2, columns: 3), hasClassToken: classToken, hasDistillationToken: distilled, registers: registers,
            pooling: pooling, normPlacement: placement, mlp: mlp, hasLayerScale: layerScale, normEpsilon: epsilon)
        change?(&configuration)
        return configuration
    }
}

/// Normal numbers by Box and Muller over SplitMix64.
struct Normal {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    private mutating func uniform() -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return (Double((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53
    }

    mutating func tensor(_ shape: Shape, mean: Double = 0, deviation: Double = 1) -> Tensor {
        Tensor(
            shape,
            (0..<shape.count).map { _ in
                Float(mean + deviation * (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()))
            })
    }
}
