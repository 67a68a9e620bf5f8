/// A confidence interval and how it was computed.
public struct Interval: Sendable, Equatable {
    /// Where the bounds come from.
    public enum Method: String, Sendable, Codable {
        /// Bias-corrected and accelerated bootstrap.
        case bca
        /// Quantiles of the resampled values, without correction.
        case percentile
        /// Quantiles of studentised deviations of the resamples.
        case studentised
        /// Wilson's score interval of a proportion.
        case wilson
        /// Clopper and Pearson's exact interval of a proportion.
        case clopperPearson
        /// Normal approximation with a standard error (DeLong, regression).
        case standardError
        /// F distribution (intraclass correlation).
        case fisher
        /// All observations are equal and not 0/1: the interval is a point and says nothing about variation.
        case constant
        /// Fewer than two patients: no interval can be given; the bounds are infinite.
        case undefined
    }

    public let lower: Double
    public let upper: Double
    /// Nominal coverage, such as 0.95.
    public let level: Double
    public let method: Method

    public init(lower: Double, upper: Double, level: Double, method: Method) {
        self.lower = lower
        self.upper = upper
        self.level = level
        self.method = method
    }

    public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }

    static func undefined(level: Double) -> Interval {
        Interval(lower: -.infinity, upper: .infinity, level: level, method: .undefined)
    }
}

func validate(level: Double) throws {
    guard level > 0, level < 1 else { throw StatisticsError.outOfRange(what: "confidence level", value: "\(level)", allowed: "(0, 1)") }
}
