import Foundation
import Testing
import VitrineModel
import VitrineTensor

/// Weights beside objects of other packages, from `Scripts/fixtures/pickles.py`: what is no tensor is data, and never executed.
@Suite struct OpaqueObjectTests {
    private static let folder = CheckpointFixtures.folder.appendingPathComponent("opaque")

    static let files: [String] = {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return all.filter { $0.hasSuffix(".pth") }.sorted()
    }()

    private struct Expected: Decodable { let values: [String: [Float]] }

    @Test func thereAreFiles() { #expect(Self.files.count >= 27) }

    @Test(arguments: files)
    func tensorsAreReadAndTheRestIsLeftAlone(name: String) throws {
        let json = try Data(contentsOf: CheckpointFixtures.folder.appendingPathComponent("opaque.json"))
        let expected = try JSONDecoder().decode(Expected.self, from: json).values
        let state = try Checkpoint.open(Self.folder.appendingPathComponent(name).path).stateDict()
        #expect(state.selection.key == "model")
        #expect(Set(state.names) == Set(expected.keys))
        for (key, values) in expected { #expect(try state.tensor(named: key).values == values, "\(key)") }
    }

    /// OmegaConf's nodes point back at their parents; each is entered once.
    @Test func aCircleOfObjectsEnds() throws {
        let file = try Checkpoint.open(Self.folder.appendingPathComponent("omegaconf-2.pth").path)
        #expect(file.opaque.contains { $0.name == "extra/_content/lr/_val" && $0.text == "0.1" })
        #expect(file.opaque.count < 20)
    }

    /// `torch.jit.save` compresses its code, which must not hide what the file is.
    @Test func aTorchScriptProgramIsNamed() {
        let path = Self.folder.appendingPathComponent("torchscript.pt").path
        #expect { try Checkpoint.open(path) } throws: { "\($0)".contains("is a TorchScript program") }
    }
}
