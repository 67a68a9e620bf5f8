/// An explanation method or control as the command line, the study file, the report and the tests know it.
public struct Method: Sendable {
    /// What the method is called everywhere; part of the interface.
    public let identifier: String
    public let summary: String
    /// Where the method was published.
    public let citation: String
    /// Whether the map depends on the class asked about.
    public let isClassSpecific: Bool
    /// Whether it ignores the model.
    public let isControl: Bool
    /// `option=default` pairs, for the help.
    public let options: String
    let make: @Sendable (inout MethodOptions) throws(MethodError) -> any Explainer

    /// Every method, in the order of the help.
    public static let all: [Method] = [
        Method(
            "attention", "attention of the class token to the patches, one block", "Dosovitskiy et al. 2021, arXiv:2010.11929",
            classSpecific: false, options: "block=last, head=all, fusion=mean|max|min"
        ) { options throws(MethodError) in try RawAttention(&options) },
        Method(
            "rollout", "product of head-averaged attention with the residual path", "Abnar & Zuidema 2020, arXiv:2005.00928",
            classSpecific: false, options: "start=0"
        ) { options throws(MethodError) in try AttentionRollout(&options) },
        Method("gradcam", "Grad-CAM at norm1 of the last block", "Selvaraju et al. 2017, arXiv:1610.02391") { _ in GradCAM() },
        Method(
            "gradcam-augmented", "Grad-CAM, mean of six test-time variants", "Gildenblat et al., pytorch-grad-cam (aug_smooth)"
        ) { _ in AugmentedGradCAM() },
        Method(
            "gradcam-eigen", "Grad-CAM's first principal projection, sign by correlation with Grad-CAM",
            "Muhammad & Yeasin 2020, arXiv:2008.00299; sign rule: this project"
        ) { _ in EigenProjection() },
        Method(
            "gradcam-study", "six variants, projected with LAPACK's arbitrary sign, as the study ran it",
            "Chung et al. 2024, arXiv:2503.09535",
            options: "sign=lapack|flipped|documented"
        ) { options throws(MethodError) in try StudyGradCAM(&options) },
        Method(
            "chefer", "transformer attribution as published; ill-conditioned on trained models",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838", options: "start=0"
        ) { options throws(MethodError) in try CheferRelevance(&options, stabilised: false) },
        Method(
            "chefer-stable", "transformer attribution with stabilised residual additions",
            "Chefer, Gur & Wolf 2021, arXiv:2012.09838; stabiliser: this project", options: "start=0, epsilon=0.03"
        ) { options throws(MethodError) in try CheferRelevance(&options, stabilised: true) },
        Method("lrp-rollout", "rollout of the relevance at the attention", "Chefer, Gur & Wolf 2021, arXiv:2012.09838") { _ in
            PartialRelevance.rollout
        },
        Method("lrp-last-layer", "relevance at the last block's attention", "Chefer, Gur & Wolf 2021, arXiv:2012.09838") { _ in
            PartialRelevance.lastLayer
        },
        Method("lrp-full", "relevance of every pixel", "Chefer, Gur & Wolf 2021, arXiv:2012.09838") { _ in PartialRelevance.full },
        Method(
            "random-patch", "control: uniform noise per patch", "control", classSpecific: false, control: true,
            options: "upsampling=bilinear|nearest|bicubic"
        ) { options throws(MethodError) in
            Control.randomPatch(upsampling: try options.take("upsampling", default: .bilinear) { .init(rawValue: $0) })
        },
        Method("random-pixel", "control: uniform noise per pixel", "control", classSpecific: false, control: true) { _ in
            Control.randomPixel
        },
        Method(
            "centre", "control: Gaussian around the image's centre", "control", classSpecific: false, control: true,
            options: "sigma=0.25 (of the height)"
        ) { options throws(MethodError) in
            Control.centre(sigma: try options.take("sigma", default: 0.25) { text in Double(text).flatMap { $0 > 0 ? $0 : nil } })
        },
        Method("edge", "control: Sobel edges of the image", "control", classSpecific: false, control: true) { _ in Control.edge },
        Method("constant", "control: one value everywhere", "control", classSpecific: false, control: true) { _ in Control.constant },
    ]

    private init(
        _ identifier: String, _ summary: String, _ citation: String, classSpecific: Bool = true, control: Bool = false,
        options: String = "", make: @escaping @Sendable (inout MethodOptions) throws(MethodError) -> any Explainer
    ) {
        self.identifier = identifier
        self.summary = summary
        self.citation = citation
        isClassSpecific = classSpecific
        isControl = control
        self.options = options
        self.make = make
    }

    public static func named(_ identifier: String) -> Method? { all.first { $0.identifier == identifier } }
}

/// A method with its options, ready to run.
public struct ConfiguredMethod: Sendable {
    /// As the user wrote it, options included: the method's name in every result.
    public let name: String
    public let method: Method
    public let explainer: any Explainer

    /// Reads `name:option=value,option=value`.
    public init(_ text: String) throws(MethodError) {
        var options = try MethodOptions.parse(text)
        guard let method = Method.named(options.method) else { throw .unknown(options.method, known: Method.all.map(\.identifier)) }
        explainer = try method.make(&options)
        try options.finish()
        self.method = method
        name = text
    }

    /// Reads several; a method asked for twice is an error.
    public static func parse(_ texts: [String]) throws(MethodError) -> [ConfiguredMethod] {
        var seen = Set<String>()
        var methods: [ConfiguredMethod] = []
        for text in texts {
            guard seen.insert(text).inserted else { throw .duplicate(text) }
            methods.append(try ConfiguredMethod(text))
        }
        return methods
    }
}
