/// Relevance mass accuracy: the share of the raw relevance that falls into the mask.
///
/// Clipped, negative relevance counts as 0 and the share lies in 0...1 (it is then the energy-based pointing game of the raw
/// map); unclipped, as Quantus computes it, a signed map can score below 0 or above 1. Chance: the mask's area share where
/// the sum does not depend on the arrangement. Ceiling: the m highest values in the mask.
/// Source: Arras, Osman & Samek 2022, "CLEVR-XAI", https://doi.org/10.1016/j.inffus.2021.11.008.
public struct MassAccuracy: LocalisationMetric {
    public static let facts = MetricFacts(
        "mass-accuracy", .localisation, better: .higher,
        summary: "share of the raw relevance in the mask",
        citation: "Arras, Osman & Samek 2022, https://doi.org/10.1016/j.inffus.2021.11.008")
    public static var scoresConstantMaps: Bool { true }

    public let identifier: String
    public let isClipped: Bool

    public init(_ options: inout MetricOptions) {
        identifier = options.identifier
        isClipped = options.rules == .corrected
    }

    public var summary: String { "share of the raw relevance in the mask, negative values \(isClipped ? "as 0" : "included")" }

    public func value(of map: any RankedMap) -> Double? { map.massShare(.raw, clipped: isClipped) }

    public func exactChance(of map: SiteRanking) -> Double? {
        map.massShareIsLinear(clipped: isClipped) ? map.mask.area : nil
    }

    public func ceiling(of map: SiteRanking) -> Double? { map.largestMassShare(.raw, clipped: isClipped) }
}
