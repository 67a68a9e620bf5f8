import ReferenceViT
import Testing

@testable import VitrineModel
@testable import VitrineTensor

@Suite("Memory, estimated before the work")
struct MemoryEstimateTests {
    private static func configuration(patch: Int, width: Int = 64, depth: Int, heads: Int) -> ViTConfiguration {
        ViTConfiguration(
            patchSize: patch, width: width, depth: depth, heads: heads, hidden: 4 * width, classes: 2,
            positionGrid: PatchGrid(rows: 4, columns: 4))
    }

    @Test("1600 x 1600 with patch 8: 12.8 GB of attention, more than 6 GB, in one line (case 19)")
    func tooManyPatches() throws {
        let c = Self.configuration(patch: 8, depth: 2, heads: 2)
        let tokens = 40_001.0
        // Attention alone, by hand; the rows beside it are 0.2 GB.
        #expect(c.memory(of: PatchGrid(rows: 200, columns: 200)) >= 4 * 2 * tokens * tokens)
        #expect(c.memory(of: PatchGrid(rows: 200, columns: 200)) < 1.1 * 4 * 2 * tokens * tokens)
        let model = RandomModel("large", seed: 1, c).model
        let shortage = #expect(throws: MemoryShortage.self) { try model.checkMemory(height: 1600, width: 1600, limit: 6_144_000_000) }
        #expect(
            shortage?.description
                == "its 200 x 200 patches need 12.9 GB of memory for attention, more than the 6.1 GB there are; make the image smaller, such as "
                + "with preprocessing resize:224")
        #expect(throws: Never.self) { try model.checkMemory(height: 1600, width: 1600, limit: 16_000_000_000) }
        #expect(throws: Never.self) { try model.checkMemory(height: 1600, width: 1600, limit: nil) }
        // A size that is no multiple of the patch is the network's to refuse, with its own words.
        #expect(throws: Never.self) { try model.checkMemory(height: 1601, width: 1600, limit: 1) }
    }

    @Test("what methods keep counts: batches, blocks, a gradient")
    func blocks() {
        let c = Self.configuration(patch: 16, depth: 12, heads: 12)
        let grid = PatchGrid(rows: 100, columns: 100)
        #expect(c.memory(of: grid, batch: 10) == 10 * c.memory(of: grid))
        #expect(c.memory(of: grid, blocks: 12) == 12 * c.memory(of: grid))
        var request = TraceRequest()
        #expect(request.blocksHeld(depth: 12) == 1)
        request.forward = [.attention(11)]
        #expect(request.blocksHeld(depth: 12) == 1)
        request.forward = Set((0..<12).map { .attention($0) })
        #expect(request.blocksHeld(depth: 12) == 12)
        // A gradient at the tenth block keeps it and all above it.
        #expect(TraceRequest(gradient: [.norm1(9)]).blocksHeld(depth: 12) == 3)
        // Sizes whose bytes no machine has do not overflow.
        #expect(c.memory(of: PatchGrid(rows: 1 << 30, columns: 1 << 30)).isFinite)
    }

    @Test("the estimate is never above what a pass really takes: no image is refused that would fit")
    func lowerBound() throws {
        let model = RandomModel("small", seed: 1, Self.configuration(patch: 8, width: 24, depth: 3, heads: 3)).model
        for (side, requested) in [(64, Set([2])), (128, Set(0..<3)), (200, Set([0]))] {
            let request = TraceRequest(forward: Set(requested.map { .attention($0) }))
            let workspace = Workspace()
            _ = try model.trace(Tensor([1, 3, side, side]), targets: [], request: request, workspace: workspace)
            let estimate = model.configuration.memory(
                of: PatchGrid(rows: side / 8, columns: side / 8), blocks: request.blocksHeld(depth: 3))
            #expect(estimate <= 4 * Double(workspace.allocatedCount), "\(side)")
        }
    }

    @Test("the system's limit is that of this machine or less")
    func limit() throws {
        let limit = try #require(MemoryLimit.bytes)
        #expect(limit > 100_000_000)
    }
}
