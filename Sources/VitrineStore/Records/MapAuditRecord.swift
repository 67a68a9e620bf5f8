import VitrineImage

/// What is wrong with a map, if anything: `HeatMapAudit` as stored.
public struct MapAuditRecord: Sendable, Equatable {
    public var nanCount: Int
    public var infiniteCount: Int
    public var isConstant: Bool
    /// Constant once displayed.
    public var isBlank: Bool
    public var minimum: Float?
    public var maximum: Float?

    public init(_ audit: HeatMapAudit) {
        self.init(
            nanCount: audit.nanCount, infiniteCount: audit.infiniteCount, isConstant: audit.isConstant, isBlank: audit.isBlankWhenDisplayed,
            minimum: audit.minimum, maximum: audit.maximum)
    }

    public init(nanCount: Int, infiniteCount: Int, isConstant: Bool, isBlank: Bool, minimum: Float?, maximum: Float?) {
        self.nanCount = nanCount
        self.infiniteCount = infiniteCount
        self.isConstant = isConstant
        self.isBlank = isBlank
        self.minimum = minimum
        self.maximum = maximum
    }
}
