import VitrineImage
import VitrineTensor

/// Scores maps by a set of metrics of any kind, each with its chance level and ceiling.
///
/// Random draws depend on the seed, the item's name and their index alone, not on the other metrics, the order of the maps or the
/// threads. Permutations are drawn once per map and shared by all metrics and protocols that need them.
public struct Evaluator: Sendable {
    /// A metric with the protocol that settled its choices.
    public struct Entry: Sendable {
        public let metric: any Metric
        public let rules: EvaluationProtocol
    }

    public let entries: [Entry]
    public let seed: UInt64
    /// Number of permutations behind a localisation metric's chance level without a closed form.
    public let permutations: Int
    /// Number of random maps behind the chance level of a metric that asks the model.
    public let controls: Int

    public init(_ entries: [Entry], seed: UInt64 = 0, permutations: Int = 1000, controls: Int = 10) {
        precondition(permutations > 0 && controls > 1, "a chance level needs at least one permutation and two random maps")
        self.entries = entries
        self.seed = seed
        self.permutations = permutations
        self.controls = controls
    }

    /// Metrics by name under several protocols: name by name, for localisation protocol by protocol. Metrics of other kinds have one
    /// definition and stand once.
    public init(
        _ names: [String], protocols: [EvaluationProtocol], seed: UInt64 = 0, permutations: Int = 1000, controls: Int = 10
    ) throws(MetricError) {
        var entries: [Entry] = []
        for name in names {
            for rules in protocols {
                let metric = try MetricRegistry.metric(name, protocol: rules)
                entries.append(Entry(metric: metric, rules: rules))
                guard metric is any LocalisationMetric else { break }
            }
        }
        self.init(entries, seed: seed, permutations: permutations, controls: controls)
    }

    /// Metrics by name, under one protocol.
    public init(
        _ names: [String], protocol rules: EvaluationProtocol, seed: UInt64 = 0, permutations: Int = 1000, controls: Int = 10
    ) throws(MetricError) {
        try self.init(names, protocols: [rules], seed: seed, permutations: permutations, controls: controls)
    }

    /// Some metric needs a mask.
    public var needsMask: Bool { entries.contains { $0.metric is any LocalisationMetric } }
    /// Some metric compares with the masks of other images.
    public var needsOtherMasks: Bool { entries.contains { $0.metric is ShuffledAreaUnderROC } }
    /// Some metric asks the model.
    public var needsWitness: Bool { entries.contains { $0.metric is any ModelMetric } }

    /// One score per entry, in their order.
    ///
    /// - Parameters:
    ///   - mask: where there is none, localisation is undefined.
    ///   - witness: of the image and model behind the map; where there is none, metrics that ask the model are undefined.
    ///   - item: name of image and method; part of the permutations' seed.
    /// - Throws: `MetricError.sizeMismatch`, and what the witness throws.
    /// - Complexity: for localisation O(n log n) at most for the values; a smooth map's chance levels cost `permutations` displays.
    public func scores(
        of map: ScoredMap, on mask: ScoredMask?, witness: (any Witness)? = nil, item: String
    ) throws -> [Score] {
        var scores = try localisation(of: map, on: mask, item: item)
        for (i, entry) in entries.enumerated() {
            switch entry.metric {
            case let metric as any MapMetric: scores[i] = score(metric, map, witness)
            case let metric as any ModelMetric: scores[i] = try score(metric, map, witness)
            default: continue
            }
        }
        return scores
    }

    /// What `scores` says, without levels of chance and ceilings, which cost more than the values of most metrics: one number per
    /// entry, nil where it is undefined.
    ///
    /// - Throws: as `scores` does.
    public func values(of map: ScoredMap, on mask: ScoredMask?, witness: any Witness, item: String) throws -> [Double?] {
        try entries.map { entry in
            guard let metric = entry.metric as? any ModelMetric else {
                let alone = Evaluator([entry], seed: seed, permutations: permutations, controls: controls)
                return try alone.scores(of: map, on: mask, witness: witness, item: item)[0].value
            }
            guard try nothing(in: map, witness) == nil else { return nil }
            do { return try metric.measure(map.native, witness).value } catch is Undefined { return nil }
        }
    }

    private func score(_ metric: any MapMetric, _ map: ScoredMap, _ witness: (any Witness)?) -> Score {
        if let nothing = map.withoutAnswer { return .undefined(nothing.reason, status: nothing.status) }
        var native = map.native
        if let witness { native = native.reduced(rows: witness.patches.rows, columns: witness.patches.columns) }
        do throws(Undefined) {
            let found = try metric.measure(native)
            // Flat noise on the same grid: what a map without any structure scores.
            var levels: [Double] = []
            for draw in 0..<controls {
                var random = Philox(seed: seed, name: "control-map/\(native.rows)x\(native.columns)", index: UInt64(draw))
                for i in native.values.indices { native.values[i] = Float(random.uniform()) }
                levels.append(try metric.measure(native).value)
            }
            return Score(found, chance: ChanceLevel(levels, source: .controls))
        } catch { return .undefined(error) }
    }

    private func score(_ metric: any ModelMetric, _ map: ScoredMap, _ witness: (any Witness)?) throws -> Score {
        if let nothing = map.withoutAnswer { return .undefined(nothing.reason, status: nothing.status) }
        guard let witness else { return .undefined(Undefined("there is no model to ask")) }
        if let nothing = try nothing(in: map, witness) { return nothing }
        do {
            return Score(try metric.measure(map.native, witness), chance: try metric.chance(of: map.native, witness, draws: controls))
        } catch let reason as Undefined { return .undefined(reason) }
    }
}

extension Evaluator {
    /// The score of a map that says nothing; nil for one that the witness can be asked about.
    private func nothing(in map: ScoredMap, _ witness: any Witness) throws(MetricError) -> Score? {
        if let nothing = map.withoutAnswer { return .undefined(nothing.reason, status: nothing.status) }
        let native = map.native
        guard native.height == witness.height && native.width == witness.width else {
            throw .mapOfAnotherImage(
                mapHeight: native.height, mapWidth: native.width, imageHeight: witness.height, imageWidth: witness.width)
        }
        return nil
    }
}

extension Score {
    init(_ found: Measurement, chance: ChanceLevel?) {
        self.init(
            value: found.value, chance: chance?.value, ceiling: found.ceiling, status: .ok, chanceSource: chance?.source,
            chanceStandardError: chance?.standardError ?? 0, reason: found.note, curve: found.curve, chanceCurve: chance?.curve)
    }
}

extension HeatMap {
    /// A map on pixels as a map on patches; one on a coarser grid stays.
    package func reduced(rows newRows: Int, columns newColumns: Int) -> HeatMap {
        guard rows > newRows || columns > newColumns else { return self }
        return HeatMap(
            rows: newRows, columns: newColumns, values: patchValues(rows: newRows, columns: newColumns).map { Float($0) },
            height: height, width: width, display: display)
    }
}
