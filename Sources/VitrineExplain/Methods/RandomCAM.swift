import VitrineImage
import VitrineModel
import VitrineTensor

/// A CAM with weights drawn from -1...1: what activations alone look like, whatever the class.
///
/// A control that knows the model's activations and nothing of its decision, so it runs with a model as the methods do.
struct RandomCAM: TraceExplainer {
    static let methods = [
        Method(
            "random-cam", "activations at norm1 under random channel weights", "pytorch-grad-cam, RandomCAM", family: .cam,
            classSpecific: false, options: "block=last, seed=0"
        ) { options throws(MethodError) in RandomCAM(block: try options.takeBlock(), seed: try options.takeSeed()) }
    ]

    var block: Int?
    var seed: Int

    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs { Needs(TraceRequest(forward: [.norm1(try network.block(block))])) }

    func map(_ subject: Subject) -> MethodResult {
        let a = subject.patchRows(subject.values().value(.norm1(block ?? subject.depth - 1)))
        var random = subject.random("random-cam/\(seed)")
        let weights = Tensor([a.shape[1], 1], (0..<a.shape[1]).map { _ in Float(2 * random.uniform() - 1) })
        var map = Tensor([a.shape[0], 1])
        multiply(a.matrix, weights.matrix, into: &map)
        return MethodResult(subject.patchMap(map.values, .gradCAM))
    }
}
