/// A metric under one protocol.
public struct MetricRecord: Sendable, Equatable {
    public var id: Int
    /// With its options: `iou@5`.
    public var name: String
    /// `study` or `corrected`.
    public var protocolName: String
    public var summary: String
    public var citation: String
    /// Which way it is better: `higher`, `lower` or `none`.
    public var direction = "higher"

    package init(
        id: Int, name: String, protocolName: String, summary: String, citation: String, direction: String = "higher"
    ) {
        self.id = id
        self.name = name
        self.protocolName = protocolName
        self.summary = summary
        self.citation = citation
        self.direction = direction
    }
}
