import Foundation
import Testing
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

let shared = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared").path

func sharedFile(_ path: String) -> String { shared + "/" + path }
func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: sharedFile(path)) }

/// The reference's 3-block toy: what a public implementation of Chefer's rules stored of every inner value.
@Suite(.enabled(if: isThere("reference/toy_lrp_3blocks.safetensors"), "needs ../shared/reference"))
struct ToyReferenceTests {
    let file: [String: Tensor]
    let model: VisionTransformer

    init() throws {
        file = try readSafetensors(sharedFile("reference/toy_lrp_3blocks.safetensors"))
        model = toyModel(file)
    }

    /// Largest difference relative to the largest reference value.
    func relative(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count, !a.isEmpty, (a + b).allSatisfy(\.isFinite) else { return .infinity }
        return zip(a, b).map { abs($0 - $1) }.max()! / b.map(abs).max()!
    }

    @Test func everyInnerValueEqualsTheReference() throws {
        let workspace = Workspace(poisons: true)
        let targets = (0..<2).map { TargetChoice.fixed(.logit(Int(file["case\($0).target"]!.values[0]))) }
        let sites: Set<Site> = [.attention(0), .attention(1), .attention(2)]
        let request = TraceRequest(forward: sites, gradient: sites, relevance: [.study: sites.union([.pixels])])
        let trace = try model.trace(file["input"]!, targets: targets, request: request, workspace: workspace)
        for b in 0..<2 {
            // 1e-5: float32 products of width 24 against the reference's, in another order.
            #expect(relative(trace.logits(of: b), file["case\(b).logits"]!.values) < 1e-5)
            for l in 0..<3 {
                let name = "case\(b).block\(l)"
                #expect(relative(trace.forward[.attention(l)]![b].values, file["\(name).attention"]!.values) < 1e-5)
                #expect(relative(trace.gradient[.attention(l)]![b].values, file["\(name).attention_gradient"]!.values) < 1e-5)
                let r = relative(
                    trace.relevance(.study)[.attention(l)]![b].values, file["\(name).attention_relevance"]!.values)
                // 2e-4: the stored Float32 relevance itself lies up to 8.5e-5 from the same rules in Float64.
                #expect(r < 2e-4, "relevance of block \(l), case \(b): \(r)")
            }
            let full = relative(trace.relevance(.study)[.pixels]![b].values, file["case\(b).lrp_full"]!.values)
            #expect(full < 3e-3, "full \(full)")
        }
    }

    @Test(arguments: [
        ("chefer", "chefer_grid"), ("lrp-rollout", "lrp_rollout_grid"), ("lrp-last-layer", "lrp_last_layer_grid"),
        ("rollout", "rollout_grid"), ("lrp-full", "lrp_full"),
    ])
    func everyMapEqualsTheReference(_ method: String, _ key: String) throws {
        let plan = try ExplanationPlan(model: model, methods: [ConfiguredMethod(method)], seed: 0)
        for b in 0..<2 {
            let target = TargetChoice.fixed(.logit(Int(file["case\(b).target"]!.values[0])))
            let image = PreparedImage(name: "toy", pixels: file["input"]![b], target: target)
            let map = try plan.explain([image], workspace: Workspace(poisons: true))[0].explanations[0].map
            let r = relative(map.values, file["case\(b).\(key)"]!.values)
            // Maps that read raw relevance inherit its rounding (see above); the others are well conditioned on this toy.
            let bar: Float = method == "lrp-full" ? 3e-3 : method.hasPrefix("lrp") ? 1e-4 : 1e-5
            #expect(r < bar, "\(method) case \(b): \(r)")
        }
    }
}

func toyModel(_ file: [String: Tensor]) -> VisionTransformer {
    let t = { (k: String) -> Tensor in file["model." + k]! }
    let linear = { (k: String) -> Linear in Linear(weight: t(k + ".weight"), bias: t(k + ".bias")) }
    let norm = { (k: String) -> LayerNorm in LayerNorm(weight: t(k + ".weight"), bias: t(k + ".bias")) }
    let configuration = ViTConfiguration(
        patchSize: 8, width: 24, depth: 3, heads: 3, classes: 3, positionGrid: PatchGrid(rows: 4, columns: 4))
    return VisionTransformer(
        configuration: configuration,
        patchEmbedding: Linear(weight: t("patch_embed.proj.weight").reshaped([24, 192]), bias: t("patch_embed.proj.bias")),
        classToken: t("cls_token").reshaped([24]), positionEmbedding: t("pos_embed").reshaped([17, 24]),
        blocks: (0..<3).map { l in
            ViTBlock(
                norm1: norm("blocks.\(l).norm1"), qkv: linear("blocks.\(l).attn.qkv"), projection: linear("blocks.\(l).attn.proj"),
                scale1: nil, norm2: norm("blocks.\(l).norm2"), fc1: linear("blocks.\(l).mlp.fc1"),
                fc2: linear("blocks.\(l).mlp.fc2"), scale2: nil)
        }, norm: norm("norm"), head: linear("head"))
}

/// A few lines that read what the reference files hold, independent of the product's reader.
func readSafetensors(_ path: String) throws -> [String: Tensor] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let n = data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    let header = try JSONSerialization.jsonObject(with: data.subdata(in: 8..<8 + n)) as! [String: Any]
    var result: [String: Tensor] = [:]
    for (key, value) in header where key != "__metadata__" {
        let entry = value as! [String: Any]
        let shape = (entry["shape"] as! [NSNumber]).map(\.intValue)
        let offsets = (entry["data_offsets"] as! [NSNumber]).map(\.intValue)
        let bytes = [UInt8](data.subdata(in: 8 + n + offsets[0]..<8 + n + offsets[1]))
        let little = { (i: Int, size: Int) -> UInt64 in (0..<size).reduce(0) { $0 | UInt64(bytes[i * size + $1]) << (8 * UInt64($1)) } }
        let values: [Float] =
            switch entry["dtype"] as! String {
            case "F32": (0..<bytes.count / 4).map { Float(bitPattern: UInt32(little($0, 4))) }
            case "I64": (0..<bytes.count / 8).map { Float(Int64(bitPattern: little($0, 8))) }
            default: []
            }
        result[key] = Tensor(Shape(shape), values)
    }
    return result
}
