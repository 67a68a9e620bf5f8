import VitrineModel
import VitrineTensor

extension ExplanationPlan {
    /// Refuses an image before the work, where explaining it would need more memory than there is.
    ///
    /// - Parameters:
    ///   - image: the shape of the network's input, `[channels, height, width]`.
    ///   - batch: images that go through the network together.
    /// - Throws: `MemoryShortage`.
    public func checkMemory(of image: Shape, batch: Int = 1) throws(MemoryShortage) {
        let blocks = own.blocksHeld(depth: model.configuration.depth)
        try model.checkMemory(height: image[1], width: image[2], batch: batch, blocks: blocks)
    }
}
