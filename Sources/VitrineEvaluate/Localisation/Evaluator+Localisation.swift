import VitrineTensor

extension Evaluator {
    /// The localisation metrics' scores; those of other metrics are placeholders.
    func localisation(of map: ScoredMap, on mask: ScoredMask?, item: String) throws(MetricError) -> [Score] {
        guard let mask else { return entries.map { _ in .undefined(Undefined("there is no mask")) } }
        guard map.height == mask.height && map.width == mask.width else {
            throw .sizeMismatch(
                mapHeight: map.height, mapWidth: map.width, maskHeight: mask.height, maskWidth: mask.width)
        }
        guard !mask.isEmpty else { return entries.map { $0.rules.scoreOfEmptyMask } }
        let ranking = SiteRanking(map, mask)
        var scores: [Score] = []
        var pending: [(place: Int, metric: any LocalisationMetric)] = []
        for entry in entries {
            guard let metric = entry.metric as? any LocalisationMetric else {
                scores.append(.undefined(Undefined("not measured yet")))
                continue
            }
            // A map that holds NaN or infinity says nothing, not even what chance says: it takes part in no mean.
            if let flag = map.flag, flag == .nonFiniteMap || !type(of: metric).scoresConstantMaps {
                let reason = map.withoutAnswer?.reason ?? Undefined("the map has the same value everywhere as displayed")
                scores.append(.undefined(reason, status: flag))
                continue
            }
            if let reason = metric.undefined(on: mask) {
                scores.append(.undefined(reason, status: map.flag ?? (mask.isFull ? .fullMask : .undefined)))
                continue
            }
            var score = Score(
                value: metric.value(of: ranking), chance: nil, ceiling: metric.ceiling(of: ranking),
                status: map.flag ?? (mask.isFull ? .fullMask : .ok))
            if score.value == nil, !type(of: metric).scoresConstantMaps {
                scores.append(.undefined(Undefined("the metric has no value for this map")))
                continue
            }
            if score.value == nil {
                // No mass: the map prefers no place.
                score.value = mask.area
                score.chance = mask.area
                score.chanceSource = .exact
                if map.flag == nil { score.status = .noMass }
            } else if map.flag == .constantMap {
                // Every permutation is the map itself.
                score.chance = score.value
                score.chanceSource = .exact
            } else if let chance = metric.exactChance(of: ranking) {
                score.chance = chance
                score.chanceSource = .exact
            } else {
                pending.append((scores.count, metric))
            }
            scores.append(score)
        }
        if !pending.isEmpty { addPermutationChance(to: &scores, pending, map, ranking, item) }
        return scores
    }

    private func addPermutationChance(
        to scores: inout [Score], _ pending: [(place: Int, metric: any LocalisationMetric)], _ map: ScoredMap, _ ranking: SiteRanking,
        _ item: String
    ) {
        // Deviations from the first permutation's value keep the variance free of cancellation.
        var origin = [Double](repeating: 0, count: pending.count)
        var sums = origin
        var squares = origin
        let sample: any RankedMap
        let permute: (inout Philox) -> Void
        switch map.null {
        case .sites:
            sample = ranking
            permute = { ranking.permute(&$0) }
        case .display:
            let smooth = SmoothRanking(map.native, ranking.mask)
            sample = smooth
            permute = { smooth.permute(&$0) }
        }
        for index in 0..<permutations {
            var random = Philox(seed: seed, name: item, index: UInt64(index))
            permute(&random)
            for (place, entry) in pending.enumerated() {
                // A permutation without mass prefers no place.
                let value = entry.metric.value(of: sample) ?? ranking.mask.area
                if index == 0 { origin[place] = value }
                sums[place] += value - origin[place]
                squares[place] += (value - origin[place]) * (value - origin[place])
            }
        }
        let count = Double(permutations)
        for (place, entry) in pending.enumerated() {
            let variance = max(0, (squares[place] - sums[place] * sums[place] / count) / max(1, count - 1))
            scores[entry.place].chance = origin[place] + sums[place] / count
            scores[entry.place].chanceSource = .permutation
            scores[entry.place].chanceStandardError = (variance / count).squareRoot()
        }
    }
}

extension EvaluationProtocol {
    /// Undefined, or 0 as the study scores it.
    fileprivate var scoreOfEmptyMask: Score {
        let nothing: Double? = self == .study ? 0 : nil
        return Score(
            value: nothing, chance: nothing, ceiling: nothing, status: .emptyMask, chanceSource: nothing == nil ? nil : .exact)
    }
}
