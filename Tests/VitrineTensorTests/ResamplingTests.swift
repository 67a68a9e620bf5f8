import Testing
import VitrineTensor

/// The inner loops of resampling tests against the sums that they stand for, bit for bit.
@Suite struct ResamplingTests {
    @Test("sums of resampled patients run over the patients in order, whatever is computed beside them")
    func resampleSums() {
        var random = Philox(seed: 3, name: "resample sums")
        for (resamples, patients, groups) in [(1, 1, 1), (4, 7, 2), (5, 513, 1), (11, 1_030, 3)] {
            let counts = (0..<resamples * patients).map { _ in UInt8(random.below(random.below(9) == 0 ? 256 : 5)) }
            let columns = (0..<groups * patients * 8).map { _ in random.normal() }
            let found = Resampling.sums(counts: counts, patients: patients, columns: columns)
            var expected: [Double] = []
            for r in 0..<resamples {
                for g in 0..<groups {
                    for lane in 0..<8 {
                        var sum = 0.0
                        for c in 0..<patients {
                            let product = columns[(g * patients + c) * 8 + lane] * Double(counts[r * patients + c])
                            sum += product
                        }
                        expected.append(sum)
                    }
                }
            }
            #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(resamples) resamples of \(patients) patients")
        }
    }

    @Test("a NaN among the values reaches the sums of its own column alone")
    func nan() {
        var columns = [Double](repeating: 1, count: 2 * 8)
        columns[8 + 3] = .nan
        let sums = Resampling.sums(counts: [1, 1], patients: 2, columns: columns)
        #expect(sums.indices.filter { sums[$0].isNaN } == [3])
        #expect(Resampling.signedSums(of: [.nan, 1], signs: [0], draws: 1)[0].isNaN)
    }

    @Test("sums under signs run over eight values, then over the eights", arguments: [1, 7, 8, 9, 31, 32, 33, 70])
    func signSums(_ count: Int) {
        var random = Philox(seed: 4, name: "sign sums", index: UInt64(count))
        let values = (0..<count).map { _ in random.normal() }
        let draws = 37
        let groups = (count + 7) / 8
        let signs = (0..<groups * draws).map { _ in UInt8(random.below(256)) }
        let found = Resampling.signedSums(of: values, signs: signs, draws: draws)
        let expected = (0..<draws).map { d -> Double in
            var total = 0.0
            for g in 0..<groups {
                var sum = 0.0
                for bit in 0..<min(8, count - 8 * g) {
                    sum += signs[g * draws + d] >> bit & 1 == 1 ? -values[8 * g + bit] : values[8 * g + bit]
                }
                total += sum
            }
            return total
        }
        #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
    }
}
