import Testing
import VitrineEvaluate

@Suite struct TestPowerTests {
    /// Two sides: 2^(1-n) m < 0.05; ten maps need 2^(n-1) > 200.
    @Test(arguments: [
        (5, 10, true, false, 9), (9, 10, true, true, 9), (8, 10, true, false, 9), (5, 1, false, true, 5), (5, 1, true, false, 6),
    ])
    func byHand(units: Int, tests: Int, isTwoSided: Bool, canTell: Bool, needed: Int) {
        let power = TestPower(units: units, tests: tests, isTwoSided: isTwoSided, level: 0.05)
        #expect(power.canTell == canTell && power.needed == needed)
    }

    /// What the test itself gives for a map that wins on every patient.
    @Test func agreesWithTheSignFlipTest() throws {
        for n in 2...9 {
            let clusters = Clusters((0..<n).map(String.init))
            let resamples = try ClusterResamples(clusters: n, count: 2000, seed: 1)
            let won = try PairedComparison(
                (0..<n).map { 0.5 + 0.01 * Double($0) }, [Double](repeating: 0, count: n), clusters: clusters, resamples: resamples)
            #expect((won.signFlip.pValue < 0.05) == TestPower(units: n, tests: 1, isTwoSided: true, level: 0.05).canTell, "\(n) patients")
        }
    }
}
