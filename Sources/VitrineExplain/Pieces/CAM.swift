import VitrineModel
import VitrineTensor

/// Pieces that the Grad-CAM family shares.
enum CAM {
    /// Activations and gradients at the target layer, `[patches, channels]` each.
    struct Layer {
        var activation: Tensor
        var gradient: Tensor
    }

    static func request(block: Int) -> TraceRequest { TraceRequest(forward: [.norm1(block)], gradient: [.norm1(block)]) }

    /// - Parameter block: nil for the last.
    static func layer(_ subject: Subject, _ variant: InputVariant = .identity, block: Int? = nil) -> Layer {
        let trace = subject.values(variant)
        let site = Site.norm1(block ?? subject.depth - 1)
        return Layer(activation: subject.patchRows(trace.value(site)), gradient: subject.patchRows(trace.gradient(site)))
    }

    /// `w_c`, the spatial mean of the gradient: `[1, channels]`.
    static func channelWeights(_ layer: Layer) -> Tensor {
        let (patches, channels) = (layer.gradient.shape[0], layer.gradient.shape[1])
        var ones = Tensor([1, patches])
        ones.fill(1)
        var weights = Tensor([1, channels])
        multiply(ones.matrix, layer.gradient.matrix, into: &weights, alpha: 1 / Float(patches))
        return weights
    }

    /// `sum_c w_c a_c` at every patch.
    static func weightedSum(_ layer: Layer) -> [Float] {
        var map = Tensor([layer.activation.shape[0], 1])
        multiply(layer.activation.matrix, channelWeights(layer).matrix.transposed, into: &map)
        return map.values
    }

    /// `X = w_c a_c` with each channel's spatial mean taken off and NaN as 0: `[patches, channels]`.
    static func centredWeighted(_ layer: Layer) -> Tensor {
        var x = Tensor(layer.activation.shape)
        scaleColumns(layer.activation, by: channelWeights(layer).reshaped([layer.activation.shape[1]]), into: &x)
        return centred(x)
    }

    /// Each channel's spatial mean taken off and NaN as 0.
    static func centred(_ values: Tensor) -> Tensor {
        var x = values
        x.withMutableSpan { x in
            for i in 0..<x.count where x[i].isNaN { x[i] = 0 }
        }
        var means = Tensor([x.shape[1]])
        columnSums(x, addingTo: &means)
        scale(&means, by: -1 / Float(x.shape[0]))
        addBias(means, to: &x)
        return x
    }

    /// The projection of `x` on its first right singular vector, with LAPACK's sign; zeros when LAPACK does not converge.
    static func lapackProjection(_ x: Tensor) -> [Float] {
        guard let vector = leadingRightSingularVector(x) else { return [Float](repeating: 0, count: x.shape[0]) }
        var projection = Tensor([x.shape[0], 1])
        multiply(x.matrix, Tensor([vector.count, 1], vector).matrix, into: &projection)
        return projection.values
    }
}
