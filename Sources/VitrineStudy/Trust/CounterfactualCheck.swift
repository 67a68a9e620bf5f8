import Synchronization
import VitrineData
import VitrineEvaluate
import VitrineImage
import VitrineTensor

/// Whether a network uses the planted cause and nothing else, found by drawing the same picture without it.
///
/// A network has proved what it uses if leaving out the cause changes its prediction on at least 95 % of the positive images, leaving out
/// anything else on at most 5 %, and its balanced accuracy is 0.90 or more. Only phantoms can be asked so: of a real lesion there is no
/// second picture in which nothing but the lesion is missing.
public struct CounterfactualCheck: Sendable, Equatable, Codable {
    /// One thing left out.
    public struct Row: Sendable, Equatable, Codable {
        /// The parts left out, joined by `+`.
        public var removed: String
        /// Whether the picture without them is to be called otherwise.
        public var isCause: Bool
        /// Positive images that show these parts.
        public var images: Int
        /// Of these, images whose prediction changed.
        public var flips: Int

        /// Wilson's, of the share.
        public var interval: Interval? {
            try? ProportionInterval.wilson(successes: flips, trials: images)
        }
        public var share: Double { Double(flips) / Double(max(images, 1)) }
        public var passes: Bool { isCause ? share >= CounterfactualCheck.leastFlips : share <= CounterfactualCheck.mostFlips }
    }

    /// Causes first.
    public var rows: [Row]
    /// Mean recall of the classes, over images of all of them.
    public var balancedAccuracy: Double
    /// Images behind the accuracy.
    public var images: Int
    /// Of the model.
    public var model: String

    public static let leastFlips = 0.95
    public static let mostFlips = 0.05
    public static let leastAccuracy = 0.90

    /// Whether the network provably uses the planted cause.
    public var passes: Bool {
        balancedAccuracy >= Self.leastAccuracy && rows.contains(where: \.isCause) && rows.allSatisfy(\.passes)
    }

    /// What is not as it has to be, in words; empty for a network that passes.
    public var faults: [String] {
        var faults = rows.filter { !$0.passes }.map { row in
            "without \(row.removed) the prediction changes on \(row.flips) of \(row.images)"
                + (row.isCause ? ", and should on 95 %" : ", and should on 5 % at most")
        }
        if balancedAccuracy < Self.leastAccuracy { faults.append("balanced accuracy \(Self.number(balancedAccuracy)), below 0.90") }
        if !rows.contains(where: \.isCause) { faults.append("no image shows the cause") }
        return faults
    }

    static func number(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }

    /// Asks a classifier about phantoms and their counterfactuals.
    ///
    /// - Parameters:
    ///   - pairs: how many positive images, and as many others.
    ///   - classify: the predicted class of each image, in order; called from several threads, each with its own number.
    init(
        _ task: TrustTask, _ set: PhantomSet, pairs: Int, model: String, workers: Int,
        classify: @Sendable (_ worker: Int, _ images: [Image]) throws -> [Int]
    ) throws {
        let indices = (0..<min(2 * pairs, set.count)).map { $0 }
        let found = Mutex<[Int: (label: Int, said: Int, rows: [Row])]>([:])
        try parallelFor(indices.count, workers: workers) { worker, i in
            let index = indices[i]
            let parts = set.parts(of: index)
            guard let label = task.label(parts) else { preconditionFailure("what a set draws has a label") }
            // Negatives show whether the model is right; what could be left out of them makes no positive.
            let removals = label == 0 ? [] : Self.removals(task, parts)
            let images = [set.phantom(at: index).image] + removals.map { set.phantom(at: index, without: $0).image }
            let said = try classify(worker, images)
            let rows = removals.enumerated().map { k, removed in
                Row(
                    removed: removed.ordered.map(\.rawValue).joined(separator: "+"),
                    isCause: task.label(parts.subtracting(removed)) != label, images: 1, flips: said[k + 1] == said[0] ? 0 : 1)
            }
            found.withLock { $0[index] = (label, said[0], rows) }
        }
        let answers = found.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
        var rows: [Row] = []
        for row in answers.flatMap(\.rows) {
            if let place = rows.firstIndex(where: { $0.removed == row.removed && $0.isCause == row.isCause }) {
                rows[place].images += row.images
                rows[place].flips += row.flips
            } else {
                rows.append(row)
            }
        }
        self.rows = rows.sorted { ($0.isCause ? 0 : 1, $0.removed) < ($1.isCause ? 0 : 1, $1.removed) }
        let recalls = task.classNames.indices.compactMap { c -> Double? in
            let own = answers.filter { $0.label == c }
            return own.isEmpty ? nil : Double(own.count { $0.said == c }) / Double(own.count)
        }
        balancedAccuracy = mean(recalls)
        images = answers.count
        self.model = model
    }

    /// Every part alone, and together those that make the label together.
    static func removals(_ task: TrustTask, _ parts: Set<PhantomPart>) -> [Set<PhantomPart>] {
        let single = parts.ordered.map { Set([$0]) }
        return single + task.causes(of: parts).filter { !single.contains($0) }
    }
}
