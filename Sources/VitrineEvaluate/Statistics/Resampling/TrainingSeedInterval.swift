extension ClusterResamples {
    /// The interval of a score averaged over training seeds, when both seeds and patients are samples.
    ///
    /// One trained model per initialisation says nothing about the initialisation in general. With several seeds scored on the same
    /// patients, seeds and patients are resampled independently and crossed: the pigeonhole bootstrap, whose variance is on the
    /// safe side (Owen 2007, https://doi.org/10.1214/07-AOAS122). Percentile limits; with a handful of seeds they are rough.
    ///
    /// - Parameter seeds: the score's ratio for every training seed, over the patients of these resamples.
    /// - Returns: `.undefined` with fewer than two seeds or two patients.
    /// - Throws: `StatisticsError` when a ratio has another number of patients.
    public func trainingSeedInterval(of seeds: [ClusterRatio], level: Double = 0.95) throws -> Interval {
        try validate(level: level)
        try check(seeds)
        guard seeds.count >= 2, clusters >= 2 else { return .undefined(level: level) }
        let scores = try replicates(of: seeds)
        let draws = try ClusterResamples(clusters: seeds.count, count: count, seed: seed, name: "training seed bootstrap")
        let means = (0..<count).map { resample in
            let weights = draws.multiplicities(resample)
            return seeds.indices.reduce(0.0) { $0 + (weights[$1] > 0 ? Double(weights[$1]) * scores[$1][resample] : 0) }
                / Double(seeds.count)
        }
        let sorted = means.filter(\.isFinite).sorted()
        guard !sorted.isEmpty else { return .undefined(level: level) }
        return Interval(
            lower: quantile(ofSorted: sorted, 0.5 * (1 - level)), upper: quantile(ofSorted: sorted, 0.5 * (1 + level)), level: level,
            method: .percentile)
    }
}
