import VitrineImage
import VitrineModel
import VitrineTensor

/// A method that says which parts of an image a vision transformer's decision rests on, or a control that only pretends to.
///
/// A conforming type stores its parameters. It states what it needs of the network's own pass over the image; the union of all methods'
/// needs is computed once per image (`ExplanationPlan`), and `map` reads it. What it wants to know beyond that it asks the probe.
public protocol Explainer: Sendable {
    /// What the method reads of the network; complains about options that this network cannot serve.
    func needs(_ network: ViTConfiguration) throws(ViTError) -> Needs
    /// Passes that the method will ask the probe for, for an image of this grid.
    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes
    /// The map of one image.
    ///
    /// - Throws: what the method cannot do for this image, in words; `ExplanationStopped` if somebody stopped the probe.
    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult
}

extension Explainer {
    public func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes { Passes() }
}

/// A method that reads the shared trace and asks nothing more.
public protocol TraceExplainer: Explainer {
    func map(_ subject: Subject) throws -> MethodResult
}

extension TraceExplainer {
    public func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult { try map(subject) }
}

/// What a method reads of the network.
public struct Needs: Sendable {
    /// Of the image itself.
    public var image: TraceRequest
    /// Of versions of the image, shared among methods.
    public var variants: [InputVariant: TraceRequest]
    /// Whether the method asks for a class though it reads no gradient: one that compares answers of changed images.
    public var needsClass: Bool

    public init(_ image: TraceRequest = .logits, variants: [InputVariant: TraceRequest] = [:], needsClass: Bool = false) {
        self.image = image
        self.variants = variants
        self.needsClass = needsClass || image.needsTarget || variants.values.contains { $0.needsTarget }
    }
}

/// Passes through the network for one image.
public struct Passes: Sendable, Equatable {
    /// Forward passes, shortened ones counted by their share of the tokens.
    public var forward: Double
    /// Passes downwards.
    public var backward: Double

    public init(forward: Double = 0, backward: Double = 0) {
        self.forward = forward
        self.backward = backward
    }

    /// Forward and backward together.
    public var total: Double { forward + backward }

    public static func + (a: Passes, b: Passes) -> Passes {
        Passes(forward: a.forward + b.forward, backward: a.backward + b.backward)
    }
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
    /// Facts that belong beside the map, by name: conservation of relevance, agreement of signs, gaps of a sum.
    public var notes: [String: [Double]]
    /// Standard error of the map where the method estimates it from draws; on the same grid.
    public var error: HeatMap?

    public init(_ map: HeatMap, notes: [String: [Double]] = [:], error: HeatMap? = nil) {
        self.map = map
        self.notes = notes
        self.error = error
    }
}

/// What a method could not do for an image.
public struct MethodFailure: Error, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
