import VitrineImage

/// Copies of the image under uniform noise of up to `radius` in normalised units: what sensitivities and relative stabilities share.
struct Neighbourhood: Sendable {
    let radius: Float
    let samples: Int

    static let options = ["radius=0.02", "samples=10"]

    init(_ options: inout MetricOptions) throws(MetricError) {
        radius = Float(try options.value("radius", default: 0.02, in: 1e-6...100))
        samples = try options.count("samples", default: 10, in: 1...10_000)
    }

    func circumstances(_ witness: some Witness) -> [Circumstance] {
        (0..<samples).map { .drawn(name($0), .pixels(witness.inBall(radius, draw: $0))) }
    }

    private func name(_ index: Int) -> String { "ball/\(radius)/\(index)" }

    /// The logits of one copy.
    func logits(_ index: Int, _ witness: some Witness) throws -> [Float] {
        try witness.logits(drawn: (0..<samples).map(name)) { .pixels(witness.inBall(radius, draw: $0)) }[index]
    }
}

/// The length of a vector.
func norm(_ values: some Sequence<Double>) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

/// ‖φ' - φ‖ / ‖φ‖.
func relativeChange(_ map: HeatMap, _ other: HeatMap) throws(Undefined) -> Double {
    guard map.values.count == other.values.count else { throw Undefined("the map made again has another grid") }
    return norm(zip(map.values, other.values).map { Double($1) - Double($0) }) / norm(map.values.map(Double.init))
}

/// ‖(φ - φ') / φ‖, element by element; an element of 0 counts as 1e-6, as Quantus has it.
func elementwiseChange(_ map: HeatMap, _ other: HeatMap) throws(Undefined) -> Double {
    guard map.values.count == other.values.count else { throw Undefined("the map made again has another grid") }
    return norm(zip(map.values, other.values).map { (Double($0) - Double($1)) / ($0 == 0 ? 1e-6 : Double($0)) })
}
