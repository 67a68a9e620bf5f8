/// What is known of a map without its values.
public struct MapRecord: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var sampleID: Int
    public var audit: MapAuditRecord
    /// Whether the values are stored; maps of controls are not, since they can be made again.
    public var hasValues: Bool

    package init(
        modelID: Int, methodID: Int, sampleID: Int, audit: MapAuditRecord, hasValues: Bool
    ) {
        self.modelID = modelID
        self.methodID = methodID
        self.sampleID = sampleID
        self.audit = audit
        self.hasValues = hasValues
    }
}
