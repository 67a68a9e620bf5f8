/// What is wrong with the raw values of a heat map, if anything.
public struct HeatMapAudit: Sendable, Equatable, Codable {
    /// Values that are not a number.
    public let nanCount: Int
    /// Values that are infinite.
    public let infiniteCount: Int
    /// All finite values are equal (or there is none): the map says nothing about place.
    public let isConstant: Bool
    /// As `isConstant`, after the ReLU of the display rule: such a map is shown as zeros.
    public let isBlankWhenDisplayed: Bool
    /// Smallest and largest finite value; absent when there is none.
    public let minimum: Float?
    public let maximum: Float?

    /// The map can be ranked and shown: no NaN, no infinity, not constant as displayed.
    public var isSound: Bool { nanCount == 0 && infiniteCount == 0 && !isBlankWhenDisplayed }
}

extension HeatMapAudit {
    /// Why the map cannot be ranked or shown, in words; nil for a sound one.
    public var problem: String? {
        if nanCount > 0 { return "the map holds NaN (\(nanCount) values)" }
        if infiniteCount > 0 { return "the map holds infinity (\(infiniteCount) values)" }
        guard isBlankWhenDisplayed else { return nil }
        guard isConstant else { return "the map is empty: no value is above 0, and what is below is not shown" }
        return maximum == 0 ? "the map is empty: 0 everywhere" : "the map is one value everywhere, and says nothing of place"
    }
}

extension HeatMap {
    /// Counts NaN and infinity in the raw values and flags constant maps.
    ///
    /// - Complexity: O(rows · columns).
    public var audit: HeatMapAudit {
        var nan = 0
        var infinite = 0
        var low: Float?
        var high: Float?
        for value in values {
            if value.isNaN {
                nan += 1
            } else if value.isInfinite {
                infinite += 1
            } else {
                low = min(low ?? value, value)
                high = max(high ?? value, value)
            }
        }
        let isConstant = low == high
        let isNegative = display.clipsNegatives && (high ?? 0) <= 0
        return HeatMapAudit(
            nanCount: nan, infiniteCount: infinite, isConstant: isConstant, isBlankWhenDisplayed: isConstant || isNegative,
            minimum: low, maximum: high)
    }
}
