import VitrineImage
import VitrineModel
import VitrineTensor

/// Input times gradient under one rule or another, channels (or the width of z_0) summed; the note `sum-over-logit` says what share of the
/// target's value the sum reaches, and `position-share` how much of it hangs on the positions (`positionShare`).
///
/// | identifier | rule |
/// |---|---|
/// | `input-x-gradient` | the exact gradient (Shrikumar et al. 2016, arXiv:1605.01713) |
/// | `cp-lrp` | attention a constant, secants, frozen deviations (Ali et al. 2022, arXiv:2202.07304); LXT's default for ViTs |
/// | `attn-lrp` | as CP-LRP, with halved products through queries and keys (Achtibat et al. 2024, arXiv:2402.05602) |
/// | `libra` | LibraGrad (arXiv:2411.16760): where there are no gates the same as `cp-lrp` |
struct ValueTimesGradient: Explainer {
    static let methods: [Method] = [
        ("input-x-gradient", GradientRule.exact, "input times gradient", "Shrikumar et al. 2016, arXiv:1605.01713", MethodFamily.gradient),
        (
            "cp-lrp", .cpLRP, "relevance with attention as a constant", "Ali et al. 2022, arXiv:2202.07304; LXT's default for ViTs",
            .relevance
        ),
        ("attn-lrp", .attnLRP, "relevance through attention, products halved", "Achtibat et al. 2024, arXiv:2402.05602", .relevance),
        ("libra", .cpLRP, "input times the balanced gradient", "LibraGrad 2024, arXiv:2411.16760", .relevance),
    ].map { name, rule, summary, citation, family in
        Method(name, summary, citation, family: family, options: "level=pixel|token") { options throws(MethodError) in
            ValueTimesGradient(rule: rule, level: try options.takeWord("level", default: .pixel))
        }
    }

    var rule: GradientRule
    var level: InputLevel

    func needs(_ network: ViTConfiguration) -> Needs {
        // The embedded tokens are passed on the way to the pixels.
        var request = TraceRequest(forward: [level.site, .tokens(0)])
        request.backward[.gradient(rule)] = [level.site, .tokens(0)]
        return Needs(request)
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let trace = subject.values()
        let product = trace.value(level.site).times(trace.gradient(level.site, rule))
        guard let target = subject.target else { throw ViTError.noHead(request: "input times gradient") }
        let logit = Double(target.value(logits: subject.logits))
        var notes = ["sum-over-logit": [VitrineTensor.sum(product) / logit]]
        let (tokens, gradient) = (trace.value(.tokens(0)), trace.gradient(.tokens(0), rule))
        notes["position-share"] = try probe.positionShare(tokens, gradient).map { [$0] }
        return MethodResult(level.map(subject, summing: product), notes: notes)
    }
}
