import Testing
import VitrineImage

/// Patches left out of a picture.
@Suite struct HidingTests {
    private static func map(_ values: [Float], rows: Int, columns: Int) -> HeatMap {
        HeatMap(rows: rows, columns: columns, values: values, height: 8, width: 8, display: .relevance)
    }

    /// By hand: without 9, the median of 1, 2, 4 is 2.
    @Test func hiddenPatchesTakeTheMedianOfTheOthers() {
        let map = Self.map([1, 9, 2, 4], rows: 2, columns: 2)
        #expect(map.hiding([1], rows: 2, columns: 2)?.values == [1, 2, 2, 4])
        #expect(map.hiding([], rows: 2, columns: 2) == map)
        // An even number of others, and values that are none.
        #expect(map.hiding([1, 3], rows: 2, columns: 2)?.values == [1, 1.5, 2, 1.5])
        #expect(Self.map([1, .nan, 3, 9], rows: 2, columns: 2).hiding([3], rows: 2, columns: 2)?.values[3] == 2)
    }

    /// Pixels of a patch are hidden with it; cells that are no parts of patches cannot be.
    @Test func finerCellsGoWithTheirPatch() throws {
        let fine = Self.map((0..<16).map { Float($0) }, rows: 4, columns: 4)
        let hidden = try #require(fine.hiding([3], rows: 2, columns: 2))
        let changed = hidden.values.indices.filter { hidden.values[$0] != fine.values[$0] }
        #expect(changed == [10, 11, 14, 15])
        #expect(fine.hiding([0], rows: 3, columns: 3) == nil)
        #expect(fine.hiding([0, 1, 2, 3], rows: 2, columns: 2) == nil)
    }
}
