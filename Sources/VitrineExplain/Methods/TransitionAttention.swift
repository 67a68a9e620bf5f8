import VitrineImage
import VitrineModel
import VitrineTensor

/// Transition attention maps (Yuan et al. 2021, https://arxiv.org/abs/2111.08314): a state carried down the blocks, weighted by a smoothed gradient.
///
/// The state starts as the readout row of the last mean attention, which is the pool's where attention pools, and gains `state A_l` at every block below it, from the top down
/// (txv's TAM, to the last digits); map = state times the readout row of the smoothed gradient (`steps` images between 0 and x).
struct TransitionAttention: Explainer {
    static let methods = [
        Method(
            "transition-attention", "states carried down the attention, weighted by smoothed gradients",
            "Yuan et al. 2021, arXiv:2111.08314",
            family: .attention, options: "steps=20"
        ) { options throws(MethodError) in try TransitionAttention(&options) }
    ]

    var steps: Int

    init(_ options: inout MethodOptions) throws(MethodError) { steps = try options.takeCount("steps", default: 20) }

    func needs(_ network: ViTConfiguration) -> Needs {
        Needs(TraceRequest(forward: Set(network.attentions.map(Site.attention))), needsClass: true)
    }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes { Passes(forward: Double(steps), backward: Double(steps)) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let trace = subject.values()
        var state = rowTimes(subject.readout, meanOverHeads(trace.attention(subject.attentions - 1)))
        for l in (0..<subject.attentions - 1).reversed() {
            let carried = rowTimes(state, meanOverHeads(trace.attention(l)))
            add(carried, to: &state)
        }
        let weight = rowTimes(subject.readout, try smoothedGradient(subject, probe, steps: steps))
        return MethodResult(subject.patchMap(subject.patches(state.times(weight)), .relevance))
    }
}
