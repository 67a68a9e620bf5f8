/// Whether a test over independent units (patients) can succeed at all, which is known before anything is measured.
///
/// Sign flips over n units, like McNemar's exact test, give no smaller p than 2^-n, and 2^(1-n) when two-sided: that of a winner on every unit.
/// Holm's adjustment multiplies the smallest p by the number of tests.
public struct TestPower: Sendable, Equatable {
    /// Independent units: patients, or images where no patient is known.
    public var units: Int
    /// Tests that are adjusted together.
    public var tests: Int
    public var isTwoSided: Bool
    /// The family-wise level, such as 0.05.
    public var level: Double

    public init(units: Int, tests: Int, isTwoSided: Bool, level: Double) {
        (self.units, self.tests, self.isTwoSided, self.level) = (units, tests, isTwoSided, level)
    }

    /// Whether a map that wins on every unit would be told apart.
    public var canTell: Bool { isEnough(units) }

    /// The least number of units with which the best possible outcome is told apart.
    public var needed: Int {
        var units = 1
        while !isEnough(units) && units < 1000 { units += 1 }
        return units
    }

    private func isEnough(_ units: Int) -> Bool {
        let smallest = Double(sign: .plus, exponent: (isTwoSided ? 1 : 0) - units, significand: 1)
        return units > 0 && min(1, smallest) * Double(max(tests, 1)) < level
    }
}
