import Foundation
import Testing
import VitrineModel

@testable import VitrineTensor

@Suite struct TorchArchiveTests {
    @Test(arguments: [
        "small.pth", "types.pth", "views.pth", "shared.pth", "training.pth", "training_protocol4.pth", "big_endian.pth", "zip64.pth",
        "dino.pth",
    ])
    func readsWhatTorchWrote(name: String) throws { try CheckpointFixtures.compare(name) }

    @Test func viewsOfOneStorageShareItsMemory() throws {
        let file = try Checkpoint.open(CheckpointFixtures.path("shared.pth"))
        func tensor(_ name: String) throws -> Tensor { try file.tensor(named: name) }
        #expect(try tensor("embed").storage === tensor("head").storage)
        #expect(try tensor("embed").storage === tensor("rows").storage)
        // Converted once, not once for each view.
        #expect(try tensor("half").storage === tensor("half_row").storage)
        #expect(try tensor("half").storage !== tensor("embed").storage)
    }

    @Test func alignedFloat32IsMappedAndCopiedOnlyWhenWritten() throws {
        let file = try Checkpoint.open(CheckpointFixtures.path("small.pth"))
        var tensor = try file.tensor(named: "a")
        #expect(tensor.storage.isReadOnly)
        let before = tensor.values
        tensor.fill(7)
        #expect(try file.tensor(named: "a").values == before)
    }

    @Test func whatIsNoTensorIsKeptAsData() throws {
        for name in ["training.pth", "training_protocol4.pth"] {
            let file = try Checkpoint.open(CheckpointFixtures.path(name))
            let opaque = Dictionary(file.opaque.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
            func check(_ name: String, _ type: String, _ text: String) {
                #expect(opaque[name]?.type == type && opaque[name]?.text == text, "\(name)")
            }
            check("epoch", "int", "12")
            check("best", "float", "0.75")
            check("count", "int", "3")
            check("seed", "int", String(1 << 40))
            check("large", "int", "an integer of 13 bytes")
            check("args", "argparse.Namespace", "")
            check("args/arch", "str", "vit_small")
            check("args/lr", "float", "0.001")
            check("args/flag", "bool", "True")
            check("args/seed", "None", "None")
            check("args/layers", "list", "1, 2")
            check("size", "tuple", "2, 3")
            check("device", "torch.device", "cpu")
            check("dtype", "torch.float32", "torch.float32")
            check("optimizer/param_groups/0/lr", "float", "0.001")
            check("lr_scheduler/milestones/2", "int", "1")
            check("lr_scheduler/milestones/5", "int", "1")
            #expect(opaque["history"]?.type.hasPrefix("numpy.") == true)
            #expect(opaque["version"]?.type == "torch.torch_version.TorchVersion")
        }
    }

    // MARK: writing

    @Test func whatIsWrittenComesBack() throws {
        let folder = try CheckpointFixtures.temporaryFolder()
        let source = try Checkpoint.open(CheckpointFixtures.path("small.pth"))
        var tensors = try source.tensors.mapValues { try $0.tensor() }
        tensors["ключ"] = Tensor([], [.nan])
        tensors["empty"] = Tensor([0, 3])
        let path = folder.appendingPathComponent("x.pth").path
        try TorchArchive.write(tensors, to: path)
        let file = try Checkpoint.open(path)
        #expect(file.names == tensors.keys.sorted())
        for (name, tensor) in tensors {
            let back = try file.tensor(named: name)
            #expect(back.shape == tensor.shape)
            #expect(back.values.map(\.bitPattern) == tensor.values.map(\.bitPattern))
        }
        #expect(file.tensors.values.allSatisfy { $0.byteOffset % 64 == 0 })
        // Nothing is left beside the finished file.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.pth"])
    }

    /// For `Scripts/fixtures/checkpoint.py --check`, which reads the same files with torch and safetensors.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["VITRINE_CHECKPOINT_OUTPUT"] != nil, "VITRINE_CHECKPOINT_OUTPUT is not set"))
    func writesFilesForTorch() throws {
        let folder = URL(fileURLWithPath: ProcessInfo.processInfo.environment["VITRINE_CHECKPOINT_OUTPUT"]!)
        let tensors = try Checkpoint.open(CheckpointFixtures.path("small.safetensors")).tensors.mapValues { try $0.tensor() }
        try Safetensors.write(tensors, to: folder.appendingPathComponent("written.safetensors").path)
        try Safetensors.write(tensors, type: .float16, to: folder.appendingPathComponent("written_half.safetensors").path)
        try TorchArchive.write(tensors, to: folder.appendingPathComponent("written.pth").path)
    }

    /// The check value of CRC-32/ISO-HDLC, and a sum taken in two pieces of odd length.
    @Test func checksum() {
        var whole = CRC32()
        whole.update(Array("123456789".utf8))
        #expect(whole.value == 0xcbf4_3926)
        var pieces = CRC32()
        pieces.update(Array("1".utf8))
        pieces.update(Array("23456789".utf8))
        #expect(pieces.value == whole.value)
        let tensor = Tensor([33], (0..<33).map { Float($0) })
        var ofTensor = CRC32()
        ofTensor.update(tensor)
        var ofBytes = CRC32()
        ofBytes.update(tensor.values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } })
        #expect(ofTensor.value == ofBytes.value)
    }
}
