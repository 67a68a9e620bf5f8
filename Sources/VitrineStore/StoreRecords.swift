import VitrineImage

/// A data set of a study.
public struct DatasetRecord: Sendable, Equatable {
    /// Place in the plan, from 0.
    public var id: Int
    /// As the study names it.
    public var name: String
    /// The adapter: `cpchild`, `csv`, `masks`, ...
    public var kind: String
    public var title: String
    public var citation: String
    public var path: String
    /// False for a collection of masks, on which controls alone are scored.
    public var hasImages: Bool
    /// Names by label.
    public var classNames: [String]
    public var positiveLabel: Int?
    public var positiveClass: String?

    package init(
        id: Int, name: String, kind: String, title: String, citation: String, path: String, hasImages: Bool, classNames: [String],
        positiveLabel: Int? = nil, positiveClass: String? = nil
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.title = title
        self.citation = citation
        self.path = path
        self.hasImages = hasImages
        self.classNames = classNames
        self.positiveLabel = positiveLabel
        self.positiveClass = positiveClass
    }
}

/// An image of a study.
public struct SampleRecord: Sendable, Equatable {
    /// What a study does with an image.
    public enum Role: String, Sendable {
        /// Explained and scored against its mask.
        case score
        /// Only classified: a negative, or an image without a mask.
        case predict
    }

    /// Place in the plan, over all data sets, from 0; the file has ids of its own, which stay when a study grows.
    public var id: Int
    public var datasetID: Int
    /// The path below the data set's folder.
    public var name: String
    public var role: Role
    public var label: Int?
    /// Nil where the data set does not tell; the image is then its own cluster.
    public var patient: String?
    public var split: String?
    public var imagePath: String
    /// Where the annotation is a single mask file.
    public var maskPath: String?

    package init(
        id: Int, datasetID: Int, name: String, role: Role, label: Int? = nil, patient: String? = nil, split: String? = nil,
        imagePath: String, maskPath: String? = nil
    ) {
        self.id = id
        self.datasetID = datasetID
        self.name = name
        self.role = role
        self.label = label
        self.patient = patient
        self.split = split
        self.imagePath = imagePath
        self.maskPath = maskPath
    }
}

/// A model of one data set, or the pseudo-model `none` under which the controls of the data set stand.
public struct ModelRecord: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// No model: controls.
        case none
        case checkpoint
        /// The architecture of a checkpoint with random weights: a control too.
        case randomWeights = "random-weights"
        /// Fine-tuned by the study itself.
        case trained
    }

    /// Place in the plan, over all data sets, from 0; the file has ids of its own, which stay when a study grows.
    public var id: Int
    public var datasetID: Int
    /// The column of the tables: `dino`, `random-weights`.
    public var name: String
    public var kind: Kind
    /// The checkpoint; empty for `none`.
    public var path: String

    package init(
        id: Int, datasetID: Int, name: String, kind: Kind, path: String
    ) {
        self.id = id
        self.datasetID = datasetID
        self.name = name
        self.kind = kind
        self.path = path
    }
}

/// A method with its options.
public struct MethodRecord: Sendable, Equatable {
    public var id: Int
    /// With its options: `chefer-stable:epsilon=0.1`.
    public var name: String
    public var identifier: String
    public var summary: String
    public var citation: String
    public var isControl: Bool
    public var isClassSpecific: Bool

    package init(
        id: Int, name: String, identifier: String, summary: String, citation: String, isControl: Bool, isClassSpecific: Bool
    ) {
        self.id = id
        self.name = name
        self.identifier = identifier
        self.summary = summary
        self.citation = citation
        self.isControl = isControl
        self.isClassSpecific = isClassSpecific
    }
}

/// A metric under one protocol.
public struct MetricRecord: Sendable, Equatable {
    public var id: Int
    /// With its options: `iou@5`.
    public var name: String
    /// `study` or `corrected`.
    public var protocolName: String
    public var summary: String
    public var citation: String
    /// Which way it is better: `higher`, `lower` or `none`.
    public var direction = "higher"

    package init(
        id: Int, name: String, protocolName: String, summary: String, citation: String, direction: String = "higher"
    ) {
        self.id = id
        self.name = name
        self.protocolName = protocolName
        self.summary = summary
        self.citation = citation
        self.direction = direction
    }
}

/// An image file as it was read.
public struct ImageRecord: Sendable, Equatable {
    public var sampleID: Int
    /// Hexadecimal; of the file.
    public var sha256: String
    /// Pixels, as stored.
    public var storedWidth: Int
    public var storedHeight: Int

    package init(
        sampleID: Int, sha256: String, storedWidth: Int, storedHeight: Int
    ) {
        self.sampleID = sampleID
        self.sha256 = sha256
        self.storedWidth = storedWidth
        self.storedHeight = storedHeight
    }
}

