import Testing
import VitrineModel
import VitrineTensor
import VitrineTrain

/// Weight gradients by name against PyTorch, and loss curves of whole optimisers.
@Suite struct GradientParityTests {
    static let caseNames = [
        "class", "mean", "mean-before", "layer-scale", "swiglu", "registers", "registers-positioned", "class-and-mean", "distilled", "tanh",
        "weights", "smoothing", "weights-and-smoothing", "frozen",
    ]

    @Test(arguments: caseNames)
    func everyWeightsGradientEqualsPyTorch(_ name: String) throws {
        let fixture = try TrainFixture.load()
        let file = try TrainFixture.tensors("gradients.safetensors")
        let item = try #require(fixture.gradients[name])
        let model = try toyModel(fixture.configuration(item), file, prefix: "\(item.weights)/weight/")
        let loss = CrossEntropy(classWeights: item.classWeights ?? [], labelSmoothing: item.labelSmoothing ?? 0)
        let denominator = loss.denominator(item.labels)
        var gradients = WeightGradients(like: model)
        var total = 0.0
        let logits = try model.weightGradient(
            of: file.tensor(named: "\(item.weights)/images"), frozenBlocks: item.frozenBlocks ?? 0, into: &gradients,
            workspace: Workspace(poisons: true)
        ) { logits in
            let (losses, gradient) = loss(logits: logits, labels: item.labels, scale: 1 / denominator)
            total = losses.reduce(0, +) / denominator
            return gradient
        }
        // Float32 passes against Float64; 1e-5 leaves room for sums of a few hundred products.
        #expect(relativeDifference(logits.values, try file.tensor(named: "\(name)/logits").values) < 1e-5)
        #expect(abs(total - item.loss) < 1e-5 * item.loss)
        var compared = 0
        let firstLayer = (item.frozenBlocks ?? 0) == 0 ? 0 : item.frozenBlocks! + 1
        for (info, tensor) in gradients.parameters {
            if info.layer < firstLayer {
                #expect(tensor.values.allSatisfy { $0 == 0 }, "\(info.name) is frozen")
                continue
            }
            let difference = relativeDifference(tensor.values, try file.tensor(named: "\(name)/gradient/\(info.name)").values)
            #expect(difference <= 1e-4, "\(info.name): \(difference)")
            compared += 1
        }
        #expect(gradients.parameters.count == file.names.count { $0.hasPrefix("\(name)/gradient/") })
        #expect(compared >= 16)
    }

    @Test func gradientsAddUp() throws {
        let fixture = try TrainFixture.load()
        let file = try TrainFixture.tensors("gradients.safetensors")
        let model = try toyModel(fixture.configuration(fixture.gradients["class"]), file, prefix: "class/weight/")
        let images = try file.tensor(named: "class/images")
        let workspace = Workspace(poisons: true)
        func gradient(of range: Range<Int>, into sum: inout WeightGradients) throws {
            _ = try model.weightGradient(of: images[range], into: &sum, workspace: workspace) { logits in
                CrossEntropy()(logits: logits, labels: Array([2, 0, 1][range]), scale: 1).gradient
            }
        }
        var whole = WeightGradients(like: model)
        var parts = whole
        var second = whole
        try gradient(of: 0..<3, into: &whole)
        try gradient(of: 0..<1, into: &parts)
        try gradient(of: 1..<3, into: &second)
        parts.add(second)
        for (a, b) in zip(parts.parameters, whole.parameters) {
            // Sums over images in another order.
            #expect(relativeDifference(a.tensor.values, b.tensor.values) < 1e-5, "\(a.info.name)")
        }
        parts.clear()
        #expect(parts.parameters.allSatisfy { $0.tensor.values.allSatisfy { $0 == 0 } })
    }

    @Test func steadyStateAllocatesNothing() throws {
        let fixture = try TrainFixture.load()
        let file = try TrainFixture.tensors("gradients.safetensors")
        let model = try toyModel(fixture.configuration(fixture.gradients["class"]), file, prefix: "class/weight/")
        let workspace = Workspace()
        var gradients = WeightGradients(like: model)
        var allocated: [Int] = []
        for _ in 0..<3 {
            _ = try model.weightGradient(of: file.tensor(named: "class/images"), into: &gradients, workspace: workspace) { logits in
                CrossEntropy()(logits: logits, labels: [2, 0, 1], scale: 1).gradient
            }
            allocated.append(workspace.allocatedCount)
        }
        #expect(allocated[0] > 0)
        #expect(allocated[2] == allocated[0])
    }

    @Test func wrongInputsAreErrors() throws {
        let fixture = try TrainFixture.load()
        let model = VisionTransformer.scratch(fixture.configuration(), seed: 1)
        var gradients = WeightGradients(like: model)
        for shape: Shape in [[1, 3, 8, 8], [1, 1, 8, 12], [0, 3, 8, 12], [3, 8, 12], [1, 3, 9, 12]] {
            #expect(throws: ViTError.self) {
                _ = try model.weightGradient(of: Tensor(shape), into: &gradients, workspace: Workspace()) { $0 }
            }
        }
        var backbone = model
        backbone.head = nil
        #expect(throws: ViTError.noHead(request: "training")) {
            _ = try backbone.weightGradient(of: Tensor([1, 3, 8, 12]), into: &gradients, workspace: Workspace()) { $0 }
        }
    }
}

