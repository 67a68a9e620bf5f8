import VitrineImage

/// An image of a study as a network saw it.
public struct StudyPicture: Sendable {
    /// After the preprocessing of the model, in the network's size.
    public var image: Image
    /// The expert's mask in the same view; nil for an image that was only classified.
    public var mask: Mask?

    public init(image: Image, mask: Mask?) {
        self.image = image
        self.mask = mask
    }

    /// Why there is no picture.
    public enum Absence: Error, Equatable, CustomStringConvertible {
        /// The data set holds masks alone.
        case noImages(String)
        /// The data set cannot be opened any more.
        case datasetGone(String, reason: String)
        /// The file is another one than when the study ran, by its SHA-256.
        case changed(path: String)
        case unreadable(reason: String)

        public var description: String {
            switch self {
            case .noImages(let name): "data set '\(name)' holds masks alone"
            case .datasetGone(let name, let reason): "data set '\(name)' cannot be opened: \(reason)"
            case .changed(let path): "\(path) has changed since the study ran; restore it to see it here"
            case .unreadable(let reason): reason
            }
        }
    }
}

/// Whoever can show the images behind a store, and what a model attends to in them: a report needs no more of a study than this.
public protocol StudyPictureSource: Sendable {
    /// What a model saw; under the pseudo-model `none`, what the controls saw.
    func picture(model: Int, sample: Int) throws(StudyPicture.Absence) -> StudyPicture
    /// The attention of every head of the last block to the patches, by image, head by head; empty where it cannot be had.
    func headAttention(model: Int, samples: [Int]) throws(StoreError) -> [Int: [HeatMap]]
    /// What one map costs under a model, by method; those are missing of which it cannot be told.
    func passes(model: Int) throws(StoreError) -> [Int: NetworkPasses]
}

/// Passes through a network for one map of a method that is asked alone.
public struct NetworkPasses: Sendable, Equatable {
    /// Shortened ones count by their share of the tokens.
    public var forward: Double
    public var backward: Double

    public init(forward: Double, backward: Double) { (self.forward, self.backward) = (forward, backward) }
}
