/// An image of a study.
public struct SampleRecord: Sendable, Equatable {
    /// What a study does with an image.
    public enum Role: String, Sendable {
        /// Explained and scored against its mask.
        case score
        /// Only classified: a negative, or an image without a mask.
        case predict
    }

    /// Place in the plan, over all data sets, from 0; the file has ids of its own, which stay when a study grows.
    public var id: Int
    public var datasetID: Int
    /// The path below the data set's folder.
    public var name: String
    public var role: Role
    public var label: Int?
    /// Nil where the data set does not tell; the image is then its own cluster.
    public var patient: String?
    public var split: String?
    public var imagePath: String
    /// Where the annotation is a single mask file.
    public var maskPath: String?

    package init(
        id: Int, datasetID: Int, name: String, role: Role, label: Int? = nil, patient: String? = nil, split: String? = nil,
        imagePath: String, maskPath: String? = nil
    ) {
        self.id = id
        self.datasetID = datasetID
        self.name = name
        self.role = role
        self.label = label
        self.patient = patient
        self.split = split
        self.imagePath = imagePath
        self.maskPath = maskPath
    }
}