@Suite struct OptimizerParityTests {
    static let runs: [(name: String, settings: OptimizerSettings, schedule: Schedule)] = [
        ("sgd-momentum", OptimizerSettings(rule: .sgd, learningRate: 0.02, momentum: 0.9, weightDecay: 1e-3), .constant),
        ("sgd-plain", OptimizerSettings(rule: .sgd, learningRate: 0.1, momentum: 0), .constant),
        ("adam-l2", OptimizerSettings(rule: .adam, learningRate: 2e-3, weightDecay: 1e-2), .constant),
        ("adamw", OptimizerSettings(rule: .adamw, learningRate: 2e-3, beta2: 0.95, weightDecay: 0.05), .constant),
        ("sgd-cosine", OptimizerSettings(rule: .sgd, learningRate: 0.1, momentum: 0.3), .cosine),
        ("adamw-clipped", OptimizerSettings(rule: .adamw, learningRate: 2e-3, weightDecay: 0.05, clipNorm: 0.5), .constant),
    ]

    /// 50 steps on the same batches from the same weights.
    @Test(arguments: runs.map(\.name))
    func lossCurveEqualsPyTorch(_ name: String) throws {
        let run = Self.runs.first { $0.name == name }!
        let fixture = try TrainFixture.load()
        let file = try TrainFixture.tensors("curves.safetensors")
        var model = try toyModel(fixture.configuration(), file, prefix: "weight/")
        let images = try file.tensor(named: "images")
        var optimizer = Optimizer(run.settings, for: model)
        var gradients = WeightGradients(like: model)
        let workspace = Workspace(poisons: true)
        let expected = try #require(fixture.curves.losses[name])
        let size = images.count / images.shape[0]
        #expect(fixture.curves.batches.count == 50)
        for (i, batch) in fixture.curves.batches.enumerated() {
            var pixels = Tensor([batch.count, images.shape[1], images.shape[2], images.shape[3]])
            for (b, image) in batch.enumerated() { pixels.replace(from: b * size, with: images[image]) }
            let labels = batch.map { fixture.curves.labels[$0] }
            gradients.clear()
            var loss = 0.0
            _ = try model.weightGradient(of: pixels, into: &gradients, workspace: workspace) { logits in
                let (losses, gradient) = CrossEntropy()(logits: logits, labels: labels, scale: 1 / Double(batch.count))
                loss = losses.reduce(0, +) / Double(batch.count)
                return gradient
            }
            // The bar of the contract: PyTorch's sums run in another order, and fifty steps amplify that.
            #expect(abs(loss - expected[i]) <= 1e-3 * expected[i], "step \(i): \(loss) and \(expected[i])")
            let factor = run.schedule.factor(epoch: i / 5, step: i % 5, stepsPerEpoch: 5, epochs: 10, warmup: 0)
            optimizer.step(&model, gradients: gradients, factor: factor)
        }
        #expect(optimizer.steps == 50)
    }

    @Test func layerDecayAndFreezing() throws {
        let fixture = try TrainFixture.load()
        let start = VisionTransformer.scratch(fixture.configuration(), seed: 3)
        var gradients = WeightGradients(like: start)
        _ = try start.weightGradient(
            of: Tensor([1, 3, 8, 12], [Float](repeating: 0.3, count: 288)), into: &gradients, workspace: Workspace()
        ) {
            CrossEntropy()(logits: $0, labels: [1], scale: 1).gradient
        }
        func change(_ settings: OptimizerSettings) -> [String: Float] {
            var model = start
            var optimizer = Optimizer(settings, for: model)
            optimizer.step(&model, gradients: gradients, factor: 1)
            return Dictionary(
                uniqueKeysWithValues: zip(model.parameters, start.parameters).map { a, b in
                    (a.info.name, zip(a.tensor.values, b.tensor.values).map { abs($0 - $1) }.max()!)
                })
        }
        let plain = change(OptimizerSettings(rule: .sgd, learningRate: 0.5, momentum: 0))
        let decayed = change(OptimizerSettings(rule: .sgd, learningRate: 0.5, momentum: 0, layerDecay: 0.5))
        // Layers from the top: head 0, block 1 one step down, block 0 two, embeddings three. Float32 differences of weights near 0.02.
        for (name, factor) in [
            ("head.weight", 1.0), ("blocks.1.mlp.fc2.weight", 0.5), ("blocks.0.attn.proj.weight", 0.25), ("pos_embed", 0.125),
        ] {
            let (a, b) = (Double(decayed[name]!), Double(plain[name]!))
            #expect(b > 0 && abs(a - factor * b) <= 1e-3 * b + 1e-8, "\(name): \(a), \(b)")
        }
        let frozen = change(OptimizerSettings(rule: .adamw, learningRate: 0.01, weightDecay: 0.1, frozenBlocks: 1))
        #expect(frozen["blocks.0.mlp.fc2.weight"] == 0 && frozen["pos_embed"] == 0 && frozen["patch_embed.proj.bias"] == 0)
        #expect(frozen["blocks.1.attn.qkv.weight"]! > 0 && frozen["norm.weight"]! > 0 && frozen["head.bias"]! > 0)
    }

