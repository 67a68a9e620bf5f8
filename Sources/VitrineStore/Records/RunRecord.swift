/// One invocation of the runner; no part of the content.
public struct RunRecord: Sendable, Equatable {
    public var id: Int
    /// ISO 8601, UTC.
    public var started: String
    /// Nil when it was killed.
    public var ended: String?
    /// `1/4`.
    public var shard: String
    public var workers: Int
    /// Largest resident memory in bytes.
    public var peakMemory: Int?
    /// Where the study file lay, as seen from the store's folder; nil where nobody noted it.
    public var studyFolder: String?

    package init(
        id: Int, started: String, ended: String? = nil, shard: String, workers: Int, peakMemory: Int? = nil, studyFolder: String? = nil
    ) {
        self.id = id
        self.started = started
        self.ended = ended
        self.shard = shard
        self.workers = workers
        self.peakMemory = peakMemory
        self.studyFolder = studyFolder
    }
}
