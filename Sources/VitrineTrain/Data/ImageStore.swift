import Synchronization
import VitrineData
import VitrineImage
import VitrineTensor

/// Reads images as the network sees them, before normalisation, and keeps them in memory as far as a limit allows.
public final class ImageStore: Sendable {
    public let preprocess: Preprocess
    /// Side of every image.
    public let size: Int
    private let limit: Int
    private let read: @Sendable (Sample) throws -> Image
    private let kept = Mutex<(images: [String: Image], bytes: Int)>(([:], 0))

    /// - Parameters:
    ///   - memory: bytes of prepared images to keep; the first that come stay.
    ///   - read: where images come from; their files, unless they are drawn when they are needed.
    /// - Throws: `TrainingError.noImageSize` for a preprocessing whose result depends on the image.
    public init(
        preprocess: Preprocess, memory: Int = 1 << 30,
        read: @escaping @Sendable (Sample) throws -> Image = { try Image(contentsOf: $0.imagePath) }
    ) throws(TrainingError) {
        guard let size = preprocess.size else { throw .noImageSize(preprocess: preprocess.description) }
        self.preprocess = preprocess
        self.size = size
        limit = memory
        self.read = read
    }

    public func prepared(_ sample: Sample) throws -> Image {
        if let image = kept.withLock({ $0.images[sample.imagePath] }) { return image }
        let image = try preprocess.prepared(read(sample))
        kept.withLock { kept in
            if kept.bytes + image.pixels.count <= limit && kept.images.updateValue(image, forKey: sample.imagePath) == nil {
                kept.bytes += image.pixels.count
            }
        }
        return image
    }

    /// A batch `[samples, 3, size, size]`, changed at random where `changes` are given.
    func tensor(_ samples: ArraySlice<Sample>, changes: TrainingChanges?, workspace: Workspace) throws -> Tensor {
        var batch = workspace.tensor([samples.count, 3, size, size])
        for (b, sample) in samples.enumerated() {
            var image = try prepared(sample)
            if let changes { image = changes.changed(image, of: sample) }
            var tensor = preprocess.tensor(fromPrepared: image)
            changes?.deleteCell(&tensor, of: sample)
            batch.replace(from: b * 3 * size * size, with: tensor)
        }
        return batch
    }
}
