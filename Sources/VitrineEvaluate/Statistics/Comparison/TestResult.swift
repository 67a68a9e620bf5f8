/// Which deviations from the null hypothesis count.
public enum Alternative: String, Sendable, Codable, CaseIterable {
    case twoSided
    /// The first sample, or the difference, lies higher.
    case greater
    /// The first sample, or the difference, lies lower.
    case less
}

/// A test statistic, its p-value and how that was computed.
public struct TestResult: Sendable, Equatable {
    /// The distribution the p-value comes from.
    public enum Method: String, Sendable, Codable {
        /// The full null distribution.
        case exact
        /// Random draws from the null distribution; p = (1 + hits) / (1 + draws).
        case monteCarlo
        /// A normal approximation.
        case normal
        /// A chi-square approximation.
        case chiSquare
        /// An F approximation.
        case fisher
    }

    public let statistic: Double
    /// In (0, 1].
    public let pValue: Double
    /// Number of observations that carry information (zeros or concordant pairs left out where the test leaves them out).
    public let count: Int
    public let method: Method

    public init(statistic: Double, pValue: Double, count: Int, method: Method) {
        self.statistic = statistic
        self.pValue = pValue
        self.count = count
        self.method = method
    }
}
