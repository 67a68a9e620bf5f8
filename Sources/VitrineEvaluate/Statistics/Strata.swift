/// Parts of a sample that are looked at separately.
public enum Strata {
    /// One part: its name and the positions of its members, ascending.
    public struct Group<Key: Sendable & Equatable>: Sendable, Equatable {
        public let key: Key
        public let members: [Int]
    }

    /// Thirds of a sample by value, such as lesion size.
    public struct Tertiles: Sendable, Equatable {
        /// The quantiles at 1/3 and 2/3, interpolated linearly.
        public let cuts: (Double, Double)
        /// Positions of the members of the low, middle and high third, ascending.
        public let members: [[Int]]

        public static func == (a: Tertiles, b: Tertiles) -> Bool { a.cuts == b.cuts && a.members == b.members }
    }

    /// Splits at the quantiles 1/3 and 2/3; a value equal to a cut goes to the lower part, so that equal values stay together.
    ///
    /// - Throws: `StatisticsError` when nothing is given or a value is not finite.
    public static func tertiles(_ values: [Double]) throws -> Tertiles {
        guard !values.isEmpty else { throw StatisticsError.empty(what: "values of strata") }
        try validate(values, what: "values of strata")
        let sorted = values.sorted()
        let cuts = (quantile(ofSorted: sorted, 1.0 / 3), quantile(ofSorted: sorted, 2.0 / 3))
        let low = values.indices.filter { values[$0] <= cuts.0 }
        let middle = values.indices.filter { values[$0] > cuts.0 && values[$0] <= cuts.1 }
        let high = values.indices.filter { values[$0] > cuts.1 }
        return Tertiles(cuts: cuts, members: [low, middle, high])
    }

    /// Parts of equal key (site, scanner, right or wrong prediction), in ascending order of the key.
    public static func groups<Key: Hashable & Comparable & Sendable>(_ keys: [Key]) -> [Group<Key>] {
        Dictionary(grouping: keys.indices) { keys[$0] }.sorted { $0.key < $1.key }.map { Group(key: $0.key, members: $0.value) }
    }
}
