import VitrineTensor

/// An image that needs more memory than there is.
public struct MemoryShortage: Error, CustomStringConvertible, Equatable, Sendable {
    /// The image's patches.
    public let grid: PatchGrid
    /// Bytes.
    public let needed: Double
    public let available: Int

    public var description: String {
        "its \(grid.rows) x \(grid.columns) patches need \(Self.gigabytes(needed)) GB of memory for attention, "
            + "more than the \(Self.gigabytes(Double(available))) GB there are; make the image smaller, such as with preprocessing resize:224"
    }

    private static func gigabytes(_ bytes: Double) -> String {
        let tenths = (bytes / 1e8).rounded()
        return tenths < 1e6 ? "\(tenths / 10)" : "more than 100000"
    }
}

extension ViTConfiguration {
    /// Bytes that the passes over a batch hold at once, at least.
    ///
    /// Attention is heads x tokens^2 for each block that is held; beside it stand some rows of the width for each token. What is held is
    /// `blocks`; a forward pass alone holds one block at a time.
    ///
    /// - Parameters:
    ///   - grid: the image's patches.
    ///   - batch: images that go through the network together.
    ///   - blocks: blocks whose attention is held at once, 1 or more.
    public func memory(of grid: PatchGrid, batch: Int = 1, blocks: Int = 1) -> Double {
        let tokens = Double(prefixTokens) + Double(grid.rows) * Double(grid.columns)
        let attention = Double(heads) * tokens * tokens
        // Input, norm, queries, keys and values, context, both branches and the MLP's first map.
        let rows = tokens * Double(10 * width + firstHidden)
        return 4 * Double(batch) * Double(max(1, blocks)) * (attention + rows)
    }
}

extension TraceRequest {
    /// Blocks whose attention is held at once while this is computed, at least.
    public func blocksHeld(depth: Int) -> Int {
        let first = firstKeptBlock(depth: depth)
        let read = Set(forward.map(\.stateBlock))
        let held = (0..<depth).count { $0 >= first || read.contains($0) }
        // A pass in Float64 comes afterwards; the block that it is at takes the room of two.
        let isPrecise = !backward(.double).isEmpty
        return max(1, held, isPrecise ? depth - firstKeptBlock(depth: depth, .double) + 2 : 0)
    }
}

extension VisionTransformer {
    /// Refuses an image before the work, where its passes would need more memory than there is.
    ///
    /// - Parameters:
    ///   - height: of the network's input in pixels; a size that the network refuses anyway passes.
    ///   - limit: bytes; nil asks the system.
    /// - Throws: `MemoryShortage`.
    public func checkMemory(
        height: Int, width: Int, batch: Int = 1, blocks: Int = 1, limit: Int? = MemoryLimit.bytes
    ) throws(MemoryShortage) {
        guard let limit, let grid = try? configuration.grid(height: height, width: width) else { return }
        let needed = configuration.memory(of: grid, batch: batch, blocks: blocks)
        if needed > Double(limit) { throw MemoryShortage(grid: grid, needed: needed, available: limit) }
    }
}
