import VitrineImage
import VitrineModel
import VitrineTensor

/// A method that says which parts of an image a vision transformer's decision rests on, or a control that only pretends to.
///
/// A conforming type stores its parameters. It states what it needs of the network; the union of all methods' needs is
/// computed once per image (`Explanation.swift`), and `map` reads it.
public protocol Explainer: Sendable {
    /// What the method needs of the network, by variant of the input; empty for a control that needs no model.
    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest]
    /// Complains about options that this model cannot serve; blocks are checked with the request.
    func check(_ configuration: ViTConfiguration) throws(ViTError)
    /// The map of one image.
    func map(_ subject: Subject) -> MethodResult
}

extension Explainer {
    public func check(_ configuration: ViTConfiguration) throws(ViTError) {}
}

/// A version of the input image that a method looks at besides the image itself.
public struct InputVariant: Hashable, Sendable {
    /// Mirrored left to right.
    public var isFlipped: Bool
    /// Factor on the normalised pixel values.
    public var gain: Float

    public init(isFlipped: Bool = false, gain: Float = 1) {
        self.isFlipped = isFlipped
        self.gain = gain
    }

    public static let identity = InputVariant()
}

/// A map with what its method noticed while making it.
public struct MethodResult: Sendable {
    public var map: HeatMap
    /// Facts that belong beside the map, by name: conservation of relevance, agreement of signs.
    public var notes: [String: [Double]]

    public init(_ map: HeatMap, notes: [String: [Double]] = [:]) {
        self.map = map
        self.notes = notes
    }
}

/// One image under explanation: its traces, one per variant that any method asked for.
public struct Subject: Sendable {
    public let configuration: ViTConfiguration
    /// `[channels, height, width]`, normalised: what the network sees.
    public let image: Tensor
    public let grid: PatchGrid
    /// Names the image; with `seed` it keys every random draw.
    public let name: String
    public let seed: UInt64
    let traces: [InputVariant: (trace: Trace, index: Int)]

    public var height: Int { image.shape[1] }
    public var width: Int { image.shape[2] }

    /// The network's inner values for one variant of the image.
    public func values(_ variant: InputVariant = .identity) -> ImageTrace {
        guard let entry = traces[variant] else { preconditionFailure("a method read a variant that it did not ask for") }
        return ImageTrace(trace: entry.trace, index: entry.index)
    }

    /// A map on the patch grid.
    func patchMap(_ values: [Float], _ display: DisplayRule) -> HeatMap {
        HeatMap(rows: grid.rows, columns: grid.columns, values: values, height: height, width: width, display: display)
    }

    /// A map on the pixels.
    func pixelMap(_ values: [Float], _ display: DisplayRule) -> HeatMap {
        HeatMap(rows: height, columns: width, values: values, height: height, width: width, display: display)
    }

    /// A row vector that picks the tokens the head reads: 1 at the class token, or the mean over patches for mean pooling.
    ///
    /// Attention-based methods ask which patches these tokens attend to.
    var readout: Tensor {
        let tokens = configuration.prefixTokens + grid.count
        var row = [Float](repeating: 0, count: tokens)
        if configuration.pooling == .mean {
            for i in configuration.prefixTokens..<tokens { row[i] = 1 / Float(grid.count) }
        } else {
            row[0] = 1
        }
        return Tensor([1, tokens], row)
    }

    /// The patch part of a vector over tokens.
    func patches(_ row: Tensor) -> [Float] { Array(row.values.dropFirst(configuration.prefixTokens)) }
}

/// One image's share of a trace; every tensor is a view.
public struct ImageTrace: Sendable {
    let trace: Trace
    let index: Int

    /// `[heads, tokens, tokens]`.
    public func attention(_ block: Int) -> Tensor { trace.attention[block]![index] }
    /// `[heads, tokens, tokens]`.
    public func attentionGradient(_ block: Int) -> Tensor { trace.attentionGradient[block]![index] }
    /// `[patches, width]`: the first LayerNorm's output, prefix tokens dropped.
    public func norm1(_ block: Int) -> Tensor { dropPrefix(trace.norm1[block]![index]) }
    /// `[patches, width]`.
    public func norm1Gradient(_ block: Int) -> Tensor { dropPrefix(trace.norm1Gradient[block]![index]) }
    /// Relevance at the attention, `[heads, tokens, tokens]`.
    public func attentionRelevance(_ block: Int, rule: RelevanceRule) -> Tensor { trace.relevance[rule]!.attention[block]![index] }
    /// Relevance of the pixels, `[height, width]`.
    public func pixelRelevance(rule: RelevanceRule) -> Tensor { trace.relevance[rule]!.input![index] }
    /// Sums of relevance by block, from the last block down.
    public func relevanceSums(rule: RelevanceRule) -> [Double] { trace.relevance[rule]!.sums[index] }

    private func dropPrefix(_ tokens: Tensor) -> Tensor { tokens[trace.prefixTokens..<tokens.shape[0]] }
}