/// An expert's mask as stored, before preprocessing.
public struct MaskRecord: Sendable, Equatable {
    public var sampleID: Int
    /// Of the mask file; nil where the annotation is no mask file.
    public var sha256: String?
    /// Pixels.
    public var storedWidth: Int
    public var storedHeight: Int
    /// Share of the image, 0...1.
    public var area: Double
    /// 4-connected regions.
    public var components: Int
    /// One filled axis-aligned rectangle.
    public var isRectangle: Bool
    /// Distinct grey values; more than two are halos.
    public var greyLevels: Int
    public var isEmpty: Bool
    public var isFull: Bool
    /// SHA-256 of the mask as it was decoded: its size and its pixels, whatever it came from. Nil from stores of earlier versions.
    public var digest: String?

    package init(
        sampleID: Int, sha256: String? = nil, storedWidth: Int, storedHeight: Int, area: Double, components: Int, isRectangle: Bool,
        greyLevels: Int, isEmpty: Bool, isFull: Bool, digest: String? = nil
    ) {
        self.sampleID = sampleID
        self.sha256 = sha256
        self.storedWidth = storedWidth
        self.storedHeight = storedHeight
        self.area = area
        self.components = components
        self.isRectangle = isRectangle
        self.greyLevels = greyLevels
        self.isEmpty = isEmpty
        self.isFull = isFull
        self.digest = digest
    }
}

/// How often each pixel of the network's view is lesion, over all masks of a data set.
public struct MaskPriorRecord: Sendable, Equatable {
    public var datasetID: Int
    /// How many masks were counted.
    public var masks: Int
    public var height: Int
    public var width: Int
    /// `height * width` counts, row-major.
    public var counts: [Int32]
    /// What the masks went through. Nil from stores of earlier versions.
    public var preprocess: String?

    package init(
        datasetID: Int, masks: Int, height: Int, width: Int, counts: [Int32], preprocess: String? = nil
    ) {
        self.datasetID = datasetID
        self.masks = masks
        self.height = height
        self.width = width
        self.counts = counts
        self.preprocess = preprocess
    }
}

/// A checkpoint as it was loaded.
public struct CheckpointRecord: Sendable, Equatable {
    public var modelID: Int
    /// Hexadecimal; of the file.
    public var sha256: String
    public var family: String
    /// Number of weights.
    public var parameters: Int
    /// 0 for a backbone.
    public var classes: Int
    /// `ViTConfiguration` as JSON with sorted keys.
    public var architecture: String
    /// What images go through before this model: `resize:224:imagenet:bilinear`.
    public var preprocess: String
    /// What was taken from a convention rather than from the file.
    public var notes: [String]
    /// How the study file says to load it and to prepare images for it. Nil from stores of earlier versions.
    public var settings: String?

    package init(
        modelID: Int, sha256: String, family: String, parameters: Int, classes: Int, architecture: String, preprocess: String,
        notes: [String], settings: String? = nil
    ) {
        self.modelID = modelID
        self.sha256 = sha256
        self.family = family
        self.parameters = parameters
        self.classes = classes
        self.architecture = architecture
        self.preprocess = preprocess
        self.notes = notes
        self.settings = settings
    }
}

/// One image under one model, finished.
public struct UnitRecord: Sendable, Equatable {
    /// What there was to score against.
    public enum MaskStatus: String, Sendable {
        case scored
        /// The sample is only classified.
        case notScored = "not-scored"
    }

    public var modelID: Int
    public var sampleID: Int
    public var maskStatus: MaskStatus
    /// Share of the network's view that is lesion, 0...1; nil when not scored.
    public var maskArea: Double?
    /// 4-connected lesions in the network's view.
    public var maskComponents: Int?
    /// The network's view in pixels.
    public var height: Int
    public var width: Int
    /// Of everything that the prediction depends on. Nil from stores of earlier versions.
    public var fingerprint: String?
    /// `MaskRecord.digest` of the mask that was scored against.
    public var maskDigest: String?

    package init(
        modelID: Int, sampleID: Int, maskStatus: MaskStatus, maskArea: Double? = nil, maskComponents: Int? = nil, height: Int, width: Int,
        fingerprint: String? = nil, maskDigest: String? = nil
    ) {
        self.modelID = modelID
        self.sampleID = sampleID
        self.maskStatus = maskStatus
        self.maskArea = maskArea
        self.maskComponents = maskComponents
        self.height = height
        self.width = width
        self.fingerprint = fingerprint
        self.maskDigest = maskDigest
    }
}

/// What a model says of an image.
public struct PredictionRecord: Sendable, Equatable {
    public var modelID: Int
    public var sampleID: Int
    /// What was explained, such as `logit 1`; nil when no class-specific method ran.
    public var target: String?
    /// The class of the largest logit, the first of equals.
    public var predicted: Int
    public var logits: [Float]
    public var probabilities: [Float]

    package init(
        modelID: Int, sampleID: Int, target: String? = nil, predicted: Int, logits: [Float], probabilities: [Float]
    ) {
        self.modelID = modelID
        self.sampleID = sampleID
        self.target = target
        self.predicted = predicted
        self.logits = logits
        self.probabilities = probabilities
    }
}

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

