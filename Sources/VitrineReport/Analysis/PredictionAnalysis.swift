import VitrineEvaluate
import VitrineStore

/// How well a model decides what it is asked to explain, over all images of the data set with a label.
public struct PredictionAnalysis: Sendable, Equatable {
    public var modelID: Int
    public var images: Int
    public var positives: Int
    public var patients: Int
    /// Share of right answers, any number of classes.
    public var accuracy: Double
    public var accuracyInterval: Interval
    /// Of the positive class against all others; nil where a class is missing.
    public var sensitivity: Double?
    public var sensitivityInterval: Interval?
    public var specificity: Double?
    public var specificityInterval: Interval?
    public var area: Double?
    public var areaInterval: Interval?
    /// Mean squared error of the positive class's probability.
    public var brier: Double
    /// Confidence of the predicted class against its accuracy.
    public var calibration: Calibration

    public var balancedAccuracy: Double? {
        guard let sensitivity, let specificity else { return nil }
        return (sensitivity + specificity) / 2
    }

    /// Nil without labels, predictions or a positive class among the logits.
    init?(_ model: ModelRecord, store: Store, context: DatasetContext) throws {
        guard let positive = context.dataset.positiveLabel else { return nil }
        var (positions, labels, predicted, probabilities, confidences): ([Int], [Int], [Int], [Double], [Double]) = ([], [], [], [], [])
        for record in try store.predictions(model: model.id) where positive < record.probabilities.count {
            guard let position = context.positions[record.sampleID], let label = context.samples[position].label,
                record.probabilities.allSatisfy(\.isFinite)
            else { continue }
            positions.append(position)
            labels.append(label)
            predicted.append(record.predicted)
            probabilities.append(Double(record.probabilities[positive]))
            confidences.append(Double(record.probabilities[record.predicted]))
        }
        guard !positions.isEmpty else { return nil }
        modelID = model.id
        images = positions.count
        let isPositive = labels.map { $0 == positive }
        positives = isPositive.count { $0 }
        let (clusters, resamples) = try context.clusters(of: positions)
        patients = clusters.count
        let correct = zip(labels, predicted).map { $0 == $1 }
        func share(_ events: [Bool], among members: [Bool]) throws -> (Double, Interval)? {
            guard members.contains(true) else { return nil }
            let ratio = try ClusterRatio.share(of: events, among: members, clusters: clusters)
            return (ratio.value, try resamples.interval(of: ratio))
        }
        let all = [Bool](repeating: true, count: images)
        let accuracy = try share(correct, among: all)!
        (self.accuracy, accuracyInterval) = accuracy
        let says = predicted.map { $0 == positive }
        if let value = try share(says, among: isPositive) { (sensitivity, sensitivityInterval) = value }
        if let value = try share(says.map { !$0 }, among: isPositive.map { !$0 }) { (specificity, specificityInterval) = value }
        if positives > 0, positives < images {
            area = try ROCArea(scores: probabilities, labels: isPositive).value
            areaInterval =
                clusters.count == images
                ? try ROCArea(scores: probabilities, labels: isPositive).interval()
                : try ROCArea.bootstrapInterval(scores: probabilities, labels: isPositive, clusters: clusters, resamples: resamples)
        }
        brier = try BrierScore.binary(probabilities: probabilities, labels: isPositive)
        calibration = try Calibration(confidences: confidences, correct: correct, bins: 10)
    }
}
