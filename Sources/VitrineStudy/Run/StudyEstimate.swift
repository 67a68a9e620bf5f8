import VitrineEvaluate
import VitrineExplain
import VitrineTensor

/// How large a study is and how long it may take, from one image per data set.
public struct StudyEstimate: Sendable, Equatable {
    /// One data set.
    public struct Part: Sendable, Equatable {
        public var dataset: String
        /// Images explained and scored, and images only classified.
        public var scored: Int
        public var predicted: Int
        public var models: Int
        /// Seconds of one worker for one explained image under one model; nil when no model could be loaded.
        public var secondsPerExplained: Double?
        public var secondsPerPredicted: Double?
        /// Seconds of one worker for the controls of one image.
        public var secondsPerControls: Double?

        /// Seconds of one worker for the whole data set; what could not be measured counts as nothing.
        public var seconds: Double {
            Double(scored) * (secondsPerControls ?? 0)
                + Double(models) * (Double(scored) * (secondsPerExplained ?? 0) + Double(predicted) * (secondsPerPredicted ?? 0))
        }
    }

    public var parts: [Part]
    /// Of all scores, both protocols.
    public var scores: Int
    /// Bytes of the maps that are stored; nil when no model could be loaded.
    public var mapBytes: Int?

    /// Units of the study: images under models, and images under controls.
    public var units: Int { parts.reduce(0) { $0 + $1.scored + $1.models * ($1.scored + $1.predicted) } }
    public var seconds: Double { parts.reduce(0) { $0 + $1.seconds } }
}

extension StudyPlan {
    /// Runs one image of each data set under its first model that loads, and under the controls.
    ///
    /// - Throws: nothing that a run would record; what cannot be measured is left out.
    public func estimate() throws -> StudyEstimate {
        let evaluators = try evaluators()
        let methodCount = file.methods.count { !$0.isControl }
        var estimate = StudyEstimate(parts: [], scores: 0, mapBytes: nil)
        for source in sources {
            let models = store.models.filter { $0.datasetID == source.id && $0.kind != .none }
            let (scored, predicted) = (source.ids(.score), source.ids(.predict))
            var part = StudyEstimate.Part(
                dataset: source.settings.name, scored: scored.count, predicted: predicted.count, models: models.count)
            let controls = file.methods.count { $0.isControl && (source.hasImages || !$0.needsImage) }
            estimate.scores += scored.count * (controls + models.count * methodCount) * store.metrics.count
            part.secondsPerControls = measureControls(source, scored, evaluators)
            if let loaded = models.lazy.compactMap({ try? load($0, of: source) }).first {
                let measured = measure(loaded, source, scored, evaluators)
                part.secondsPerExplained = measured?.explained
                part.secondsPerPredicted = measured?.predicted
                if let measured { estimate.mapBytes = (estimate.mapBytes ?? 0) + measured.mapBytes * scored.count * models.count }
            }
            estimate.parts.append(part)
        }
        return estimate
    }

    private func measure(
        _ loaded: StudyLoadedModel, _ source: DatasetSource, _ ids: [Int], _ evaluators: [Evaluator]
    ) -> (explained: Double, predicted: Double, mapBytes: Int)? {
        let methods = file.methods.compactMap { method in
            if case .explainer(let explainer) = method, !method.isControl { explainer } else { nil }
        }
        guard let explaining = try? ExplanationPlan(model: loaded.model, methods: methods, seed: file.seed),
            let predicting = try? ExplanationPlan(model: loaded.model, methods: [], seed: file.seed)
        else { return nil }
        let workspace = Workspace()
        // The first image also pays for touching the weights, so the second one is measured.
        var warm = false
        for id in ids.prefix(8) {
            var clock = Stopwatch()
            guard let input = try? input(id, of: source, preprocess: loaded.preprocess), let mask = input.mask else { continue }
            let prepare = clock.lap()
            let subject = PreparedImage(name: imageName(id, source), pixels: input.pixels, target: target(id, source))
            guard (try? predicting.explain([subject], workspace: workspace)) != nil else { return nil }
            let predicted = clock.lap()
            guard let result = try? explaining.explain([subject], workspace: workspace).first else { return nil }
            if !warm && ids.count > 1 {
                warm = true
                continue
            }
            _ = clock.lap()
            guard (try? explaining.explain([subject], workspace: workspace)) != nil else { return nil }
            let explain = clock.lap() * Double(1 + file.stabilityDraws)
            let scored = ScoredMask(mask)
            for (m, explanation) in result.explanations.enumerated() {
                _ = try? scores(of: explanation.map, methodID: m, on: scored, evaluators, item: "estimate")
            }
            let bytes = result.explanations.reduce(0) { $0 + 4 * $1.map.values.count }
            return (prepare + explain + clock.lap(), prepare + predicted, bytes)
        }
        return nil
    }

    private func measureControls(_ source: DatasetSource, _ ids: [Int], _ evaluators: [Evaluator]) -> Double? {
        let controls = file.methods.indices.filter { file.methods[$0].isControl && (source.hasImages || !file.methods[$0].needsImage) }
        guard !controls.isEmpty else { return 0 }
        for id in ids.prefix(8) {
            var clock = Stopwatch()
            guard let input = try? input(id, of: source, preprocess: source.preprocess), let mask = input.mask else { continue }
            let scored = ScoredMask(mask)
            for methodID in controls {
                guard let map = controlMap(methodID, id, source, input) else { continue }
                _ = try? scores(of: map, methodID: methodID, on: scored, evaluators, item: "estimate")
            }
            return clock.lap()
        }
        return nil
    }
}
