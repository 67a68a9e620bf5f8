import VitrineImage

/// A number that says something about an explanation map.
///
/// A new metric is one file with a type that conforms to one of the four kinds below, and one line in `MetricRegistry`. The type
/// states its facts; a value of it holds the choices of one request. `Evaluator` turns what it measures into a `Score`.
public protocol Metric: Sendable {
    static var facts: MetricFacts { get }
    /// Takes the options it knows.
    init(_ options: inout MetricOptions) throws(MetricError)
    /// Name in tables and on the command line, with its options: `iou@5`, `pointing-game:first`.
    var identifier: String { get }
    /// One sentence: what it computes under its choices.
    var summary: String { get }
}

extension Metric {
    public var summary: String { Self.facts.summary }
    public var citation: String { Self.facts.citation }
    public var better: Direction { Self.facts.better }
}

/// How well a map finds a mask.
///
/// `Evaluator` adds chance levels by permutation where `exactChance` has none, and handles empty masks and maps without an answer, so
/// that `value` sees only maps and masks that have pixels to compare.
public protocol LocalisationMetric: Metric {
    /// The metric; absent where the map's mass leaves it undefined.
    func value(of map: any RankedMap) -> Double?
    /// Expectation over all permutations of the map's values, where it has a closed form.
    func exactChance(of map: SiteRanking) -> Double?
    /// The most this metric can be for the mask, given how many pixels the map selects or ties.
    func ceiling(of map: SiteRanking) -> Double?
    /// Why no map has a value on this mask, if none has.
    func undefined(on mask: ScoredMask) -> Undefined?
    /// A constant map scores what its ties do, flagged, as the metrics of the first studies have it; else it is undefined.
    static var scoresConstantMaps: Bool { get }
}

extension LocalisationMetric {
    public func undefined(on mask: ScoredMask) -> Undefined? { nil }
    public static var scoresConstantMaps: Bool { false }
}

/// A property of the map alone.
public protocol MapMetric: Metric {
    /// - Parameter map: finite, not constant; its native values.
    func measure(_ map: HeatMap) throws(Undefined) -> Measurement
}

/// What the network says of a map: the metric asks a witness.
public protocol ModelMetric: Metric {
    /// - Parameter map: finite, not constant; its native values.
    /// - Throws: `Undefined` where there is no answer, else what the witness throws.
    func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement
    /// What a map that knows nothing scores under the same model.
    func chance(of map: HeatMap, _ witness: some Witness, draws: Int) throws -> ChanceLevel?
}

/// How alike two maps are: the map itself, and what the same method says under other circumstances.
public protocol PairMetric: ModelMetric {
    /// The circumstances under which the method is asked again, in the order of `values`.
    func circumstances(_ witness: some Witness) throws -> [Circumstance]
    /// One number for the map and the method's map under circumstance `index`.
    func compare(_ map: HeatMap, _ other: HeatMap, _ index: Int, _ witness: some Witness) throws -> Double
    /// The metric, from one number per circumstance.
    func summarise(_ values: [Double]) -> Measurement
}

/// What a metric found.
public struct Measurement: Sendable, Equatable {
    public var value: Double
    /// See `MetricFacts.curve`.
    public var curve: [Float]?
    /// The best possible value, where it is known.
    public var ceiling: Double?
    /// What a reader must know of this value.
    public var note: String?

    public init(_ value: Double, curve: [Float]? = nil, ceiling: Double? = nil, note: String? = nil) {
        self.value = value
        self.curve = curve
        self.ceiling = ceiling
        self.note = note
    }
}

/// What maps that know nothing score.
public struct ChanceLevel: Sendable, Equatable {
    public var value: Double
    public var source: ChanceSource
    /// 0 where the level is exact.
    public var standardError: Double
    /// The mean of the curves of random maps.
    public var curve: [Float]?

    public init(_ value: Double, source: ChanceSource, standardError: Double = 0) {
        self.value = value
        self.source = source
        self.standardError = standardError
    }

    /// The mean of several draws; absent unless there are two.
    public init?(_ draws: [Double], source: ChanceSource) {
        guard draws.count >= 2, draws.allSatisfy(\.isFinite) else { return nil }
        self.init(mean(draws), source: source, standardError: standardDeviation(draws) / Double(draws.count).squareRoot())
    }

    /// Of the same measurement of random maps, with the mean of their curves where all have one of the same points.
    init?(controls found: [Measurement]) {
        self.init(found.map(\.value), source: .controls)
        let curves = found.compactMap(\.curve)
        guard curves.count == found.count, let points = curves.first?.count, curves.allSatisfy({ $0.count == points }) else { return }
        curve = (0..<points).map { point in Float(mean(curves.map { Double($0[point]) })) }
    }
}
