import VitrineImage
import VitrineModel
import VitrineTensor

/// One image under explanation: its traces, one per variant that any method asked for.
public struct Subject: Sendable {
    public let network: ViTConfiguration
    /// `[channels, height, width]`, normalised: what the network sees.
    public let image: Tensor
    /// How the pixels were normalised; nil where nobody said.
    public let scale: ChannelScale?
    public let grid: PatchGrid
    /// What is explained; nil for a backbone.
    public let target: Target?
    /// Of the image itself; empty for a backbone.
    public let logits: [Float]
    /// Names the image; with `seed` it keys every random draw.
    public let name: String
    public let seed: UInt64
    let traces: [InputVariant: (trace: Trace, index: Int)]

    public var height: Int { image.shape[1] }
    public var width: Int { image.shape[2] }
    /// Number of blocks.
    public var depth: Int { network.depth }
    /// Number of attentions, from the pixels up: those of the blocks, and that of attention pooling, where there is one.
    var attentions: Int { network.attentions.upperBound }
    /// r, tokens before the first patch.
    public var prefix: Int { network.prefixTokens }

    /// The network's inner values for one variant of the image.
    public func values(_ variant: InputVariant = .identity) -> ImageTrace {
        guard let entry = traces[variant] else { preconditionFailure("a method read a variant that it did not ask for") }
        return ImageTrace(trace: entry.trace, index: entry.index)
    }

    /// The stream of random numbers for one purpose and index; the same for every batch, order and number of threads.
    public func random(_ purpose: String, _ index: Int = 0) -> Philox {
        Philox(seed: seed, name: "\(purpose)/\(name)", index: UInt64(index))
    }

    /// The stream of the `index`-th set of patches that are kept independently of each other: one for all methods that draw such sets.
    func coalitions(_ seed: Int, _ index: Int) -> Philox { random("coalitions/\(seed)", index) }

    /// How the pixels were normalised, where a method cannot do without.
    public func requiredScale() throws(MethodFailure) -> ChannelScale {
        guard let scale else {
            throw MethodFailure("needs to know how the pixels were normalised, and nobody said; give the image as a picture")
        }
        return scale
    }

    // MARK: Maps

    /// A map on the patch grid.
    func patchMap(_ values: [Float], _ display: DisplayRule) -> HeatMap {
        HeatMap(rows: grid.rows, columns: grid.columns, values: values, height: height, width: width, display: display)
    }

    /// A map on the pixels.
    func pixelMap(_ values: [Float], _ display: DisplayRule) -> HeatMap {
        HeatMap(rows: height, columns: width, values: values, height: height, width: width, display: display)
    }

    // MARK: What the head reads

    /// A row vector that picks the queries the head reads of the last attention: 1 at the class token, or the mean over patches for mean
    /// pooling. Attention pooling has one query, and its attention is the last.
    ///
    /// Attention-based methods ask which patches these queries attend to.
    var readout: Tensor {
        if network.pooling == .attention { return Tensor([1, 1], [1]) }
        let tokens = network.prefixTokens + grid.count
        var row = [Float](repeating: 0, count: tokens)
        if network.pooling == .mean {
            for i in network.prefixTokens..<tokens { row[i] = 1 / Float(grid.count) }
        } else {
            row[0] = 1
        }
        return Tensor([1, tokens], row)
    }

    /// The same for any block: with attention pooling tokens count as much as the pool's query attends to them, on the mean over heads.
    ///
    /// Reads what `ViTConfiguration.readoutSites` names.
    func readout(at attention: Int) -> Tensor {
        guard network.pooling == .attention, attention < depth else { return readout }
        return meanOverHeads(values().attention(depth))
    }

    /// The patch part of a vector over tokens.
    func patches(_ row: Tensor) -> [Float] { Array(row.values.dropFirst(network.prefixTokens)) }

    /// The patch rows of `[tokens, ..]`.
    func patchRows(_ tokens: Tensor) -> Tensor { tokens[prefix..<tokens.shape[0]] }
}

/// One image's share of a trace; every tensor is a view.
public struct ImageTrace: Sendable {
    let trace: Trace
    let index: Int

    /// Empty for a backbone.
    public var logits: [Float] { trace.logits(of: index) }

    /// A value of the forward pass, in the shape that `Site` states.
    public func value(_ site: Site) -> Tensor { trace.forward[site]![index] }

    /// The derivative of the target by a place, or what a pass under another rule leaves there.
    public func gradient(_ site: Site, _ rule: GradientRule = .exact, from reading: Reading = .output) -> Tensor {
        trace.backward[.gradient(rule, from: reading)]!.values[site]![index]
    }

    /// Relevance at a place.
    public func relevance(_ site: Site, rule: RelevanceRule) -> Tensor { trace.relevance(rule)[site]![index] }

    /// Sums of relevance by block, from the last block down.
    public func relevanceSums(rule: RelevanceRule) -> [Double] { trace.backward[.relevance(rule)]!.sums[index] }

    /// The logits that a gradient started from: those read after a block, or the network's own.
    public func logits(of reading: Reading, _ rule: GradientRule = .exact) -> [Float] {
        trace.backward[.gradient(rule, from: reading)]!.logits![index].values
    }

    /// `[heads, tokens, tokens]`.
    public func attention(_ block: Int) -> Tensor { value(.attention(block)) }
    /// `[heads, tokens, tokens]`.
    public func attentionGradient(_ block: Int) -> Tensor { gradient(.attention(block)) }
}