/// Facts that a method noted while making a map.
public struct NoteRecord: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var name: String
    public var sampleID: Int
    public var values: [Double]

    package init(
        modelID: Int, methodID: Int, name: String, sampleID: Int, values: [Double]
    ) {
        self.modelID = modelID
        self.methodID = methodID
        self.name = name
        self.sampleID = sampleID
        self.values = values
    }
}

/// How much a map moves under invisible noise; correlations with the undisturbed map over the draws.
public struct StabilityRecord: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var sampleID: Int
    public var draws: Int
    public var pearsonMean: Double?
    public var pearsonMinimum: Double?
    public var spearmanMean: Double?
    public var spearmanMinimum: Double?

    package init(
        modelID: Int, methodID: Int, sampleID: Int, draws: Int, pearsonMean: Double? = nil, pearsonMinimum: Double? = nil,
        spearmanMean: Double? = nil, spearmanMinimum: Double? = nil
    ) {
        self.modelID = modelID
        self.methodID = methodID
        self.sampleID = sampleID
        self.draws = draws
        self.pearsonMean = pearsonMean
        self.pearsonMinimum = pearsonMinimum
        self.spearmanMean = spearmanMean
        self.spearmanMinimum = spearmanMinimum
    }
}

/// The scores of one (model, method, metric), in the order of the samples.
public struct ScoreColumn: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var metricID: Int
    /// Increasing.
    public var sampleIDs: [Int] = []
    /// Nil where the metric is undefined.
    public var values: [Double?] = []
    public var chances: [Double?] = []
    public var ceilings: [Double?] = []
    /// `ok`, `empty-mask`, `full-mask`, `constant-map`, `non-finite-map`, `no-mass`.
    public var statuses: [String] = []
    /// Standard errors of the chance levels; 0 where exact.
    public var chanceErrors: [Double] = []
    /// Why there is no value, where there is none.
    public var reasons: [String?] = []

    public init(modelID: Int, methodID: Int, metricID: Int) {
        self.modelID = modelID
        self.methodID = methodID
        self.metricID = metricID
    }

    public var count: Int { sampleIDs.count }
}

/// One score, on its way into the store.
public struct ScoreRecord: Sendable, Equatable {
    public var methodID: Int
    public var metricID: Int
    public var value: Double?
    public var chance: Double?
    public var ceiling: Double?
    public var status: String
    /// `exact` or `permutation`; nil without a chance level.
    public var chanceSource: String?
    public var chanceError: Double
    /// Why there is no value, or what a reader must know of it.
    public var reason: String?
    /// The curve behind the value.
    public var curve: [Float]?

    package init(
        methodID: Int, metricID: Int, value: Double? = nil, chance: Double? = nil, ceiling: Double? = nil, status: String,
        chanceSource: String? = nil, chanceError: Double, reason: String? = nil, curve: [Float]? = nil
    ) {
        self.methodID = methodID
        self.metricID = metricID
        self.value = value
        self.chance = chance
        self.ceiling = ceiling
        self.status = status
        self.chanceSource = chanceSource
        self.chanceError = chanceError
        self.reason = reason
        self.curve = curve
    }
}

/// Something that could not be done; the rest of the study went on.
public struct FailureRecord: Sendable, Equatable {
    /// Where it happened.
    public enum Stage: String, Sendable {
        /// A model did not load, or could not be trained.
        case model
        /// Images were left out of a training because they cannot be read.
        case training
        /// An image did not decode.
        case image
        /// A mask is missing, damaged or of another size.
        case mask
        /// The masks of a data set have no common size, so that there is no mask prior.
        case prior
        /// The network refused the image.
        case explain
    }

    public var datasetID: Int
    public var sampleID: Int?
    public var modelID: Int?
    /// Where one method failed and the others did not.
    public var methodID: Int?
    public var stage: Stage
    /// One line.
    public var message: String

    package init(
        datasetID: Int, sampleID: Int? = nil, modelID: Int? = nil, methodID: Int? = nil, stage: Stage, message: String
    ) {
        self.datasetID = datasetID
        self.sampleID = sampleID
        self.modelID = modelID
        self.methodID = methodID
        self.stage = stage
        self.message = message
    }
}

/// The arithmetic that results came from; one row per kind of machine that took part.
public struct ArithmeticRecord: Sendable, Equatable {
    public var vitrine: String
    public var cpuPath: String
    public var blasCore: String
    public var blas: String

    package init(
        vitrine: String, cpuPath: String, blasCore: String, blas: String
    ) {
        self.vitrine = vitrine
        self.cpuPath = cpuPath
        self.blasCore = blasCore
        self.blas = blas
    }
}

/// Seconds spent on one image under one model; no part of the content.
public struct TimingRecord: Sendable, Equatable {
    public var modelID: Int
    public var sampleID: Int
    public var prepare: Double
    public var explain: Double
    public var stability: Double
    public var score: Double

    package init(
        modelID: Int, sampleID: Int, prepare: Double, explain: Double, stability: Double, score: Double
    ) {
        self.modelID = modelID
        self.sampleID = sampleID
        self.prepare = prepare
        self.explain = explain
        self.stability = stability
        self.score = score
    }
}

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
