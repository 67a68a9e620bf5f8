import VitrineImage
import VitrineTensor

@testable import VitrineEvaluate

/// Asks a `ToyWitness`, and keeps what was asked about the method and what it said.
struct RecordingWitness: Witness {
    final class Record {
        var asked: [(circumstance: Circumstance, map: HeatMap)] = []
    }

    var toy = ToyWitness()
    let record = Record()

    var name: String { toy.name }
    var seed: UInt64 { toy.seed }
    var image: Tensor { toy.image }
    var scale: ChannelScale { toy.scale }
    var patches: (rows: Int, columns: Int) { toy.patches }
    var needsPatches: Bool { toy.needsPatches }
    var explainedClass: Int { toy.explainedClass }
    var layers: Int { toy.layers }
    var memory: WitnessMemory { toy.memory }

    func value(_ logits: [Float], _ scale: AnswerScale) -> Double { toy.value(logits, scale) }

    func logits(of inputs: some Sequence<ChangedInput>, _ body: (Int, [Float]) throws -> Void) throws { try toy.logits(of: inputs, body) }

    func maps(under circumstances: some Sequence<Circumstance>, _ body: (Int, HeatMap) throws -> Void) throws {
        let all = Array(circumstances)
        try toy.maps(under: all) { i, map in
            record.asked.append((all[i], map))
            try body(i, map)
        }
    }
}

extension Circumstance {
    /// The pixels of a changed image.
    var pixels: [Float]? {
        switch self {
        case .input(.pixels(let pixels)), .drawn(_, .pixels(let pixels)): pixels.values
        default: nil
        }
    }
}
