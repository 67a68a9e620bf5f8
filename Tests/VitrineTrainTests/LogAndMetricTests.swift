import Testing
import VitrineTrain

@Suite struct EventFileTests {
    /// The check value of CRC-32C (Castagnoli) in the catalogue of parametrised CRC algorithms.
    @Test func checksum() { #expect(EventFile.crc32c(Array("123456789".utf8)) == 0xe306_9283) }

    /// A record taken apart by hand.
    @Test func record() {
        let bytes = EventFile.scalar("a", 1, step: 300, wallTime: 2)
        let length = bytes[0..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        #expect(bytes.count == 8 + 4 + length + 4)
        let message = Array(bytes[12..<12 + length])
        #expect(message == [0x09, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x10, 0xac, 0x02, 0x2a, 10, 0x0a, 8, 0x0a, 1, 0x61, 0x15, 0, 0, 0x80, 0x3f])
    }
}

@Suite struct MetricTests {
    @Test func byHand() throws {
        // Five images: labels 1 1 1 0 0, scores .9 .8 .3 .4 .2: two of three and two of two right; AUROC 5/6.
        let scores: [Float] = [0.9, 0.8, 0.3, 0.4, 0.2]
        let metrics = try ClassificationMetrics(
            probabilities: scores.map { [1 - $0, $0] }, labels: [1, 1, 1, 0, 0], positiveLabel: 1, loss: 0.5)
        #expect(metrics.confusion == [[2, 0], [1, 2]] && metrics.accuracy == 0.8 && metrics.count == 5)
        #expect(abs(metrics.balancedAccuracy! - 5.0 / 6) < 1e-15 && abs(metrics.auroc! - 5.0 / 6) < 1e-15)
        #expect(metrics.sensitivity == 2.0 / 3 && metrics.specificity == 1)
    }

    @Test func threeClassesAndMissingOnes() throws {
        let p: [[Float]] = [[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.2, 0.3], [0.1, 0.1, 0.8]]
        let metrics = try ClassificationMetrics(probabilities: p, labels: [0, 1, 2, 2], positiveLabel: 2, loss: 0)
        // Recalls 1, 1, 1/2; areas 1, 1, 1.
        #expect(abs(metrics.balancedAccuracy! - 2.5 / 3) < 1e-15 && metrics.auroc == 1)
        let one = try ClassificationMetrics(probabilities: [[0.6, 0.4]], labels: [0], positiveLabel: 1, loss: 0)
        #expect(one.auroc == nil && one.sensitivity == nil && one.specificity == 1 && one.balancedAccuracy == nil)
    }

    @Test func aSideWithoutOneClassHasNoBalancedAccuracy() throws {
        let p: [[Float]] = (0..<12).map { [0.3, 0.7 + Float($0) / 100] }
        let all = try MetricInterval.all(
            probabilities: p, labels: [Int](repeating: 1, count: 12), positiveLabel: 1, patients: (0..<12).map(String.init), seed: 1,
            resamples: 500)
        #expect(all.map(\.name) == ["accuracy", "sensitivity"])
        for i in all { #expect(i.lower.isFinite && i.upper.isFinite, "\(i)") }
    }

    @Test func aConstantClassifierIsCalledOne() throws {
        let labels = (0..<20).map { $0 % 2 }
        let p = [[Float]](repeating: [0.9, 0.1], count: 20)
        let metrics = try ClassificationMetrics(probabilities: p, labels: labels, positiveLabel: 1, loss: 0)
        #expect(metrics.onlyPrediction == 0 && metrics.balancedAccuracy == 0.5 && metrics.auroc == 0.5)
        let all = try MetricInterval.all(
            probabilities: p, labels: labels, positiveLabel: 1, patients: (0..<20).map(String.init), seed: 1, resamples: 500)
        // Whichever patients are drawn, half is right of each class: an interval of no width would pass for certainty.
        for name in ["balanced accuracy", "AUROC"] {
            let words = all.first { $0.name == name }?.words { "\($0)" }
            #expect(words?.hasPrefix("no interval") == true, "\(name): \(words ?? "missing")")
        }
        let mixed = try ClassificationMetrics(probabilities: [[0.9, 0.1], [0.1, 0.9]], labels: [0, 1], positiveLabel: 1, loss: 0)
        #expect(mixed.onlyPrediction == nil)
    }

    @Test func intervalsContainTheirValues() throws {
        let labels = (0..<60).map { $0 % 2 }
        let p: [[Float]] = labels.enumerated().map { i, y in
            let score = Float(y) * 0.4 + Float(i * 7 % 11) / 20
            return [1 - score, score]
        }
        let all = try MetricInterval.all(
            probabilities: p, labels: labels, positiveLabel: 1, patients: (0..<60).map { "\($0 / 3)" }, seed: 1, resamples: 2000)
        #expect(all.map(\.name) == ["accuracy", "balanced accuracy", "sensitivity", "specificity", "AUROC"])
        for i in all { #expect(i.lower <= i.value && i.value <= i.upper && i.lower < i.upper && i.lower >= 0 && i.upper <= 1, "\(i)") }
    }
}
