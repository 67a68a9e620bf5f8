import VitrineImage
import VitrineModel
import VitrineTensor

/// Grad-CAM at the first LayerNorm of the last block (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391; methods.md §4).
///
/// `w_c = mean_ij g_c`, map = `sum_c w_c a_c`, with a the LayerNorm's output at the patches and g its gradient by the target.
/// After that point only the class token reaches the logits. The raw map is signed; its display clips negatives, as
/// pytorch-grad-cam does.
struct GradCAM: Explainer {
    func needs(_ configuration: ViTConfiguration) -> [InputVariant: TraceRequest] { [.identity: CAM.request(configuration)] }

    func map(_ subject: Subject) -> MethodResult {
        let layer = CAM.layer(subject, .identity)
        return MethodResult(subject.patchMap(CAM.weightedSum(layer), .gradCAM))
    }
}

/// Pieces that the Grad-CAM family shares.
enum CAM {
    /// Activations and gradients at the target layer, `[patches, channels]` each.
    struct Layer {
        var activation: Tensor
        var gradient: Tensor
    }

    static func request(_ configuration: ViTConfiguration) -> TraceRequest {
        var request = TraceRequest()
        request.norm1 = [configuration.depth - 1]
        request.norm1Gradient = [configuration.depth - 1]
        return request
    }

    static func layer(_ subject: Subject, _ variant: InputVariant) -> Layer {
        let trace = subject.values(variant)
        let block = subject.configuration.depth - 1
        return Layer(activation: trace.norm1(block), gradient: trace.norm1Gradient(block))
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
        let channels = layer.activation.shape[1]
        let patches = layer.activation.shape[0]
        var x = Tensor(layer.activation.shape)
        scaleColumns(layer.activation, by: channelWeights(layer).reshaped([channels]), into: &x)
        x.withMutableSpan { x in
            for i in 0..<x.count where x[i].isNaN { x[i] = 0 }
        }
        var means = Tensor([channels])
        columnSums(x, addingTo: &means)
        scale(&means, by: -1 / Float(patches))
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
