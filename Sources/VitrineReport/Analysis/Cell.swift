import VitrineEvaluate

/// What one method under one model scores on one data set by one metric, with everything that says what the number is worth.
public struct Cell: Sendable, Equatable {
    /// How far a score may be trusted as evidence of localisation.
    public enum Verdict: String, Sendable, Equatable {
        /// Above chance and above the centre prior, each after Holm's adjustment at 5 %.
        case localises
        /// Above chance, but not shown to be above a blob at the centre of every image: not called localising.
        case chanceOnly = "not shown above the centre prior"
        /// Not shown to be above a random map.
        case notAboveChance = "not shown above chance"
        /// With so few patients no test could have succeeded, however good the map.
        case noPower = "cannot be told"
        /// Above chance; the study ran no centre control to compare with.
        case noCentre = "above chance, no centre control"
        /// The metric has no chance level here, or there is one patient only.
        case untested
    }

    /// A method against one control on the same images.
    public struct ControlComparison: Sendable, Equatable {
        /// Model and method of the control.
        public var modelID: Int
        public var methodID: Int
        /// Method minus control.
        public var comparison: PairedComparison
        /// `Comparison.primary` of it.
        public var pValue: Double
        /// Holm-adjusted over all cells of the data set and metric against this control.
        public var adjusted: Double
    }

    public var modelID: Int
    public var methodID: Int
    public var metricID: Int
    /// Images on which the metric is defined; the mean is over these.
    public var images: Int
    public var patients: Int
    /// Images without a value, such as those with an empty mask under the `corrected` protocol.
    public var undefined: Int
    /// Images by status other than `ok`.
    public var flagged: [String: Int]
    public var value: Double
    /// Patient-cluster BCa interval, 95 %.
    public var interval: Interval
    public var chance: Double?
    public var ceiling: Double?
    /// (value - chance) / (ceiling - chance).
    public var skill: Double?
    public var skillInterval: Interval?
    /// One-sided, of value above chance.
    public var chanceP: Double?
    /// Where `chanceP` comes from: `Poisson-binomial` for hits of independent images, else `sign flip`.
    public var chanceTest: String?
    /// Holm-adjusted over the cells of the data set and metric; nil for controls.
    public var chanceAdjusted: Double?
    /// In the order of the study: controls, and models with random weights.
    public var controls: [ControlComparison] = []
    public var verdict: Verdict = .untested

    /// The comparison with the centre prior.
    public func against(method: Int) -> ControlComparison? { controls.first { $0.methodID == method && $0.modelID != modelID } }
}

/// Two methods under one model, or one method under two models, on the same images.
public struct Pair: Sendable, Equatable {
    public var metricID: Int
    public var firstModel: Int
    public var firstMethod: Int
    public var secondModel: Int
    public var secondMethod: Int
    public var images: Int
    /// First minus second.
    public var comparison: PairedComparison
    public var pValue: Double
    /// `McNemar` for hits of independent images, else `sign flip`.
    public var test: String
    /// Holm-adjusted over all pairs of the data set and metric.
    public var adjusted: Double
}

extension PairedComparison {
    /// The test a report decides by: McNemar's exact test where all scores are 0 or 1 and every patient has one image, else the sign-flip
    /// permutation over patients.
    func primary(images: Int) -> (pValue: Double, test: String) {
        if let mcNemar, patients == images { return (mcNemar.test.pValue, "McNemar") }
        return (signFlip.pValue, "sign flip")
    }
}
