import Synchronization
import VitrineStudy

/// Shows how trainings go, one after the other.
final class TrainingNews: Sendable {
    private let isQuiet: Bool
    private let progress = Mutex<Progress?>(nil)

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    @Sendable func show(_ news: StudyTrainingNews) {
        switch news {
        case .began(let dataset, let model, let images):
            if !isQuiet { complain("training \(dataset) / \(model)") }
            progress.withLock { $0 = Progress(total: images, unit: "images", isQuiet: isQuiet) }
        case .advanced(let images): progress.withLock { $0 }?.advance(by: images)
        case .epoch(let record, let epochs): if !isQuiet { complain(Train.line(record, of: epochs)) }
        }
    }
}
