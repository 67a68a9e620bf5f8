import VitrineImage
import VitrineModel
import VitrineTensor

/// First principal projections at one LayerNorm, each with a sign that means something.
///
/// The projection of X (`[patches, channels]`, each channel's mean taken off) on its first right singular vector:
/// - `eigencam` (Muhammad & Yeasin 2020): X = a; class-agnostic; sign: positive correlation with the patches' distance from their mean;
/// - `eigengradcam`: X = g a; sign: positive correlation with Grad-CAM;
/// - `segeigencam` (Chung & Ying 2025): X = |g| a; its own rule: turned round where |min| > |max|.
struct EigenCAM: TraceExplainer {
    enum Kind: String {
        case activations = "eigencam"
        case gradient = "eigengradcam"
        case segmentation = "segeigencam"
    }

    static let methods: [Method] = [
        (
            Kind.gradient, "first principal projection of gradient times activation",
            "pytorch-grad-cam, EigenGradCAM; sign rule: this project"
        ),
        (.segmentation, "first principal projection of |gradient| times activation", "Chung & Ying 2025, doi:10.3390/app15137562"),
        (
            .activations, "first principal projection of the activations",
            "Muhammad & Yeasin 2020, arXiv:2008.00299; sign rule: this project"
        ),
    ].map { kind, summary, citation in
        Method(kind.rawValue, summary, citation, family: .cam, classSpecific: kind != .activations, options: "block=last") {
            options throws(MethodError) in EigenCAM(kind: kind, block: try options.takeBlock())
        }
    }

    var kind: Kind
    var block: Int?

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs {
        let block = try network.block(block)
        return Needs(kind == .activations ? TraceRequest(forward: [.norm1(block)]) : CAM.request(block: block))
    }

    func map(_ subject: Subject) -> MethodResult {
        let site = Site.norm1(block ?? subject.depth - 1)
        let activation = subject.patchRows(subject.values().value(site))
        if kind == .activations {
            let x = CAM.centred(activation)
            // How far a patch lies from the mean patch.
            let distances = (0..<x.shape[0]).map { Float(squaredNorm([x[$0]]).squareRoot()) }
            return result(subject, CAM.lapackProjection(x), like: distances)
        }
        let layer = CAM.layer(subject, block: block)
        guard kind == .segmentation else {
            let x = CAM.centred(layer.activation.times(layer.gradient))
            return result(subject, CAM.lapackProjection(x), like: CAM.weightedSum(layer))
        }
        var magnitude = layer.gradient
        absolute(layer.gradient, into: &magnitude)
        let projection = CAM.lapackProjection(CAM.centred(magnitude.times(layer.activation)))
        let isDown = abs(projection.min() ?? 0) > abs(projection.max() ?? 0)
        return MethodResult(subject.patchMap(isDown ? projection.map { -$0 } : projection, .gradCAM))
    }

    private func result(_ subject: Subject, _ projection: [Float], like guide: [Float]) -> MethodResult {
        let correlation = Correlation.pearson(projection, guide) ?? 0
        return MethodResult(
            subject.patchMap(correlation < 0 ? projection.map { -$0 } : projection, .gradCAM),
            notes: ["correlation-of-sign": [abs(correlation)]])
    }
}
