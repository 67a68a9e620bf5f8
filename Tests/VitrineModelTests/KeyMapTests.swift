import Foundation
import Testing
import VitrineTensor

@testable import VitrineModel

/// Key maps and inference on shapes alone; whole models are compared in `ZooTests`.
@Suite struct KeyMapTests {
    /// Named tensors of zeros.
    static func tensors(
        _ shapes: [String: [Int]], group: [String] = [], metadata: [String: String] = [:], neighbour: String? = nil
    ) -> NamedTensors {
        NamedTensors(
            path: "model.pth", group: group, shapes: shapes, metadata: metadata,
            neighbour: neighbour.map { (Array($0.utf8), "config.json") }, tensor: { Tensor(Shape(shapes[$0]!)) })
    }

    static func timmShapes(_ configuration: ViTConfiguration) -> [String: [Int]] {
        Dictionary(uniqueKeysWithValues: configuration.expectedTensors().map { ($0.name, $0.shape) })
    }

    static let tiny = ViTConfiguration(
        patchSize: 4, width: 8, depth: 2, heads: 2, hidden: 16, classes: 3, positionGrid: PatchGrid(rows: 4, columns: 4))

    static let variants: [ViTConfiguration] = {
        var list = [tiny]
        func vary(_ change: (inout ViTConfiguration) -> Void) {
            var c = tiny
            change(&c)
            list.append(c)
        }
        vary { $0.classes = 0 }
        vary { $0.channels = 1 }
        vary { $0.hidden = 20 }
        vary { $0.mlp = .swiGLU }
        vary { $0.hasLayerScale = true }
        vary {
            $0.registers = 4
            $0.positionedPrefixTokens = 0
        }
        vary {
            $0.registers = 2
            $0.positionedPrefixTokens = 3
        }
        vary {
            $0.pooling = .mean
            $0.normPlacement = .afterPooling
        }
        vary {
            $0.pooling = .mean
            $0.hasClassToken = false
            $0.positionedPrefixTokens = 0
        }
        vary { $0.pooling = .classAndMean }
        vary {
            $0.pooling = .distilled
            $0.hasDistillationToken = true
            $0.positionedPrefixTokens = 2
            $0.positionResampling = .bicubic
        }
        vary {
            $0.depth = 12
            $0.patchSize = 14
            $0.positionGrid = PatchGrid(rows: 37, columns: 37)
        }
        return list
    }()

    /// What a configuration has and neither tensors nor a convention show.
    static func options(for c: ViTConfiguration) -> LoadOptions {
        var options = LoadOptions(heads: 2)
        options.isSwiGLU = c.mlp == .swiGLU
        if c.pooling == .classAndMean { options.pooling = .classAndMean }
        if !c.hasClassToken && c.normPlacement == .beforePooling { options.activation = .gelu }
        return options
    }

    @Test(arguments: variants)
    func architectureIsReadOffShapes(configuration: ViTConfiguration) throws {
        let loaded = try VisionTransformer.assemble(
            Self.tensors(Self.timmShapes(configuration)), options: Self.options(for: configuration))
        #expect(loaded.model.configuration == configuration)
        #expect(loaded.report.unusedKeys.isEmpty)
    }

