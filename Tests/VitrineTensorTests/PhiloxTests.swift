import Testing
import VitrineTensor

@Suite struct PhiloxTests {
    /// The known-answer vectors published with Random123 (Salmon et al. 2011).
    @Test func knownAnswers() {
        let all = UInt32.max
        #expect(
            Philox.block(counter: .init(), key: .init()) == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Philox.block(counter: .init(repeating: all), key: .init(repeating: all))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Philox.block(
                counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func streamsAreReproducibleAndDistinct() {
        func first(_ seed: UInt64, _ name: String, _ index: UInt64) -> [UInt64] {
            var stream = Philox(seed: seed, name: name, index: index)
            return (0..<8).map { _ in stream.next() }
        }
        #expect(first(1, "bootstrap", 2) == first(1, "bootstrap", 2))
        #expect(first(1, "bootstrap", 2) != first(2, "bootstrap", 2))
        #expect(first(1, "bootstrap", 2) != first(1, "bootstraq", 2))
        #expect(first(1, "bootstrap", 2) != first(1, "bootstrap", 3))
    }

    /// 60,000 draws below 6: chi-square with 5 degrees of freedom stays under 25.7 with probability 0.9999 (and the seed is fixed).
    @Test func boundedDrawsAreUniform() {
        var stream = Philox(seed: 7, name: "dice")
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[stream.below(6)] += 1 }
        let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000 }
        #expect(chiSquare < 25.7)
        var sum = 0.0
        for _ in 0..<60_000 {
            let u = stream.uniform()
            #expect(u >= 0 && u < 1)
            sum += u
        }
        // Five standard errors of the mean of 60,000 uniforms.
        #expect(abs(sum / 60_000 - 0.5) < 5 * 0.2887 / 60_000.0.squareRoot())
    }
}
