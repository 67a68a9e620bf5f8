import VitrineEvaluate
import VitrineModel

/// How a classifier did on some images.
public struct ClassificationMetrics: Sendable, Equatable, Codable {
    /// Images.
    public var count: Int
    /// Mean loss, with class weights and smoothing as in training.
    public var loss: Double
    public var accuracy: Double
    /// Mean recall of the classes; nil where one of them is missing, since the others alone are another number.
    public var balancedAccuracy: Double?
    /// Area under the ROC curve of the positive class; with more than two classes the mean over classes against the rest. nil where a
    /// class is missing.
    public var auroc: Double?
    /// Recall of the positive class; nil without positives.
    public var sensitivity: Double?
    /// Share of the other images that are not taken for positive; nil without negatives.
    public var specificity: Double?
    /// `[true class][predicted class]`.
    public var confusion: [[Int]]

    /// The class that every image is taken for, where the classifier says the same whatever it sees.
    public var onlyPrediction: Int? {
        let said = confusion.indices.filter { predicted in confusion.contains { $0[predicted] > 0 } }
        return said.count == 1 && confusion.count > 1 ? said[0] : nil
    }

    /// - Parameters:
    ///   - probabilities: one row per image; the predicted class has the largest, the first of equals.
    ///   - loss: computed elsewhere.
    public init(probabilities: [[Float]], labels: [Int], positiveLabel: Int, loss: Double) throws {
        let classes = probabilities.first?.count ?? 0
        let predicted = probabilities.map(predictedClass)
        count = labels.count
        self.loss = loss
        var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
        for (label, prediction) in zip(labels, predicted) { confusion[label][prediction] += 1 }
        let right = (0..<classes).map { confusion[$0][$0] }
        let totals = confusion.map { $0.reduce(0, +) }
        self.confusion = confusion
        accuracy = Double(right.reduce(0, +)) / Double(max(count, 1))
        let recalls = (0..<classes).filter { totals[$0] > 0 }.map { Double(right[$0]) / Double(totals[$0]) }
        if recalls.count == classes, classes > 0 { balancedAccuracy = recalls.reduce(0, +) / Double(classes) }
        let positives = labels.map { $0 == positiveLabel }
        let matrix = try ConfusionMatrix(predictions: predicted.map { $0 == positiveLabel }, labels: positives)
        sensitivity = try matrix.sensitivity()?.value
        specificity = try matrix.specificity()?.value
        let wanted = classes == 2 ? [positiveLabel] : Array(0..<classes)
        if totals.allSatisfy({ $0 > 0 }), probabilities.allSatisfy({ $0.allSatisfy(\.isFinite) }) {
            let areas = try wanted.map { c in
                try ROCArea(scores: probabilities.map { Double($0[c]) }, labels: labels.map { $0 == c }).value
            }
            auroc = areas.reduce(0, +) / Double(max(areas.count, 1))
        }
    }
}

/// The class with the largest probability, the first of equals.
func predictedClass(_ probabilities: [Float]) -> Int {
    var best = 0
    for c in probabilities.indices where probabilities[c] > probabilities[best] { best = c }
    return best
}

/// A metric with its 95 % interval, patients resampled.
public struct MetricInterval: Sendable, Equatable, Codable {
    public let name: String
    public let value: Double
    public let lower: Double
    public let upper: Double
    /// How the bounds were found, as `Interval.Method` names it.
    public let method: String

    /// Such as `95 % interval 0.81 to 0.97 (bca)`, or why there is none.
    public func words(_ number: (Double) -> String) -> String {
        switch method {
        case Interval.Method.undefined.rawValue: "no interval: too few patients have it"
        case Interval.Method.constant.rawValue: "no interval: the same whichever patients are drawn"
        default: "95 % interval \(number(lower)) to \(number(upper)) (\(method))"
        }
    }

    /// Accuracy, balanced accuracy, sensitivity, specificity and AUROC of a test split, by BCa bootstrap over patients (images where
    /// no patient is known). Metrics whose classes are missing are left out; AUROC is given for two classes.
    public static func all(
        probabilities: [[Float]], labels: [Int], positiveLabel: Int, patients: [String], seed: UInt64, resamples count: Int = 10_000
    ) throws -> [MetricInterval] {
        let clusters = Clusters(patients)
        let resamples = try ClusterResamples(clusters: clusters.count, count: count, seed: seed)
        let predicted = probabilities.map(predictedClass)
        let classes = probabilities[0].count
        let right = zip(predicted, labels).map { $0 == $1 }
        var result: [MetricInterval] = []
        func add(_ name: String, _ value: Double, _ interval: Interval) {
            result.append(
                MetricInterval(name: name, value: value, lower: interval.lower, upper: interval.upper, method: interval.method.rawValue))
        }
        func addShare(_ name: String, _ events: [Bool], among members: [Bool]) throws {
            guard members.contains(true) else { return }
            let ratio = try ClusterRatio.share(of: events, among: members, clusters: clusters)
            add(name, ratio.value, try resamples.interval(of: ratio))
        }
        try addShare("accuracy", right, among: [Bool](repeating: true, count: labels.count))
        let present = (0..<classes).filter { labels.contains($0) }
        let hasAll = present.count == classes
        let hits = present.map { c in clusters.sums(zip(right, labels).map { $0 && $1 == c ? 1 : 0 }) }
        let totals = present.map { c in clusters.sums(labels.map { $0 == c ? 1 : 0 }) }
        let balanced: @Sendable ([Int]) -> Double = { weights in
            var sum = 0.0
            for c in hits.indices {
                var (hit, total) = (0.0, 0.0)
                for (k, weight) in weights.enumerated() {
                    hit += Double(weight) * hits[c][k]
                    total += Double(weight) * totals[c][k]
                }
                sum += hit / total
            }
            return sum / Double(hits.count)
        }
        if hasAll { add("balanced accuracy", balanced([Int](repeating: 1, count: clusters.count)), try resamples.interval(balanced)) }
        let positives = labels.map { $0 == positiveLabel }
        let called = predicted.map { $0 == positiveLabel }
        try addShare("sensitivity", called, among: positives)
        try addShare("specificity", called.map { !$0 }, among: positives.map { !$0 })
        if classes == 2, positives.contains(true), positives.contains(false) {
            let scores = probabilities.map { Double($0[positiveLabel]) }
            add(
                "AUROC", try ROCArea(scores: scores, labels: positives).value,
                try ROCArea.bootstrapInterval(scores: scores, labels: positives, clusters: clusters, resamples: resamples))
        }
        return result
    }
}
