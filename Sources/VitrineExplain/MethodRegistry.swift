import VitrineModel

/// What a method reads, by which the help lists methods and `family:NAME` asks for several.
public enum MethodFamily: String, Sendable, Codable, CaseIterable {
    /// Attention weights, perhaps with their gradients.
    case attention
    /// Activations and their gradients at one layer.
    case cam
    /// Gradients by pixels or tokens.
    case gradient
    /// Relevance carried down by rules.
    case relevance
    /// The sum that makes up the logit.
    case decomposition
    /// Answers to changed images.
    case perturbation
    /// Nothing of the model.
    case control
}

/// An explanation method or control as the command line, the study file, the report and the tests know it.
public struct Method: Sendable {
    /// What the method is called everywhere; part of the interface.
    public let identifier: String
    public let summary: String
    /// Where the method was published.
    public let citation: String
    /// Whether the map depends on the class asked about.
    public let isClassSpecific: Bool
    public let family: MethodFamily
    /// Whether it ignores the model.
    public var isControl: Bool { family == .control }
    /// `option=default` pairs, for the help.
    public let options: String
    let make: @Sendable (inout MethodOptions) throws(MethodError) -> any Explainer

    /// Every method, in the order of the help.
    public static let all: [Method] = [
        RawAttention.methods, AttentionRollout.methods, GradientRollout.methods, GenericAttention.methods, AttentionGradCAM.methods,
        AGCAM.methods, GMAR.methods, LeGrad.methods, BeyondIntuition.methods, TransitionAttention.methods, InFlow.methods,
        GradECLIP.methods,
        GradCAM.methods, AugmentedGradCAM.methods, EigenProjection.methods, StudyGradCAM.methods, ChannelWeightedCAM.methods,
        HiResCAM.methods, EigenCAM.methods, CDAM.methods, FEM.methods, ScoreCAM.methods, AblationCAM.methods, RandomCAM.methods,
        Saliency.methods, IntegratedGradients.methods, SmoothGrad.methods,
        CheferRelevance.methods, PartialRelevance.methods, ValueTimesGradient.methods, GammaLRP.methods, ContentAttribution.methods,
        ALTI.methods, DirectLogit.methods, LogitLens.methods, PatchFeatures.methods,
        Occlusion.methods, TokenRemoval.methods, TokenInsertion.methods, RISE.methods, ShapleyRegression.methods, LIME.methods,
        HSIC.methods, Sobol.methods, Owen.methods, TIS.methods, ViTCX.methods, ReciproCAM.methods, ActivationPatching.methods,
        Controls.methods,
    ].flatMap { $0 }

    init(
        _ identifier: String, _ summary: String, _ citation: String, family: MethodFamily, classSpecific: Bool = true,
        options: String = "", make: @escaping @Sendable (inout MethodOptions) throws(MethodError) -> any Explainer
    ) {
        self.identifier = identifier
        self.summary = summary
        self.citation = citation
        self.family = family
        isClassSpecific = classSpecific
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
    /// The class to explain in the place of the image's own, as the user wrote it: the option `target` of every class-specific method.
    public let targetText: String?
    /// The same as the network knows it; whoever runs the method finds it out, since names of classes are not known here.
    public var target: TargetChoice?

    /// Reads `name:option=value,option=value`.
    public init(_ text: String) throws(MethodError) {
        var options = try MethodOptions.parse(text)
        guard let method = Method.named(options.method) else { throw .unknown(options.method, known: Method.all.map(\.identifier)) }
        targetText = method.isClassSpecific ? try options.take("target", default: nil, "a class") { $0.isEmpty ? nil : .some($0) } : nil
        explainer = try method.make(&options)
        try options.finish()
        self.method = method
        name = text
    }

    /// The same method under a target of its own; a class-agnostic one as it is.
    public func explaining(_ text: String) -> ConfiguredMethod {
        guard method.isClassSpecific, targetText == nil else { return self }
        return ConfiguredMethod(name: name + (name.contains(":") ? "," : ":") + "target=\(text)", method, explainer, targetText: text)
    }

    /// The same method, asked about the image's own target.
    var underTheImagesTarget: ConfiguredMethod { ConfiguredMethod(name: name, method, explainer, targetText: targetText) }

    private init(name: String, _ method: Method, _ explainer: any Explainer, targetText: String?) {
        self.name = name
        self.method = method
        self.explainer = explainer
        self.targetText = targetText
    }

    /// Reads several, of which `all` stands for every method and `family:NAME` for one family's; what these bring and `network` cannot serve is
    /// left out, while a method that is named must be served.
    ///
    /// - Returns: the methods in order, each once, and those left out with the reason.
    public static func expanded(
        _ texts: [String], for network: ViTConfiguration
    ) throws(MethodError) -> (methods: [ConfiguredMethod], leftOut: [(name: String, reason: String)]) {
        var methods: [ConfiguredMethod] = []
        var leftOut: [(name: String, reason: String)] = []
        var seen = Set<String>()
        var named = Set<String>()
        for text in texts {
            let group: [Method]?
            if text == "all" {
                group = Method.all
            } else if text.hasPrefix("family:") {
                let name = String(text.dropFirst("family:".count))
                guard let family = MethodFamily(rawValue: name) else {
                    throw .unknown(text, known: MethodFamily.allCases.map { "family:\($0.rawValue)" })
                }
                group = Method.all.filter { $0.family == family }
            } else {
                group = nil
            }
            guard let group else {
                guard named.insert(text).inserted else { throw .duplicate(text) }
                // A group may have brought it already, or left it out; who names it wants it.
                if seen.insert(text).inserted || leftOut.contains(where: { $0.name == text }) {
                    leftOut.removeAll { $0.name == text }
                    methods.append(try ConfiguredMethod(text))
                }
                continue
            }
            for method in group where seen.insert(method.identifier).inserted {
                let configured = try ConfiguredMethod(method.identifier)
                do throws(ViTError) {
                    let needs = try configured.explainer.needs(network)
                    if needs.needsClass && network.classes == 0 { throw .noHead(request: "method '\(method.identifier)'") }
                    methods.append(configured)
                } catch { leftOut.append((method.identifier, "\(error)")) }
            }
        }
        return (methods, leftOut)
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
