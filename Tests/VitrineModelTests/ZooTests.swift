import Foundation
import Testing
import VitrineModel
import VitrineTensor

/// Whole models against their own implementations: `Scripts/fixtures/zoo.py` made them with timm, transformers and torchvision.
@Suite struct ZooTests {
    struct Model: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let file: String
        let height: Int
        let width: Int
        let seed: Int
        let family: String
        let output: [Float]
        let heads: Int?
        let grid: [Int]?
        /// As `LoadSetting.activation` reads it.
        let activation: String?
        /// Other facts that the file does not show, by the names of `LoadSetting`.
        let settings: [String: String]?
        /// The derivative of the second output by every 29th value of the image, where it was recorded.
        let gradient: [Float]?
        /// The same by every weight, under timm's name: its length, and its product with the cosines of 0, 1, 2 ...
        let weights: [String: [Double]]?
        /// What the query of attention pooling attends to, `[heads, patches]`.
        let pool: [Float]?

        var testDescription: String { name }

        var options: LoadOptions {
            var options = LoadOptions(heads: heads, positionGrid: grid.map { PatchGrid(rows: $0[0], columns: $0[1]) })
            options.isSwiGLU = activation == "swiglu"
            for (name, text) in settings ?? [:] {
                try? options.set(
                    LoadSetting(rawValue: name)!, to: ["head", "adapter"].contains(name) ? zooFolder.appending(path: text).path() : text)
            }
            return options
        }

        func load() throws -> LoadedModel { try VisionTransformer.load(zooFolder.appending(path: file).path(), options: options) }

        /// The image the script made, from the same integers.
        func image(channels: Int) -> Tensor {
            let values = (0..<channels * height * width).map { i in
                Float((i * 7919 + i / 7 * 104_729 + seed * 15_485_863) % 4096) / 1024 - 2
            }
            return Tensor([1, channels, height, width], values)
        }
    }

    private struct Zoo: Decodable { let models: [Model] }

    /// One script for each kind of network writes one of these files.
    static let models: [Model] = ["zoo.json", "rotary.json", "towers.json", "siglip.json", "adapters.json"].flatMap { file -> [Model] in
        guard let data = try? Data(contentsOf: zooFolder.appending(path: file)) else { return [] }
        return (try? JSONDecoder().decode(Zoo.self, from: data))?.models ?? []
    }

    @Test func theZooIsComplete() {
        #expect(Self.models.count >= 40)
        #expect(Set(Self.models.map(\.family)) == Set(CheckpointFamily.allCases.map(\.rawValue)))
    }

    /// Logits, or the features of a backbone, of every model; all differences are printed if one is too large.
    @Test func outputsEqualTheOriginals() throws {
        var lines: [String] = []
        var failures = 0
        let workspace = Workspace()
        for model in Self.models {
            do {
                let loaded = try model.load()
                let output = try loaded.model(model.image(channels: loaded.model.configuration.channels), workspace: workspace).values
                let difference =
                    output.count == model.output.count
                    ? zip(output, model.output).map { abs($0 - $1) }.max() ?? .infinity : .infinity
                // Outputs of order 1 after two blocks in Float32: rounding leaves 1e-6; the smallest of the mistakes in `conventionsShow` leaves more than 2e-5.
                let isRight = difference <= 1e-5 && loaded.report.family.rawValue == model.family
                failures += isRight ? 0 : 1
                lines.append("\(isRight ? "  " : "X ")\(model.name): \(difference), \(loaded.report.family.rawValue)")
            } catch {
                failures += 1
                lines.append("X \(model.name): \(error)")
            }
        }
        #expect(failures == 0, "\(lines.joined(separator: "\n"))")
    }

    /// The input gradient, from a forward pass in a batch: that of the image's own pixels.
    @Test func inputGradientsEqualTheOriginals() throws {
        var compared = 0
        let workspace = Workspace(poisons: true)
        for model in Self.models {
            guard let expected = model.gradient else { continue }
            let loaded = try model.load().model
            let trace = try loaded.trace(
                model.image(channels: loaded.configuration.channels), targets: [.fixed(.logit(1))],
                request: TraceRequest(gradient: [.pixels]), workspace: workspace)
            let found = trace.gradient[.pixels]!.values
            let ours = stride(from: 0, to: found.count, by: 29).map { found[$0] }
            let peak = expected.reduce(0) { max($0, abs($1)) }
            let error = ours.count == expected.count ? zip(ours, expected).map { abs($0 - $1) }.max()! / peak : .infinity
            // Two blocks in Float32 leave 1e-6; the bar for whole models is 1e-3.
            #expect(error <= 2e-5, "\(model.name): \(error)")
            compared += 1
        }
        #expect(compared >= 20)
    }

    /// Saved under timm's names and loaded again, a model of any family gives the same outputs, bit for bit.
    @Test func savedModelsGiveTheSame() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vitrine-zoo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let workspace = Workspace()
        for model in Self.models {
            let loaded = try model.load().model
            let path = folder.appending(path: "\(model.name).safetensors").path()
            let json = String(decoding: try JSONEncoder().encode(loaded.withTimmPositions().configuration), as: UTF8.self)
            try Safetensors.write(loaded.timmTensors(), metadata: [VisionTransformer.configurationKey: json], to: path)
            let again = try VisionTransformer.load(path).model
            let image = model.image(channels: loaded.configuration.channels)
            let (first, second) = (try loaded(image, workspace: workspace).values, try again(image, workspace: workspace).values)
            let difference = zip(first, second).map { abs($0 - $1) }.max() ?? .infinity
            // Where positions move into the class token, one sum is taken in another order.
            #expect(difference <= (loaded.configuration == again.configuration ? 0 : 1e-5), "\(model.name)")
        }
    }

    /// Another activation, epsilon or way of resampling is seen in the outputs, so that equality above means the right one.
    @Test func conventionsShow() throws {
        let workspace = Workspace()
        func distance(_ model: Model, _ change: (inout LoadOptions) -> Void) throws -> Float {
            var options = model.options
            change(&options)
            let loaded = try VisionTransformer.load(zooFolder.appending(path: model.file).path(), options: options).model
            let output = try loaded(model.image(channels: loaded.configuration.channels), workspace: workspace).values
            return zip(output, model.output).map { abs($0 - $1) }.max() ?? 0
        }
        var compared = 0
        for model in Self.models {
            let c = try model.load().model.configuration
            if try c.hasPositionEmbedding && c.positionGrid != c.grid(height: model.height, width: model.width) {
                for mode in ViTConfiguration.PositionResampling.allCases where mode != c.positionResampling {
                    #expect(try distance(model) { $0.positionResampling = mode } > 2e-5, "\(model.name), \(mode)")
                    compared += 1
                }
            }
            if case .activation(let right) = c.mlp, model.file.contains("/"), right != .gelu {
                for wrong in Activation.allCases where wrong != right {
                    #expect(try distance(model) { $0.activation = wrong } > 2e-5, "\(model.name), \(wrong)")
                    compared += 1
                }
            }
            if c.normEpsilon > 1e-3 { #expect(try distance(model) { $0.normEpsilon = 1e-6 } > 2e-5, "\(model.name)") }
        }
        #expect(compared >= 12)
    }
}
