import Foundation
import Testing
import VitrineImage

@Suite struct PlacedMapTests {
    private let map = HeatMap(rows: 2, columns: 3, values: [-2, 0, 3, 1, 2, -1], height: 20, width: 30, display: .relevance)

    /// On the network's own view nothing is resampled: the picture of an overlay is what it was.
    @Test(arguments: [DisplayRule.attention, .relevance, .gradCAM]) func onTheViewItselfValuesStay(_ display: DisplayRule) {
        var map = map
        map.display = display
        let placed = PlacedMap(map)
        let same = PlacedMap(map, width: 30, height: 20) { ($0, $1) }
        let shown = map.displayed()
        let (low, high) = (shown.min()!, shown.max()!)
        #expect(placed.values == shown.map { ($0 - low) / (high - low) })
        #expect(zip(placed.values, same.values).allSatisfy { abs($0 - $1) <= 1e-6 }, "interpolation at the pixels' own centres")
        #expect(placed.border == nil && placed.emptiness == nil)
    }

    /// Twice the size and a margin of ten pixels around the view: blocks stay blocks, the margin has no value.
    @Test func blocksAndMargins() throws {
        var map = map
        map.display = .attention
        let placed = PlacedMap(map, width: 80, height: 60) { (($0 - 10) / 2, ($1 - 10) / 2) }
        for (x, y, value) in [
            (10, 10, -2), (29, 29, -2), (30, 10, 0), (69, 49, -1), (50, 30, -1), (9, 10, nil), (10, 50, nil), (70, 20, nil),
        ] as [(Int, Int, Float?)] {
            let found = placed.values[y * 80 + x]
            #expect(value.map { found == ($0 + 2) / 5 } ?? found.isNaN, "\(x) \(y): \(found)")
        }
        #expect(try #require(placed.border).boundingRectangle == PixelRectangle(top: 10, left: 10, width: 60, height: 40))
        let image = Image(width: 80, height: 60, channels: 1)
        let picture = Overlay(showsColorBar: false).picture(of: placed, over: image)
        #expect(Array(picture.pixels[0..<30]) == [UInt8](repeating: 0, count: 30), "outside the view the image is untouched")
    }

    /// Clear where the map is lowest, `alpha` where it is highest.
    @Test func strengthFollowsTheValue() {
        let overlay = Overlay(colorMap: .jet, alpha: 0.5, style: .value)
        let image = Image(width: 3, height: 1, channels: 1, pixels: [100, 100, 100])
        let pixels = overlay.blended([0, 1, .nan], over: image).pixels
        let high = ColorMap.jet.table[255]
        #expect(Array(pixels[0..<3]) == [100, 100, 100] && Array(pixels[6..<9]) == [100, 100, 100])
        #expect(pixels[3] == UInt8((50 + 0.5 * Double(high.red)).rounded()) && pixels[4] == 50 && pixels[5] == 50)
    }

    @Test func contoursLeaveTheImageBetweenThem() {
        let overlay = Overlay(style: .contour)
        let image = Image(width: 40, height: 40, channels: 1, pixels: [UInt8](repeating: 7, count: 1600))
        let values = (0..<1600).map { Float($0 % 40) / 39 }
        let picture = overlay.blended(values, over: image)
        let row = (0..<40).map { Array(picture.pixels[3 * (20 * 40 + $0)..<3 * (20 * 40 + $0) + 3]) != [7, 7, 7] }
        // The first column at or above a quarter, a half and three quarters of 39.
        #expect(row.indices.filter { row[$0] } == [10, 20, 30])
    }

    @Test func titlesAreBrokenToTheWidth() {
        let image = Image(width: 60, height: 10, channels: 1)
        let one = Overlay.titled(image, lines: ["short"])
        let two = Overlay.titled(image, lines: ["a longer title of words"])
        #expect(one.width == 60 && two.width == 60 && one.height > 10 && two.height > one.height)
        #expect(Overlay.titled(image, lines: []) == image)
    }
}
