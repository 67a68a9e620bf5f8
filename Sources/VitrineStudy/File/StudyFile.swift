import Foundation
import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineModel

/// A study as its author wants it: data sets, models, methods, metrics, and how they are computed.
///
/// `Docs/StudyFile.md` describes every key. Paths are relative to the folder of the study file.
public struct StudyFile: Sendable {
    public var title: String
    /// Of all random draws: permutations behind chance levels, random maps, noise, random weights, drawn splits.
    public var seed: UInt64
    public var target: StudyTarget
    public var datasets: [StudyDataset]
    public var models: [StudyModel]
    public var methods: [StudyMethod]
    /// As `MetricRegistry` reads them.
    public var metrics: [String]
    public var protocols: [EvaluationProtocol]
    /// Behind a chance level without a closed form.
    public var permutations: Int
    /// Noisy copies per image and model behind the stability of maps; 0 leaves stability out.
    public var stabilityDraws: Int
    /// Side of the patch grid of the control `random-patch`.
    public var controlGrid: Int
    /// Images that go through a network together. Results do not depend on it.
    public var batch: Int
    /// Threads; 0 is one per core. Results do not depend on it.
    public var workers: Int
    public var threads: Int { workers > 0 ? workers : ProcessInfo.processInfo.activeProcessorCount }
    /// Folder of the results.
    public var output: String
}

/// Which class is explained.
public enum StudyTarget: Sendable, Equatable, CustomStringConvertible {
    /// The data set's positive class.
    case positive
    /// What the model predicts.
    case predicted
    /// What the image is labelled as; the positive class where it has no label.
    case label
    case index(Int)

    public init?(_ text: String) {
        switch text {
        case "positive": self = .positive
        case "predicted": self = .predicted
        case "label": self = .label
        default:
            guard let index = Int(text), index >= 0 else { return nil }
            self = .index(index)
        }
    }

    public var description: String {
        switch self {
        case .positive: "positive"
        case .predicted: "predicted"
        case .label: "label"
        case .index(let index): "\(index)"
        }
    }
}

/// A data set of a study.
public struct StudyDataset: Sendable {
    /// Which images are explained and scored.
    public enum Explained: String, Sendable, CaseIterable {
        /// Those with a mask, of the positive class where there are labels.
        case positives
        /// All with a mask, an empty one included.
        case annotated
    }

    /// Which images a limit leaves.
    public enum LimitRule: String, Sendable, CaseIterable {
        /// In turns one of each patient: a study says something about patients, and slices of one are alike.
        case patients
        /// The first of the data set's order, as in versions that knew no other rule.
        case order
    }

    /// What happens to images that are not explained.
    public enum Others: String, Sendable, CaseIterable {
        /// They are classified, so that accuracy and calibration are known.
        case predict
        case skip
    }

    public var name: String
    /// One of `Datasets.all`.
    public var kind: String
    public var path: String
    /// Of the adapter.
    public var options: [String: String]
    /// Sides of the split; nil takes test where the data set has a split, else everything.
    public var split: [Split]?
    /// Draws the split by patient where the data set has none.
    public var drawn: DrawnSplit?
    /// Nil takes what the checkpoint names, else the data set's own.
    public var preprocess: Preprocess?
    public var explained: Explained
    public var others: Others
    /// At most this many images are explained.
    public var limit: Int?
    /// Nil where the file does not say: `patients`, or what an older store in the output folder was made with.
    public var limitRule: LimitRule?
    /// Where the path stands, for mistakes that show once the data set is opened.
    public var place: StudyPlace

    /// Shares of a split that a study draws.
    public struct DrawnSplit: Sendable, Equatable {
        public var validation: Double
        public var test: Double
        public var seed: UInt64
    }
}

/// A column of the tables: one model per data set.
public struct StudyModel: Sendable {
    public enum Source: Sendable, Equatable {
        /// `{dataset}` stands for the name of the data set.
        case checkpoint(String)
        /// Fine-tuned, or trained from scratch, before it is explained.
        case trained(StudyTraining)
        /// The architecture that another column has, with random weights.
        case randomWeights(like: String, seed: UInt64)

        /// Whether a column of random weights can take its architecture.
        var hasArchitecture: Bool { if case .randomWeights = self { false } else { true } }
    }

    public var name: String
    public var source: Source
    /// Nil is all that have images.
    public var datasets: [String]?
    /// What the checkpoint does not show, by the names of `LoadSetting`.
    public var settings: [LoadSetting: String] = [:]
    public var place: StudyPlace

    /// How the checkpoint is read.
    ///
    /// - Parameter folder: of the study file, from which paths of other files start.
    func loadOptions(below folder: String) throws(LoadError) -> LoadOptions {
        var options = LoadOptions()
        for setting in LoadSetting.allCases {
            if let text = settings[setting] { try options.set(setting, to: text) }
        }
        options.headPath = options.headPath.map { StudyPlan.resolve($0, folder) }
        options.adapterPath = options.adapterPath.map { StudyPlan.resolve($0, folder) }
        return options
    }

    /// The file for one data set, of a trained model below the folder of the results; empty for random weights.
    public func path(dataset: String) -> String {
        switch source {
        case .checkpoint(let pattern): pattern.replacing("{dataset}", with: dataset)
        case .trained: "trained/\(dataset)/\(name)/model.safetensors"
        case .randomWeights: ""
        }
    }
}

extension StudyFile {
    /// A metric or a control compares with the experts' masks.
    var needsMasks: Bool {
        let isControl = methods.contains { if case .maskPrior = $0 { true } else { false } }
        return isControl || (try? Evaluator(metrics, protocols: protocols).needsMask) ?? true
    }
}

/// A method, or the control that only a study can make because it looks at all masks.
public enum StudyMethod: Sendable {
    case explainer(ConfiguredMethod)
    /// The mean of the masks of all other patients of the data set.
    case maskPrior

    public static let maskPriorName = "mask-prior"

    public var name: String {
        switch self {
        case .explainer(let method): method.name
        case .maskPrior: Self.maskPriorName
        }
    }

    public var identifier: String {
        switch self {
        case .explainer(let method): method.method.identifier
        case .maskPrior: Self.maskPriorName
        }
    }

    public var summary: String {
        switch self {
        case .explainer(let method): method.method.summary
        case .maskPrior: "control: mean of the masks of all other patients"
        }
    }

    public var citation: String {
        switch self {
        case .explainer(let method): method.method.citation
        case .maskPrior: "control"
        }
    }

    public var isControl: Bool {
        switch self {
        case .explainer(let method): method.method.isControl
        case .maskPrior: true
        }
    }

    public var isClassSpecific: Bool {
        switch self {
        case .explainer(let method): method.method.isClassSpecific
        case .maskPrior: false
        }
    }

    /// Whether it looks at the pixels of the image, which masks alone do not have.
    public var needsImage: Bool { !isControl || ["edge", "intensity"].contains(identifier) }
}
