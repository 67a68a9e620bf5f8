import VitrineImage
import VitrineTensor

extension ModelMetric {
    /// The mean of the same measurement of random maps; asked for once per image and model.
    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) throws -> ChanceLevel? {
        try controlLevel(witness, draws: draws)
    }

    func controlLevel(_ witness: some Witness, draws: Int) throws -> ChanceLevel? {
        if let known = witness.memory.levels[identifier] { return known }
        var found: [Measurement] = []
        for draw in 0..<draws {
            do { found.append(try measure(witness.controlMap(draw), witness)) } catch is Undefined { continue }
        }
        let level = ChanceLevel(controls: found)
        witness.memory.levels[identifier] = .some(level)
        return level
    }
}

extension PairMetric {
    public func measure(_ map: HeatMap, _ witness: some Witness) throws -> Measurement {
        var values: [Double] = []
        try witness.maps(under: try circumstances(witness)) { i, other in
            guard other.values.allSatisfy(\.isFinite) else { throw Undefined("the map made again holds NaN or infinity") }
            let value = try compare(map, other, i, witness)
            guard value.isFinite else { throw Undefined("the two maps cannot be compared") }
            values.append(value)
        }
        guard !values.isEmpty else { throw Undefined("there is no other map to compare with") }
        return summarise(values)
    }

    /// The mean over permutations of the map's own values taken for the other map.
    public func chance(of map: HeatMap, _ witness: some Witness, draws: Int) throws -> ChanceLevel? {
        let count = try circumstances(witness).count
        var values: [Double] = []
        for draw in 0..<draws {
            var numbers: [Double] = []
            for index in 0..<count {
                var other = map
                var random = witness.random("permutation/\(identifier)", draw * count + index)
                random.shuffle(&other.values)
                numbers.append(try compare(map, other, index, witness))
            }
            values.append(summarise(numbers).value)
        }
        return ChanceLevel(values, source: .permutation)
    }

    public func summarise(_ values: [Double]) -> Measurement { Measurement(mean(values), curve: values.map { Float($0) }) }
}

/// Spearman's correlation of two maps on one grid.
///
/// - Throws: `Undefined` where a map is constant or the grids differ.
func rankCorrelation(_ a: HeatMap, _ b: HeatMap) throws(Undefined) -> Double {
    guard a.values.count == b.values.count else { throw Undefined("the map made again has another grid") }
    guard let correlation = Correlation.spearman(a.values, b.values) else { throw Undefined("the map made again is constant") }
    return correlation
}

/// Chance of a rank correlation: over all permutations of a map it is exactly 0.
let noCorrelation = ChanceLevel(0, source: .exact)
