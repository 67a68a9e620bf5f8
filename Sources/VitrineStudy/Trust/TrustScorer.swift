import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// Scores maps of one task against what its network provably used.
///
/// Every map is reduced to the network's patches first (mean over each patch), the resolution at which all methods can be compared, so
/// that chance is exact; the ceiling takes whole patches for cause, and no map reaches it.
struct TrustScorer: Sendable {
    let task: TrustTask
    let model: VisionTransformer
    let seed: UInt64
    private let evaluator: Evaluator

    init(_ proven: ProvenModel, seed: UInt64) throws {
        task = proven.task
        model = proven.model
        self.seed = seed
        evaluator = try Evaluator(["average-precision", "pointing-game", "mass-accuracy"], protocol: .corrected, seed: seed)
    }

    /// Adds what a record lacks: scores of the methods' maps, and what metrics say of them. A map is made once for both.
    ///
    /// - Parameters:
    ///   - metrics: none for an image on which metrics are not asked.
    ///   - networks: with random weights, for metrics that compare with them.
    func complete(
        _ record: inout TrustRecord, _ image: TrustImage, methods: [ConfiguredMethod], metrics: Evaluator, networks: RandomisedNetworks,
        workspace: Workspace, watch: Watch
    ) throws {
        let unscored = methods.filter { record.scores[$0.name] == nil && record.failures[$0.name] == nil }
        let missing = try methods.filter {
            try record.failures[$0.name] == nil && (record.scores[$0.name] == nil || !lacking(metrics, $0, record).isEmpty)
        }
        guard !missing.isEmpty else { return }
        let own = try ExplanationPlan(model: model, methods: missing, seed: seed).explain(
            [image.input], workspace: workspace, watch: watch)[0]
        for failure in own.failures { record.failures[failure.method] = failure.message }
        for explanation in own.explanations where record.scores[explanation.method] == nil {
            record.scores[explanation.method] = try scores(of: explanation.map, image)
        }
        try addClassContrast(to: &record, image, unscored.filter { record.failures[$0.name] == nil }, workspace: workspace, watch: watch)
        guard !metrics.entries.isEmpty, let scale = image.input.scale else { return }
        let questioned = try QuestionedImage(
            image.input, scale: scale, model: model, networks: networks, seed: seed, methodSeed: seed, workspace: workspace, watch: watch)
        for explanation in own.explanations {
            let method = missing[explanation.index]
            let entries = try lacking(metrics, method, record)
            let evaluator = Evaluator(entries, seed: metrics.seed)
            let values = try evaluator.values(
                of: ScoredMap(explanation.map), on: ScoredMask(image.cause), witness: questioned.witness(of: method),
                item: image.input.name)
            for (entry, value) in zip(entries, values) {
                record.metrics[method.name, default: [:]][entry.metric.identifier] = .some(value)
            }
        }
    }

    /// The metrics that are to be asked about a method and are not in the record: those that ask the method again are asked about
    /// methods that answer in few passes alone.
    private func lacking(_ metrics: Evaluator, _ method: ConfiguredMethod, _ record: TrustRecord) throws -> [Evaluator.Entry] {
        guard !metrics.entries.isEmpty else { return [] }
        let isQuick = try method.passes(model.configuration, grid: model.configuration.positionGrid).total <= TrustSettings.mostPasses
        return metrics.entries.filter {
            record.metrics[method.name]?[$0.metric.identifier] == nil && (isQuick || !($0.metric is any PairMetric))
        }
    }

    private func addClassContrast(
        to record: inout TrustRecord, _ image: TrustImage, _ methods: [ConfiguredMethod], workspace: Workspace, watch: Watch
    ) throws {
        guard let both = image.both, !methods.isEmpty else { return }
        let plan = try ExplanationPlan(model: model, methods: methods, seed: seed)
        var shares: [String: [Double]] = [:]
        for (k, region) in both.regions.enumerated() {
            let input = PreparedImage(
                name: image.input.name + "/both", pixels: both.pixels, target: .fixed(.logit(region.label)), scale: image.input.scale)
            let others = both.regions.indices.filter { $0 != k }.map { both.regions[$0].mask }
            for explanation in try plan.explain([input], workspace: workspace, watch: watch)[0].explanations {
                let map = reduced(explanation.map)
                shares[explanation.method, default: []] += others.map { Self.outranks(map, region.mask, $0) }
            }
        }
        for (method, values) in shares where record.scores[method] != nil && values.allSatisfy(\.isFinite) {
            record.scores[method]?[TrustMeasure.classContrast] = .init(value: mean(values), chance: 0.5, ceiling: 1)
        }
    }

    /// The map on the network's patches, as its values are, without the display rule of its reference.
    func reduced(_ map: HeatMap) -> HeatMap {
        let grid = model.configuration.positionGrid
        var patches = map.reduced(rows: grid.rows, columns: grid.columns)
        patches.display = DisplayRule(upsampling: .nearest, normalisation: .none)
        return patches
    }

    /// The measures of one map.
    func scores(of map: HeatMap, _ image: TrustImage) throws -> [String: TrustRecord.Value] {
        let patches = ScoredMap(reduced(map))
        func value(_ score: Score) -> TrustRecord.Value? {
            // A map without an answer points nowhere: it scores what chance does.
            guard let value = score.value ?? score.chance, let chance = score.chance else { return nil }
            return .init(value: value, chance: chance, ceiling: score.ceiling)
        }
        func measure(_ mask: Mask) throws -> [Score] {
            try evaluator.scores(of: patches, on: ScoredMask(mask), item: image.input.name)
        }
        var scores: [String: TrustRecord.Value] = [:]
        let onCause = try measure(image.cause)
        scores[TrustMeasure.localisation] = value(onCause[0])
        scores[TrustMeasure.pointing] = value(onCause[1])
        for (part, mask) in image.regions where !mask.isEmpty {
            scores[TrustMeasure.credit(part)] = value(try measure(mask)[2])
        }
        return scores
    }

    /// The probability that a pixel of one region has a larger value than one of the other, ties half.
    static func outranks(_ map: HeatMap, _ region: Mask, _ other: Mask) -> Double {
        func weights(_ mask: Mask) -> [Double] {
            var weights = [Double](repeating: 0, count: map.values.count)
            for y in 0..<mask.height {
                for x in 0..<mask.width where mask[row: y, column: x] {
                    weights[y * map.rows / mask.height * map.columns + x * map.columns / mask.width] += 1
                }
            }
            return weights
        }
        let (inside, outside) = (weights(region), weights(other))
        var wins = 0.0
        for (i, a) in inside.enumerated() where a > 0 {
            for (j, b) in outside.enumerated() where b > 0 {
                let (u, v) = (map.values[i], map.values[j])
                wins += a * b * (u > v ? 1 : u == v ? 0.5 : 0)
                if !(u - v).isFinite { return .nan }
            }
        }
        return wins / (inside.reduce(0, +) * outside.reduce(0, +))
    }
}