    /// Every width that our table knows is a timm model's; and no timm model contradicts the table.
    @Test func headsOfPublishedModels() throws {
        struct Fixture: Decodable {
            struct Entry: Decodable {
                let width: Int
                let heads: Int
                let classToken: Bool
            }
            let heads: [Entry]
        }
        let entries = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: zooFolder.appending(path: "zoo.json"))).heads
        #expect(Set(entries.map(\.width)) == Set(KnownModels.headsByWidth.keys))
        for entry in entries {
            let kinds = Set(entries.filter { $0.width == entry.width && $0.classToken == entry.classToken }.map(\.heads))
            let known = KnownModels.heads(width: entry.width, hasClassToken: entry.classToken)
            #expect(known == (kinds.count == 1 ? entry.heads : nil), "width \(entry.width)")
        }
    }

    @Test func headsAreAskedFor() {
        #expect(throws: LoadError.headsUnknown(path: "model.pth", width: 8)) {
            try VisionTransformer.assemble(Self.tensors(Self.timmShapes(Self.tiny)))
        }
        for heads in [0, 3, -2] {
            #expect(throws: LoadError.headsDoNotDivide(path: "model.pth", width: 8, heads: heads)) {
                try VisionTransformer.assemble(Self.tensors(Self.timmShapes(Self.tiny)), options: LoadOptions(heads: heads))
            }
        }
    }

    @Test func gridIsAskedFor() throws {
        var c = Self.tiny
        c.positionGrid = PatchGrid(rows: 3, columns: 5)
        let tensors = Self.tensors(Self.timmShapes(c))
        var ambiguous = Self.timmShapes(c)
        ambiguous["pos_embed"] = [1, 15, 8]
        #expect(throws: LoadError.positionGridUnknown(path: "model.pth", positions: 15, prefixTokens: 1)) {
            try VisionTransformer.assemble(Self.tensors(ambiguous), options: LoadOptions(heads: 2))
        }
        // 9 rows are 3x3 patches alone, or 2x2 patches after a class token and four registers.
        ambiguous["reg_token"] = [1, 4, 8]
        ambiguous["pos_embed"] = [1, 9, 8]
        #expect(throws: LoadError.positionGridUnknown(path: "model.pth", positions: 9, prefixTokens: 5)) {
            try VisionTransformer.assemble(Self.tensors(ambiguous), options: LoadOptions(heads: 2))
        }
        #expect(throws: LoadError.positionGridMismatch(path: "model.pth", positions: 16, grid: PatchGrid(rows: 4, columns: 5))) {
            try VisionTransformer.assemble(tensors, options: LoadOptions(heads: 2, positionGrid: PatchGrid(rows: 4, columns: 5)))
        }
        let given = try VisionTransformer.assemble(tensors, options: LoadOptions(heads: 2, positionGrid: c.positionGrid))
        #expect(given.model.configuration == c)
    }

    @Test func allFaultsAreListedTogether() {
        var shapes = Self.timmShapes(Self.tiny)
        shapes["blocks.1.norm2.bias"] = nil
        shapes["blocks.0.attn.qkv.bias"] = nil
        shapes["norm.weight"] = [9]
        shapes["blocks.1.mlp.fc2.weight"] = [16, 8]
        shapes["blocks.0.attn.x_norm.weight"] = [4]
        shapes["extra"] = [1]
        #expect(
            throws: LoadError.keys(
                path: "model.pth", missing: ["blocks.0.attn.qkv.bias", "blocks.1.norm2.bias"],
                unused: ["blocks.0.attn.x_norm.weight", "extra"],
                mismatched: [
                    .init(key: "blocks.1.mlp.fc2.weight", expected: [8, 16], found: [16, 8]),
                    .init(key: "norm.weight", expected: [8], found: [9]),
                ])
        ) {
            try VisionTransformer.assemble(Self.tensors(shapes), options: LoadOptions(heads: 2))
        }
    }

    @Test func separateQueryKeyValueAreJoined() throws {
        var shapes = Self.timmShapes(Self.tiny)
        let map = try #require(MappedKeys(Self.huggingFaceKeys(depth: 2)))
        #expect(map.sources["blocks.1.attn.qkv.weight"]?.map { $0.split(separator: ".")[5] } == ["query", "key", "value"])
        #expect(map.unknown.isEmpty)
        #expect(map.tolerated.map(\.key) == ["pooler.dense.bias", "pooler.dense.weight"])
        shapes = Dictionary(uniqueKeysWithValues: Self.huggingFaceKeys(depth: 2).map { ($0, [1]) })
        shapes["encoder.layer.0.attention.attention.key.weight"] = nil
        let partial = try #require(MappedKeys(shapes.keys))
        #expect(partial.sources["blocks.0.attn.qkv.weight"] == nil)
    }

    static func huggingFaceKeys(depth: Int) -> [String] {
        let blocks = (0..<depth).flatMap { l in
            [
                "layernorm_before", "attention.attention.query", "attention.attention.key", "attention.attention.value",
                "attention.output.dense", "layernorm_after", "intermediate.dense", "output.dense",
            ].map { "encoder.layer.\(l)." + $0 }
        }
        return (["embeddings.patch_embeddings.projection", "layernorm", "pooler.dense"] + blocks).flatMap {
            [$0 + ".weight", $0 + ".bias"]
        }
            + ["embeddings.cls_token", "embeddings.position_embeddings"]
    }

    @Test func prefixesAreFound() throws {
        for prefix in ["", "module.", "backbone.", "module.backbone.", "model.net.encoder."] {
            var shapes = Dictionary(uniqueKeysWithValues: Self.timmShapes(Self.tiny).map { (prefix + $0.key, $0.value) })
            shapes["head.mlp.0.weight"] = [2, 8]
            let loaded = try VisionTransformer.assemble(Self.tensors(shapes), options: LoadOptions(heads: 2))
            #expect(loaded.report.prefix == prefix)
            #expect(loaded.report.unusedKeys.map(\.key) == ["head.mlp.0.weight"])
            #expect(loaded.report.parameterCount == Self.timmShapes(Self.tiny).values.reduce(0) { $0 + $1.reduce(1, *) })
        }
    }

    @Test func keysAreIgnoredOnRequest() throws {
        var shapes = Self.timmShapes(Self.tiny)
        shapes["projector.weight"] = [3]
        shapes["queue"] = []
        var options = LoadOptions(heads: 2)
        try options.set(.ignore, to: "projector.*")
        #expect(throws: LoadError.keys(path: "model.pth", missing: [], unused: ["queue"], mismatched: [])) {
            try VisionTransformer.assemble(Self.tensors(shapes), options: options)
        }
        #expect(LoadError.keys(path: "", missing: [], unused: ["queue"], mismatched: []).setting == .ignore)
        options.ignoredKeys.append("queue")
        let loaded = try VisionTransformer.assemble(Self.tensors(shapes), options: options)
        #expect(loaded.report.unusedKeys.map(\.key) == ["projector.weight", "queue"])
    }

    @Test func statesOfLossesAndMetricsAreLeftOut() throws {
        var shapes = Dictionary(uniqueKeysWithValues: Self.timmShapes(Self.tiny).map { ("model." + $0.key, $0.value) })
        let left = ["criterion.weight", "loss_fn.weight", "train_acc.tp", "val_metrics.MulticlassAUROC.confmat", "test_f1.fn"]
        for key in left { shapes[key] = [3] }
        let loaded = try VisionTransformer.assemble(Self.tensors(shapes), options: LoadOptions(heads: 2))
        #expect(loaded.report.unusedKeys.map(\.key).sorted() == left.sorted())
        // Inside the model the same words are part of it.
        shapes["model.metric.weight"] = [3]
        #expect(throws: LoadError.self) { try VisionTransformer.assemble(Self.tensors(shapes), options: LoadOptions(heads: 2)) }
    }

    @Test func aFreshHeadReplacesOrCompletes() throws {
        var options = LoadOptions(heads: 2, head: .fresh(classes: 5))
        let replaced = try VisionTransformer.assemble(Self.tensors(Self.timmShapes(Self.tiny)), options: options)
        #expect(replaced.model.head?.weight.shape == [5, 8])
        #expect(replaced.model.configuration.classes == 5)
        #expect(replaced.report.unusedKeys.map(\.reason) == ["replaced by a fresh head", "replaced by a fresh head"])
        var backbone = Self.tiny
        backbone.classes = 0
        let completed = try VisionTransformer.assemble(Self.tensors(Self.timmShapes(backbone)), options: options)
        #expect(completed.model.head?.bias?.values == [0, 0, 0, 0, 0])
        options.head = .asStored
        #expect(try VisionTransformer.assemble(Self.tensors(Self.timmShapes(backbone)), options: options).model.head == nil)
    }

    @Test func configurationsAreHonouredAndChecked() throws {
        let shapes = Self.timmShapes(Self.tiny)
        func load(_ json: String) throws -> LoadedModel { try VisionTransformer.assemble(Self.tensors(shapes, neighbour: json)) }
        let loaded = try load(#"{"hidden_size": 8, "num_attention_heads": 4, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}"#)
        #expect(loaded.model.configuration.heads == 4)
        #expect(loaded.model.configuration.mlp == .activation(.quickGelu))
        #expect(loaded.model.configuration.normEpsilon == 1e-5)
        #expect(throws: LoadError.contradiction(source: "config.json", what: "width", configured: 16, stored: 8)) {
            try load(#"{"hidden_size": 16, "num_attention_heads": 4}"#)
        }
        #expect(throws: LoadError.unsupported(source: "config.json", what: "activation 'relu'", known: "gelu, gelu_tanh, quick_gelu")) {
            try load(#"{"hidden_size": 8, "num_attention_heads": 4, "hidden_act": "relu"}"#)
        }
        #expect(throws: LoadError.unsupported(source: "config.json", what: "global_pool 'max'", known: "token, avg, map")) {
            try load(#"{"global_pool": "max", "model_args": {"num_heads": 4}}"#)
        }
        // A pool that the configuration names and the file lacks is missing, not left out.
        do {
            _ = try load(#"{"global_pool": "map", "embed_dim": 8, "model_args": {"num_heads": 4}}"#)
            Issue.record("a file without its pool was read")
        } catch { #expect("\(error)".contains("attn_pool.latent"), "\(error)") }
        #expect(throws: LoadError.malformedConfiguration(source: "config.json", reason: "is not JSON")) { try load("{") }
        #expect(throws: LoadError.malformedConfiguration(source: "config.json", reason: "is not a JSON object")) { try load("[1]") }
        // Unusable numbers are as good as none.
        #expect(throws: LoadError.headsUnknown(path: "model.pth", width: 8)) { try load(#"{"num_heads": 2.5, "image_size": -3}"#) }
        var options = LoadOptions(heads: 2)
        options.readsNeighbouringConfiguration = false
        #expect(try VisionTransformer.assemble(Self.tensors(shapes, neighbour: "{"), options: options).model.configuration == Self.tiny)
    }

    @Test func ourOwnConfigurationIsChecked() throws {
        let shapes = Self.timmShapes(Self.tiny)
        func load(_ change: (inout ViTConfiguration) -> Void) throws -> LoadedModel {
            var c = Self.tiny
            change(&c)
            let json = String(decoding: try JSONEncoder().encode(c), as: UTF8.self)
            return try VisionTransformer.assemble(Self.tensors(shapes, metadata: [VisionTransformer.configurationKey: json]))
        }
        #expect(try load { _ in }.model.configuration == Self.tiny)
        #expect(try load { $0.mlp = .activation(.geluTanh) }.model.configuration.mlp == .activation(.geluTanh))
        for change: (inout ViTConfiguration) -> Void in [
            { $0.heads = 0 }, { $0.heads = 3 }, { $0.width = -8 }, { $0.depth = 1 << 40 }, { $0.depth = 3 }, { $0.patchSize = 5 },
            { $0.registers = .max }, { $0.positionedPrefixTokens = 9 }, { $0.classes = 4 },
        ] {
            #expect(throws: LoadError.self) { try load(change) }
        }
        #expect(throws: LoadError.self) {
            try VisionTransformer.assemble(Self.tensors(shapes, metadata: [VisionTransformer.configurationKey: #"{"width": 8}"#]))
        }
    }

    /// The text that version 0.1.0 stored, field by field: models of today load tomorrow, whatever fields come.
    @Test func aConfigurationOfAnEarlierVersionIsRead() throws {
        let frozen = #"""
            {"channels":1,"classes":3,"depth":2,"hasClassToken":true,"hasDistillationToken":false,"hasLayerScale":true,"heads":2,"hidden":20,
            "mlp":{"swiGLU":{}},"normEpsilon":1e-05,"normPlacement":"afterPooling","patchSize":4,"pooling":"mean",
            "positionGrid":{"columns":3,"rows":4},"positionResampling":"bicubicOffset","positionedPrefixTokens":0,"registers":2,"width":8}
            """#
        let read = try JSONDecoder().decode(ViTConfiguration.self, from: Data(frozen.utf8))
        let expected = ViTConfiguration(
            patchSize: 4, width: 8, depth: 2, heads: 2, hidden: 20, classes: 3, channels: 1, positionGrid: PatchGrid(rows: 4, columns: 3),
            registers: 2, positionedPrefixTokens: 0, pooling: .mean, normPlacement: .afterPooling, mlp: .swiGLU, hasLayerScale: true,
            normEpsilon: 1e-5, positionResampling: .bicubicOffset)
        #expect(read == expected)
        #expect(try JSONDecoder().decode(ViTConfiguration.self, from: JSONEncoder().encode(expected)) == expected)
    }

    /// A field that a text lacks has the default that all models had before there was such a field.
    @Test func aConfigurationWithoutLaterFieldsIsRead() throws {
        func read(_ json: String) throws -> ViTConfiguration { try JSONDecoder().decode(ViTConfiguration.self, from: Data(json.utf8)) }
        let short = #"{"patchSize": 4, "width": 8, "depth": 2, "heads": 2, "classes": 3, "positionGrid": {"rows": 4, "columns": 4}"#
        var expected = Self.tiny
        expected.hidden = 32
        #expect(try read(short + "}") == expected)
        expected.hasDistillationToken = true
        expected.positionedPrefixTokens = 2
        #expect(try read(short + #", "hasDistillationToken": true, "laterField": [1, {"a": null}]}"#) == expected)
        #expect(throws: DecodingError.self) { try read(#"{"width": 8}"#) }
        #expect(throws: DecodingError.self) { try read(short + #", "pooling": "unheard"}"#) }
    }

    @Test func strangeTensorsAreRefused() {
        #expect(throws: LoadError.unknownNames(path: "model.pth", keys: ["conv1.weight", "fc.bias"])) {
            try VisionTransformer.assemble(Self.tensors(["fc.bias": [3], "conv1.weight": [64, 3, 7, 7]]))
        }
        func refuses(_ name: String, _ shape: [Int]?) {
            var shapes = Self.timmShapes(Self.tiny)
            shapes[name] = shape
            #expect(throws: LoadError.self, "\(name) \(shape ?? [])") {
                try VisionTransformer.assemble(Self.tensors(shapes), options: LoadOptions(heads: 2))
            }
        }
        refuses("patch_embed.proj.weight", [8, 3, 4, 5])
        refuses("patch_embed.proj.weight", [8, 48])
        refuses("patch_embed.proj.weight", [0, 3, 4, 4])
        refuses("pos_embed", [])
        refuses("pos_embed", [8])
        refuses("pos_embed", [1, 0, 8])
        refuses("pos_embed", nil)
        refuses("cls_token", [1, 1, 9])
        refuses("reg_token", [])
        refuses("blocks.99999999999999999999.norm1.weight", [8])
        refuses("blocks.4000.norm1.weight", [8])
        refuses("blocks.01.norm1.weight", [8])
        refuses("blocks.2.norm1.weight", [8])
        refuses("head.weight", [3])
        refuses("head.weight", [3, 12])
        refuses("head.weight", [0, 8])
        refuses("blocks.0.mlp.fc1.weight", [])
        refuses("blocks.1.mlp.fc1.weight", [15, 8])
    }

    /// Weights survive being named as timm does, and being read again; positions of prefix tokens move where timm has them.
    @Test(arguments: variants)
    func timmTensorsLoadAgain(configuration: ViTConfiguration) throws {
        var counter: Float = 0
        let source = NamedTensors(
            path: "model.pth", shapes: Self.timmShapes(configuration),
            tensor: { name in
                counter += 1
                let shape = Shape(configuration.expectedTensors().first { $0.name == name }!.shape)
                return Tensor(shape, (0..<shape.count).map { Float(($0 * 37) % 101) + counter })
            })
        let model = try VisionTransformer.assemble(source, options: Self.options(for: configuration)).model
        let tensors = model.timmTensors()
        #expect(Dictionary(uniqueKeysWithValues: tensors.map { ($0.key, $0.value.shape.dimensions) }) == source.shapes)
        let json = String(decoding: try JSONEncoder().encode(model.withTimmPositions().configuration), as: UTF8.self)
        let again = try VisionTransformer.assemble(
            NamedTensors(
                path: "saved", shapes: source.shapes, metadata: [VisionTransformer.configurationKey: json], tensor: { tensors[$0]! })
        ).model
        #expect(again.configuration == model.configuration)
        #expect(again.timmTensors().mapValues(\.values) == tensors.mapValues(\.values))
    }

    @Test func classTokenTakesItsPositionWithRegisters() {
        let d = 2
        var c = Self.tiny
        (c.width, c.depth, c.registers, c.positionedPrefixTokens, c.classes) = (d, 0, 2, 1, 0)
        c.positionGrid = PatchGrid(rows: 1, columns: 2)
        let one = Tensor([2], [1, 1] as [Float])
        let model = VisionTransformer(
            configuration: c, patchEmbedding: Linear(weight: Tensor([2, 48]), bias: nil), classToken: Tensor([2], [1, 2] as [Float]),
            registerTokens: Tensor([2, 2], [5, 6, 7, 8] as [Float]),
            positionEmbedding: Tensor([3, 2], [10, 20, 3, 4, 5, 6] as [Float]), blocks: [], norm: LayerNorm(weight: one, bias: one),
            head: nil)
        let tensors = model.timmTensors()
        #expect(tensors["cls_token"]?.values == [11, 22])
        #expect(tensors["pos_embed"]?.values == [3, 4, 5, 6])
        #expect(tensors["reg_token"]?.values == [5, 6, 7, 8])
    }
}
