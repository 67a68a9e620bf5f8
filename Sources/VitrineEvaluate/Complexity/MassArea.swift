import VitrineImage

/// The smallest share of the patches that holds a share of the positive mass: what `area-50` and `area-90` share.
enum MassArea {
    static func measure(_ map: HeatMap, holding share: Double) throws(Undefined) -> Measurement {
        let positive = map.values.map { max(0, Double($0)) }.sorted(by: >)
        let total = positive.reduce(0, +)
        guard total > 0 else { throw Undefined("the map has no positive value") }
        var (count, held) = (0, 0.0)
        // Sums of many parts round: the last part may be missing some ulps.
        while count < positive.count, held < share * total * (1 - 1e-12) {
            held += positive[count]
            count += 1
        }
        let negative = map.values.reduce(0) { $0 + max(0, -Double($1)) }
        return Measurement(
            Double(count) / Double(positive.count),
            note: negative == 0
                ? nil : "\(Int((100 * negative / (total + negative)).rounded())) % of the absolute mass is negative and counts as 0")
    }
}
