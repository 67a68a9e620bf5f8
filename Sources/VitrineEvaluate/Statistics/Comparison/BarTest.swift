/// Whether a score lies beyond a bar, on one criterion or on several that must all be met, asked in both directions.
///
/// Each criterion is an excess over its bar, larger being better. *Above* is the intersection-union test: all criteria must be above, so its
/// p-value is the largest of theirs (Berger 1982, https://doi.org/10.2307/2683083). *Below* is shown by any criterion that is below: the
/// smallest p-value times their number (Bonferroni). A decision takes twice the smaller of both, since either may be shown.
public struct BarTest: Sendable, Equatable {
    /// The mean excess over one bar.
    public struct Criterion: Sendable, Equatable {
        /// Above 0 is better.
        public let excess: Double
        public let interval: Interval
        /// One-sided, of an excess above and below 0.
        public let above: Double
        public let below: Double
        public let patients: Int

        /// One-sided p-values from the studentised bootstrap, which allows for skewed excesses, and up to `SignFlip.exactLimit` patients from
        /// all sign flips too, which are exact for symmetric ones however few: the larger counts.
        ///
        /// - Parameters:
        ///   - excess: one value per image.
        ///   - isExchangeable: under the null hypothesis an excess is as likely as its negative, as differences of two hits are: then sign flips
        ///     are exact by themselves, and are McNemar's test.
        /// - Throws: `StatisticsError` when the inputs do not fit together or hold a value that is not finite.
        public init(
            _ excess: [Double], clusters: Clusters, resamples: ClusterResamples, isExchangeable: Bool = false, level: Double = 0.95
        ) throws {
            let mean = try ClusterRatio.mean(excess, clusters: clusters)
            // An excess of 1 on every image is no proportion.
            let ratio = try ClusterRatio(numerators: mean.numerators, denominators: mean.denominators)
            let bootstrap = try StudentisedBootstrap(ratio, resamples: resamples)
            func p(_ alternative: Alternative, _ studentised: Double?) throws -> Double {
                let studentised = isExchangeable ? nil : studentised
                if let studentised, ratio.numerators.count(where: { $0 != 0 }) > SignFlip.exactLimit { return studentised }
                let flips = try SignFlip.test(ratio.numerators, alternative: alternative, draws: resamples.count, seed: resamples.seed)
                return max(flips.pValue, studentised ?? 0)
            }
            self.excess = ratio.value
            interval = try bootstrap.interval(level: level)
            above = try p(.greater, bootstrap.above(0))
            below = try p(.less, bootstrap.below(0))
            patients = clusters.count
        }

        /// A criterion whose p-values come from elsewhere, such as the exact distribution of hits.
        public init(excess: Double, interval: Interval, above: Double, below: Double, patients: Int) {
            (self.excess, self.interval, self.above, self.below, self.patients) = (excess, interval, above, below, patients)
        }
    }

    /// What a test shows.
    public enum Decision: String, Sendable, Codable, CaseIterable {
        /// Above every bar.
        case shown
        case notShown = "not shown"
        /// Below some bar.
        case shownToFail = "shown to fail"
    }

    /// At least one.
    public let criteria: [Criterion]

    public init(_ criteria: [Criterion]) {
        precondition(!criteria.isEmpty, "a test has a criterion")
        self.criteria = criteria
    }

    public var above: Double { criteria.map(\.above).max() ?? 1 }
    public var below: Double { min(1, Double(criteria.count) * (criteria.map(\.below).min() ?? 1)) }
    /// Of either decision: what is adjusted for the other tests of the family.
    public var pValue: Double { min(1, 2 * min(above, below)) }
    /// The fewest patients behind a criterion.
    public var patients: Int { criteria.map(\.patients).min() ?? 0 }

    /// - Parameter adjusted: `pValue`, adjusted for the family.
    public func decision(adjusted: Double, level: Double) -> Decision {
        guard adjusted < level else { return .notShown }
        return above <= below ? .shown : .shownToFail
    }
}
