import Foundation
import Testing
import VitrineModel
import VitrineTensor

/// Where `Scripts/fixtures/zoo.py` writes.
let zooFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/zoo")

@Suite struct PositionEmbeddingTests {
    private struct Fixture: Decodable {
        struct Case: Decodable {
            let old: [Int]
            let new: [Int]
            let grid: [Float]
            let modes: [String: [Float]]
        }
        let cases: [Case]
    }

    /// Grows, shrinks, turns non-square grids; one row, one patch; against `torch.nn.functional.interpolate`.
    @Test(arguments: ViTConfiguration.PositionResampling.allCases)
    func equalsPyTorch(mode: ViTConfiguration.PositionResampling) throws {
        let data = try Data(contentsOf: zooFolder.appending(path: "positions.json"))
        let fixture = try JSONDecoder().decode(Fixture.self, from: data)
        var compared = 0
        for item in fixture.cases {
            guard let expected = item.modes[mode.rawValue] else { continue }
            let (old, new) = (PatchGrid(rows: item.old[0], columns: item.old[1]), PatchGrid(rows: item.new[0], columns: item.new[1]))
            let result = resamplePositionEmbedding(
                Tensor([old.count, item.grid.count / old.count], item.grid), from: old, to: new, mode: mode
            ).values
            try #require(result.count == expected.count)
            let difference = zip(result, expected).map { abs($0 - $1) }.max()!
            // Float32 sums of 16 taps in another order; positions are the same Float32 numbers.
            #expect(difference <= 1e-5, "\(old) to \(new), \(mode): \(difference)")
            compared += 1
        }
        #expect(compared >= 8)
    }

    /// A constant embedding stays constant, because the weights of a position sum to 1.
    @Test(arguments: ViTConfiguration.PositionResampling.allCases)
    func keepsConstants(mode: ViTConfiguration.PositionResampling) {
        let (old, new) = (PatchGrid(rows: 6, columns: 3), PatchGrid(rows: 2, columns: 11))
        let result = resamplePositionEmbedding(Tensor([18, 2], Array(repeating: Float(0.75), count: 36)), from: old, to: new, mode: mode)
        #expect(result.shape == [22, 2])
        #expect(result.values.allSatisfy { abs($0 - 0.75) <= 1e-6 })
    }

    @Test func equalGridIsUntouched() {
        let grid = Tensor([6, 2], (0..<12).map(Float.init))
        let same = PatchGrid(rows: 2, columns: 3)
        for mode in ViTConfiguration.PositionResampling.allCases {
            #expect(resamplePositionEmbedding(grid, from: same, to: same, mode: mode).values == grid.values)
        }
    }
}
