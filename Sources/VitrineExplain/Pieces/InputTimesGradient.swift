import VitrineModel
import VitrineTensor

/// Value times gradient, under any rule, at the pixels or at the embedded tokens.
enum InputTimesGradient {
    static func request(_ rule: GradientRule, _ level: InputLevel) -> TraceRequest {
        var request = TraceRequest(forward: [level.site])
        request.backward[.gradient(rule)] = [level.site]
        return request
    }

    static func map(_ subject: Subject, _ rule: GradientRule, _ level: InputLevel) throws -> MethodResult {
        let trace = subject.values()
        let product = trace.value(level.site).times(trace.gradient(level.site, rule))
        guard let target = subject.target else { throw ViTError.noHead(request: "input times gradient") }
        let logit = Double(target.value(logits: subject.logits))
        return MethodResult(
            level.map(subject, summing: product), notes: ["sum-over-logit": [VitrineTensor.sum(product) / logit]])
    }
}