    @Test func schedules() {
        func rates(_ schedule: Schedule, warmup: Int) -> [Double] {
            (0..<8).map { schedule.factor(epoch: $0 / 2, step: $0 % 2, stepsPerEpoch: 2, epochs: 4, warmup: warmup) }
        }
        #expect(rates(.constant, warmup: 0) == [Double](repeating: 1, count: 8))
        #expect(rates(.constant, warmup: 2) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1])
        let half = 0.5.squareRoot()
        let cosine = [1, 1, (1 + half) / 2, (1 + half) / 2, 0.5, 0.5, (1 - half) / 2, (1 - half) / 2]
        // Closed forms to the rounding of a cosine.
        #expect(zip(rates(.cosine, warmup: 0), cosine).allSatisfy { abs($0 - $1) < 1e-15 })
        let perStep = rates(.cosinePerStep, warmup: 0)
        #expect(abs(perStep[2] - (1 + half) / 2) < 1e-15 && perStep[1] < perStep[0] && perStep[3] < perStep[2])
    }
}

@Suite struct InitialisationTests {
    private func statistics(_ values: [Float]) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        return (mean, (values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)).squareRoot())
    }

    /// timm's distributions, by moments: the tolerance of a mean is four standard errors, of a deviation 2 %.
    @Test func statisticsAreTimms() {
        let configuration = ViTConfiguration(
            patchSize: 8, width: 96, depth: 2, heads: 3, classes: 10, positionGrid: PatchGrid(rows: 14, columns: 14), registers: 4,
            hasLayerScale: true)
        let model = VisionTransformer.scratch(configuration, seed: 5)
        func expect(_ tensor: Tensor, deviation: Double) {
            let (mean, found) = statistics(tensor.values)
            #expect(abs(mean) < 4 * deviation / Double(tensor.count).squareRoot())
            #expect(abs(found - deviation) < 0.02 * deviation)
        }
        expect(model.blocks[0].qkv.weight, deviation: 0.02)
        expect(model.blocks[1].fc1.weight, deviation: 0.02)
        expect(model.positionEmbedding!, deviation: 0.02)
        // Uniform within 1 / sqrt(192): deviation bound / sqrt(3).
        expect(model.patchEmbedding.weight, deviation: 1 / 192.0.squareRoot() / 3.0.squareRoot())
        #expect(model.patchEmbedding.weight.values.allSatisfy { abs($0) <= 1 / Float(192).squareRoot() })
        #expect(model.classToken!.values.allSatisfy { abs($0) < 6e-6 && $0 != 0 })
        #expect(model.blocks[0].qkv.bias!.values.allSatisfy { $0 == 0 } && model.head!.bias!.values.allSatisfy { $0 == 0 })
        #expect(model.norm.weight.values.allSatisfy { $0 == 1 } && model.norm.bias.values.allSatisfy { $0 == 0 })
        #expect(model.blocks[0].scale1!.values.allSatisfy { $0 == 1e-5 })
        // A normal distribution, not a uniform one: 4.55 % lie beyond two deviations.
        let beyond = Double(model.blocks[0].fc2.weight.values.count { abs($0) > 0.04 }) / Double(model.blocks[0].fc2.weight.count)
        #expect(abs(beyond - 0.0455) < 0.004)
    }

    @Test func theSeedDecides() {
        let configuration = ViTConfiguration(
            patchSize: 4, width: 8, depth: 1, heads: 2, classes: 2, positionGrid: PatchGrid(rows: 2, columns: 2))
        func weights(_ seed: UInt64) -> [[Float]] { VisionTransformer.scratch(configuration, seed: seed).parameters.map(\.tensor.values) }
        #expect(weights(1) == weights(1))
        let (first, second) = (VisionTransformer.scratch(configuration, seed: 1), VisionTransformer.scratch(configuration, seed: 2))
        #expect(first.head!.weight.values != second.head!.weight.values)
        #expect(first.blocks[0].projection.weight.values != first.blocks[0].qkv.weight.values.prefix(64).map { $0 })
        // The head of a fine-tuned model is drawn as the scratch model's.
        #expect(first.withFreshHead(classes: 2, seed: 2).head!.weight.values == second.head!.weight.values)
    }

    @Test func positionsAreResampledOnce() throws {
        let configuration = ViTConfiguration(
            patchSize: 4, width: 8, depth: 1, heads: 2, classes: 2, positionGrid: PatchGrid(rows: 3, columns: 3))
        let model = VisionTransformer.scratch(configuration, seed: 1)
        let images = Tensor([1, 3, 8, 16], (0..<384).map { Float($0 % 17) / 17 })
        let workspace = Workspace()
        let resampled = model.withPositionGrid(PatchGrid(rows: 2, columns: 4))
        #expect(resampled.positionEmbedding!.shape == [9, 8])
        #expect(try resampled(images, workspace: workspace).values == model(images, workspace: workspace).values)
    }
}
