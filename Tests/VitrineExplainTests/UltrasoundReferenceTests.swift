import Foundation
import Testing
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// Five breast-ultrasound images under a fine-tuned ViT-S/14, against what the study's own code returned for them.
@Suite(.enabled(if: isThere("reference/busi") && isThere("models/busi_vits14_finetuned.pth"), "needs ../shared/reference and models"))
struct UltrasoundReferenceTests {
    static let names = ["benign_178", "benign_366", "malignant_12", "malignant_129", "normal_14"]

    /// The model and the maps of all images, made once.
    struct Run: Sendable {
        let logits: [[Float]]
        /// By image, then by method.
        let maps: [[String: Explanation]]
        let files: [[String: Tensor]]
    }

    static let relevances = ["chefer", "chefer-stable", "lrp-rollout", "lrp-last-layer", "lrp-full"]
    static let precise = relevances.map { $0 + ":precision=double" }
    static let methods =
        ["attention", "rollout", "gradcam", "gradcam-augmented", "gradcam-eigen", "gradcam-study"] + relevances + precise

    static let run = Result {
        let model = try VisionTransformer.load(sharedFile("models/busi_vits14_finetuned.pth")).model
        let files = try names.map { try readSafetensors(sharedFile("reference/busi/\($0).safetensors")) }
        let plan = try ExplanationPlan(model: model, methods: ConfiguredMethod.parse(methods), seed: 0)
        let workspace = Workspace()
        let results = try zip(names, files).map { name, file in
            try plan.explain([PreparedImage(name: name, pixels: file["input"]!, target: .fixed(.logit(1)))], workspace: workspace)[0]
        }
        return Run(
            logits: results.map(\.logits),
            maps: results.map { Dictionary(uniqueKeysWithValues: $0.explanations.map { ($0.method, $0) }) }, files: files)
    }

    private func largest(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count && (a + b).allSatisfy { $0.isFinite } ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }

    private func relative(_ a: [Float], _ b: [Float]) -> Float { largest(a, b) / b.reduce(0) { max($0, abs($1)) } }

    /// The reference's input, before normalisation: not one byte differs.
    @Test(arguments: names)
    func inputEqualsThePicture(_ name: String) throws {
        let expected = try readSafetensors(sharedFile("reference/busi/\(name).safetensors"))["input"]!
        let image = try Image(contentsOf: sharedFile("reference/busi/\(name).png")).resized(width: 224, height: 224, filter: .bilinear)
        let (mean, deviation) = ([0.485, 0.456, 0.406] as [Float], [0.229, 0.224, 0.225] as [Float])
        var different = 0
        for channel in 0..<3 {
            let plane = expected[channel].values
            for i in plane.indices {
                let grey = (plane[i] * deviation[channel] + mean[channel]) * 255
                if Int(grey.rounded()) != Int(image.pixels[i * image.channels + min(channel, image.channels - 1)]) { different += 1 }
            }
        }
        #expect(different == 0)
    }

    @Test func logitsEqualTheReference() throws {
        let run = try Self.run.get()
        for (name, (logits, file)) in zip(Self.names, zip(run.logits, run.files)) {
            // Float32 through twelve blocks in another order of summation.
            let error = largest(logits, file["logits"]!.values)
            #expect(error < 1e-4, "\(name): \(error)")
        }
    }

    /// Displayed maps lie in [0, 1]; the acceptance asks for 1e-3, rounding leaves less than 1e-4.
    @Test(arguments: [
        ("attention", "attention"), ("gradcam", "gradcam_plain"), ("gradcam-augmented", "gradcam_aug"), ("gradcam-study", "gradcam_paper"),
    ])
    func mapsEqualTheReference(_ method: String, _ key: String) throws {
        let run = try Self.run.get()
        for (i, name) in Self.names.enumerated() {
            let error = largest(run.maps[i][method]!.map.displayed(), run.files[i][key]!.values)
            #expect(error < 1e-4, "\(method), \(name): \(error)")
        }
    }

    @Test func rolloutEqualsTheReference() throws {
        let run = try Self.run.get()
        for (i, name) in Self.names.enumerated() {
            let error = relative(run.maps[i]["rollout"]!.map.values, run.files[i]["rollout_grid"]!.values)
            #expect(error < 1e-4, "\(name): \(error)")
        }
    }

    /// The study's projection takes its sign from LAPACK: it says how often that is the documented one.
    @Test func signsOfTheStudyAreReported() throws {
        let run = try Self.run.get()
        for (i, name) in Self.names.enumerated() {
            let notes = run.maps[i]["gradcam-study"]!.notes
            let correlations = notes["correlations"]!
            #expect(correlations.count == 6)
            #expect(notes["signs-agreeing"]! == [Double(correlations.filter { $0 >= 0 }.count)], "\(name)")
            let eigen = run.maps[i]["gradcam-eigen"]!.map.values
            #expect(Correlation.pearson(eigen, run.maps[i]["gradcam"]!.map.values)! > 0, "\(name)")
        }
    }

