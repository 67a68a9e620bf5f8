/// Facts that a method noted while making a map.
public struct NoteRecord: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var name: String
    public var sampleID: Int
    public var values: [Double]

    package init(
        modelID: Int, methodID: Int, name: String, sampleID: Int, values: [Double]
    ) {
        self.modelID = modelID
        self.methodID = methodID
        self.name = name
        self.sampleID = sampleID
        self.values = values
    }
}
