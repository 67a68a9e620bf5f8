extension StudyFile {
    /// The file with the draws of a store's study kept: where that one limits a data set and does not say how, it took the first images.
    ///
    /// A study that was begun before there was a choice goes on with its own images, and not with a mixture.
    ///
    /// - Parameter stored: the resolved study that the store holds.
    func keepingDraws(of stored: StudyFile) -> StudyFile {
        var file = self
        for i in file.datasets.indices where file.datasets[i].limitRule == nil {
            guard let then = stored.datasets.first(where: { $0.name == file.datasets[i].name }), then.limit != nil else { continue }
            file.datasets[i].limitRule = then.limitRule ?? .order
        }
        return file
    }
}