    /// The published relevance is ill-conditioned here: two implementations in Float32 agree in shape, not in value.
    ///
    /// On malignant_12 the reference's own Float32 map correlates only 0.917 with its rules in Float64, so its bar is wide. The
    /// last block's relevance has passed two additions only and is still sharp. `lrp-full` has no bar: with Float64 the
    /// reference's map correlates 0.15 to 0.62, which is to say that it is noise.
    @Test func relevanceCorrelatesWithTheReference() throws {
        let run = try Self.run.get()
        for (i, name) in Self.names.enumerated() {
            func correlation(_ method: String, _ key: String) -> Double {
                Correlation.pearson(run.maps[i][method]!.map.values, run.files[i][key]!.values) ?? -1
            }
            let chefer = correlation("chefer", "chefer_grid")
            #expect(chefer > (name == "malignant_12" ? 0.85 : 0.998), "\(name): \(chefer)")
            let rollout = correlation("lrp-rollout", "lrp_rollout_grid")
            // The reference's Float32 is as far from Float64 as ours: with five orders of summation we found 0.9967 to 0.9999.
            #expect(rollout > (name == "malignant_12" ? 0.95 : 0.99), "\(name): \(rollout)")
            let lastLayer = correlation("lrp-last-layer", "lrp_last_layer_grid")
            #expect(lastLayer > 0.999999, "\(name): \(lastLayer)")
            #expect(run.maps[i]["lrp-full"]!.map.audit.isSound)
        }
    }

    /// Against the same rules in Float64 (`Scripts/fixtures/explain.py`): the stabilised map to 2e-3 of its maximum, the
    /// published one in shape.
    @Test func relevanceEqualsFloat64() throws {
        let run = try Self.run.get()
        let file = try readSafetensors(PublicPackageTests.folder + "/busi-float64.safetensors")
        for (i, name) in Self.names.enumerated() {
            let stable = relative(run.maps[i]["chefer-stable"]!.map.values, file["\(name).chefer-stable"]!.values)
            #expect(stable < 2e-3, "\(name): \(stable)")
            let published = Correlation.pearson(run.maps[i]["chefer"]!.map.values, file["\(name).chefer"]!.values) ?? -1
            #expect(published > (name == "malignant_12" ? 0.85 : 0.998), "\(name): \(published)")
        }
    }

    /// Relevance off a forward pass in Float64 equals the same rules in Float64 throughout, where in Float32 `lrp-full` is noise: the whole
    /// of the published rules' error came from the forward pass. The acceptance asks for a correlation of 0.999.
    @Test(arguments: precise) func relevanceOfDoublePrecisionEqualsFloat64(_ method: String) throws {
        let run = try Self.run.get()
        let file = try readSafetensors(PublicPackageTests.folder + "/busi-float64.safetensors")
        for (i, name) in Self.names.enumerated() {
            let map = run.maps[i][method]!.map
            let key = String(method.prefix { $0 != ":" })
            let values = key == "lrp-full" ? Self.patchSums(map) : map.values
            let correlation = Correlation.pearson(values, file["\(name).\(key)"]!.values) ?? -1
            #expect(correlation > 0.99999, "\(name): \(correlation)")
            let error = relative(values, file["\(name).\(key)"]!.values)
            #expect(error < 1e-3, "\(name): \(error)")
        }
    }

    /// Of a map on the pixels, over patches of 14 x 14.
    private static func patchSums(_ map: HeatMap) -> [Float] {
        var sums = [Double](repeating: 0, count: 256)
        for i in map.values.indices { sums[i / 224 / 14 * 16 + i % 224 / 14] += Double(map.values[i]) }
        return sums.map(Float.init)
    }

    /// The pretrained backbone at 224: class token after the last norm, positions resampled without antialias.
    @Test(.enabled(if: isThere("models/dinov2_vits14_pretrained.safetensors"), "needs ../shared/models"))
    func pretrainedBackboneEqualsTheReference() throws {
        var options = LoadOptions()
        options.positionResampling = .bicubic
        let model = try VisionTransformer.load(sharedFile("models/dinov2_vits14_pretrained.safetensors"), options: options).model
        #expect(model.head == nil)
        let workspace = Workspace()
        for (name, file) in zip(Self.names, try Self.run.get().files) {
            let token = try model(file["input"]!.reshaped([1, 3, 224, 224]), workspace: workspace).values
            let error = largest(token, file["pretrained.class_token_after_norm"]!.values)
            #expect(error < 1e-3, "\(name): \(error)")
        }
    }
}
