/// A model of one data set, or the pseudo-model `none` under which the controls of the data set stand.
public struct ModelRecord: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// No model: controls.
        case none
        case checkpoint
        /// The architecture of a checkpoint with random weights: a control too.
        case randomWeights = "random-weights"
        /// Fine-tuned by the study itself.
        case trained
    }

    /// Place in the plan, over all data sets, from 0; the file has ids of its own, which stay when a study grows.
    public var id: Int
    public var datasetID: Int
    /// The column of the tables: `dino`, `random-weights`.
    public var name: String
    public var kind: Kind
    /// The checkpoint; empty for `none`.
    public var path: String

    package init(
        id: Int, datasetID: Int, name: String, kind: Kind, path: String
    ) {
        self.id = id
        self.datasetID = datasetID
        self.name = name
        self.kind = kind
        self.path = path
    }
}
