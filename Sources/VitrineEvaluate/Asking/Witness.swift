import VitrineImage
import VitrineTensor

/// Under which other circumstances a method may be asked for its map again.
public enum Circumstance: Sendable {
    /// Another version of the image; the target stays.
    case input(ChangedInput)
    /// A version that several metrics draw alike, by the name of the draw, so that the method is asked once.
    case drawn(String, ChangedInput)
    /// The logit of another class.
    case target(Int)
    /// Other draws of a method that draws at random.
    case seed(Int)
    /// A network in which these layers hold random weights: 0 the head, 1 the final norm, then the blocks from the last to the first,
    /// at last the embedding; `draw` tells one randomisation from another.
    case randomised(Range<Int>, draw: Int)
}

/// How an answer is read.
public enum AnswerScale: String, Sendable, Codable, CaseIterable {
    /// The softmax of the explained class; the sigmoid for one logit, and for a sum or difference of logits.
    case probability
    /// What the map explains: a logit, or a sum of weighted logits.
    case logit
}

/// Who can be asked about the image behind a map: the network, and the method that made the map.
///
/// Made for one image under one model, and shared by all maps and metrics of it, so that what one asked the next remembers. For one
/// thread.
public protocol Witness {
    /// Names the image; with `seed` it keys every random draw.
    var name: String { get }
    var seed: UInt64 { get }
    /// `[channels, height, width]`, normalised.
    var image: Tensor { get }
    var scale: ChannelScale { get }
    /// The patches that become tokens.
    var patches: (rows: Int, columns: Int) { get }
    /// Without a single patch nothing is left to read: the network averages over patches and has no other token.
    var needsPatches: Bool { get }
    /// The class that the map explains.
    var explainedClass: Int { get }
    /// Layers that `Circumstance.randomised` knows.
    var layers: Int { get }
    var memory: WitnessMemory { get }
    /// Reads what the map explains off an answer.
    func value(_ logits: [Float], _ scale: AnswerScale) -> Double
    /// The logits for each input, in order.
    func logits(of inputs: some Sequence<ChangedInput>, _ body: (Int, [Float]) throws -> Void) throws
    /// The same method's map under each circumstance, in order.
    ///
    /// - Throws: `Undefined` where it cannot be asked: a map of another tool, a class that the model does not have.
    func maps(under circumstances: some Sequence<Circumstance>, _ body: (Int, HeatMap) throws -> Void) throws
}

/// What a witness was asked already.
public final class WitnessMemory {
    struct Kept: Hashable {
        let rule: RemovalRule
        let patches: [Int]
    }

    var answers: [Kept: [Float]] = [:]
    /// Removals by rule, each with what it paints.
    var removals: [RemovalRule: PatchRemoval] = [:]
    /// Chance levels by metric.
    var levels: [String: ChanceLevel?] = [:]
    /// Logits of drawn inputs, by the name of the draw.
    var drawn: [String: [Float]] = [:]
    /// Segments of the image, by how many were asked for.
    var segments: [Int: (labels: [Int], count: Int)] = [:]

    public init() {}
}

extension Witness {
    public var height: Int { image.shape[1] }
    public var width: Int { image.shape[2] }
    var patchCount: Int { patches.rows * patches.columns }

    /// The stream of one draw.
    public func random(_ purpose: String, _ index: Int = 0) -> Philox {
        Philox(seed: seed, name: "\(purpose)/\(name)", index: UInt64(index))
    }

    /// A map of independent uniform values, the control every metric that asks the model is compared with.
    func controlMap(_ draw: Int) -> HeatMap {
        var random = random("control-map", draw)
        return HeatMap(
            rows: patches.rows, columns: patches.columns, values: (0..<patchCount).map { _ in Float(random.uniform()) }, height: height,
            width: width, display: .attention)
    }

    /// The logits when only these patches are left, for each of several sets of patches (ascending).
    ///
    /// A set that was asked for before, by whichever metric and map, is remembered.
    func logits(keeping sets: [[Int]], by rule: RemovalRule) throws -> [[Float]] {
        let removal: PatchRemoval
        if let known = memory.removals[rule] {
            removal = known
        } else {
            removal = PatchRemoval(
                rule, image: image, rows: patches.rows, columns: patches.columns, scale: scale, random: random("removal-noise"))
            memory.removals[rule] = removal
        }
        // The whole image is the same under every rule.
        func key(_ set: [Int]) -> WitnessMemory.Kept { .init(rule: set.count == patchCount ? .drop : rule, patches: set) }
        var missing: [[Int]] = []
        var seen = Set<WitnessMemory.Kept>()
        for set in sets where memory.answers[key(set)] == nil && seen.insert(key(set)).inserted { missing.append(set) }
        let inputs = missing.lazy.map { set -> ChangedInput in
            if set.count == patchCount { return .pixels(image) }
            return set.isEmpty ? removal.keepingNothing(networkNeedsPatches: needsPatches) : removal.keeping(set)
        }
        try logits(of: inputs) { i, logits in memory.answers[key(missing[i])] = logits }
        return try sets.map { set in
            guard let known = memory.answers[key(set)] else { throw Undefined("the model gave no answer") }
            return known
        }
    }

    /// What the map explains, when only these patches are left.
    func values(keeping sets: [[Int]], by rule: RemovalRule, _ scale: AnswerScale) throws -> [Double] {
        let values = try logits(keeping: sets, by: rule).map { value($0, scale) }
        guard values.allSatisfy(\.isFinite) else { throw Undefined("the model's answer is not finite") }
        return values
    }

    /// The logits of inputs that depend on their names alone, each asked for once.
    func logits(drawn names: [String], _ input: (Int) -> ChangedInput) throws -> [[Float]] {
        let missing = names.indices.filter { memory.drawn[names[$0]] == nil }
        try logits(of: missing.map(input)) { i, logits in memory.drawn[names[missing[i]]] = logits }
        return names.map { memory.drawn[$0] ?? [] }
    }

    /// All patches but these.
    func patches(without removed: some Sequence<Int>) -> [Int] {
        var isKept = [Bool](repeating: true, count: patchCount)
        for patch in removed { isKept[patch] = false }
        return isKept.indices.filter { isKept[$0] }
    }

    /// Warns where an empty image was shown as its mean colour.
    func emptyNote(_ rule: RemovalRule) -> String? {
        (rule == .drop || rule == .mask) && needsPatches ? "the network needs patches: with none left it saw the mean colour" : nil
    }
}

/// Complains unless a model's answers differ: where nothing changes them, no map can be told from another.
func requireChange(_ values: [Double]) throws(Undefined) {
    guard let first = values.first, values.contains(where: { $0 != first }) else {
        throw Undefined("the model's answer does not change")
    }
}
