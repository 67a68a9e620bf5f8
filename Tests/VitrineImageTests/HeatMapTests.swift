import Foundation
import Testing
import VitrineImage

@Suite struct HeatMapTests {
    private func map(_ c: ImageFixtures.Display, _ rule: DisplayRule) -> HeatMap {
        HeatMap(rows: c.rows, columns: c.columns, values: c.values, height: c.height, width: c.width, display: rule)
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
    }

    // Values of order 1 in Float32: torch orders its sums in its own way, hence a few ulp.
    private let tolerance: Float = 1e-6

    @Test(arguments: 0..<ImageFixtures.expected.display.count)
    func upsamplingMatchesTorch(index: Int) {
        let c = ImageFixtures.expected.display[index]
        for (rule, expected) in [(DisplayRule.Upsampling.nearest, c.nearest), (.bilinear, c.bilinear), (.bicubic, c.bicubic)] {
            let shown = map(c, DisplayRule(upsampling: rule, normalisation: .none)).displayed()
            #expect(difference(shown, expected) <= tolerance, "\(rule) \(c.rows)x\(c.columns)")
        }
        #expect(difference(map(c, .relevance).displayed(), c.relevance) <= tolerance)
    }

    @Test(arguments: 0..<ImageFixtures.expected.display.count)
    func gradCAMRuleMatchesOpenCV(index: Int) {
        let c = ImageFixtures.expected.display[index]
        #expect(difference(map(c, .gradCAM).displayed(), c.gradCAM) <= tolerance)
    }

    @Test func minMaxByHand() {
        let map = HeatMap(rows: 1, columns: 3, values: [-1, 0, 3], height: 2, width: 3, display: .attention)
        #expect(map.displayed() == [0, 0.25, 1, 0, 0.25, 1])
        #expect(map.audit.isSound)
        #expect(map.audit.minimum == -1 && map.audit.maximum == 3)
    }

    @Test(arguments: [DisplayRule.attention, .relevance, .gradCAM])
    func constantMapIsFlaggedAndShownAsZeros(rule: DisplayRule) {
        let map = HeatMap(rows: 2, columns: 2, values: [3, 3, 3, 3], height: 4, width: 4, display: rule)
        #expect(map.audit.isConstant && !map.audit.isSound)
        #expect(map.displayed() == [Float](repeating: 0, count: 16))
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func nonFiniteMapIsFlaggedAndShownAsZeros(value: Float) {
        let map = HeatMap(rows: 2, columns: 2, values: [1, value, 2, 3], height: 4, width: 4, display: .relevance)
        #expect(map.audit.nanCount == (value.isNaN ? 1 : 0))
        #expect(map.audit.infiniteCount == (value.isNaN ? 0 : 1))
        #expect(!map.audit.isSound && !map.audit.isConstant)
        #expect(map.audit.minimum == 1 && map.audit.maximum == 3)
        #expect(map.displayed() == [Float](repeating: 0, count: 16))
    }

    @Test func negativeMapIsBlankUnderReLU() {
        let map = HeatMap(rows: 1, columns: 2, values: [-1, -2], height: 1, width: 2, display: .gradCAM)
        #expect(!map.audit.isConstant && map.audit.isBlankWhenDisplayed && !map.audit.isSound)
        #expect(map.displayed() == [0, 0])
    }

    @Test func hugeRangeIsShownAsZerosNotAsNaN() {
        let most = Float.greatestFiniteMagnitude
        let map = HeatMap(rows: 1, columns: 2, values: [-most, most], height: 1, width: 2, display: .attention)
        #expect(map.displayed().allSatisfy { $0.isFinite })
    }
}
