import GRDB

extension StoreChange {
    /// Forgets the mean of a data set's masks, and every score that compares with it: they are missing, and are made again.
    ///
    /// - Parameter dataset: SQL of the data set's id, with `arguments`.
    func forgetPrior(ofDataset dataset: String, _ arguments: StatementArguments) throws {
        try delete(StoreSchema.maskPrior, where: "dataset_id = \(dataset)", arguments)
        try delete(
            StoreSchema.score,
            where: """
                metric_id IN (SELECT id FROM metric WHERE name = '\(MetricRecord.shuffled)' OR name LIKE '\(MetricRecord.shuffled):%')
                    AND sample_id IN (SELECT id FROM sample WHERE dataset_id = \(dataset))
                """, arguments)
    }
}

extension MetricRecord {
    /// The metric that compares with the masks of other images.
    static let shuffled = "shuffled-auroc"
}
