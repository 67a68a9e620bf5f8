import VitrineTensor

/// What a checkpoint does not say, or should not decide.
public struct LoadOptions: Sendable {
    /// What becomes of the classifier head.
    public enum Head: Sendable, Equatable {
        /// As the file has it; without one the model is a backbone.
        case asStored
        /// A new one with weights and biases of zero, to be trained; a stored head is left out.
        case fresh(classes: Int)
    }

    /// A model of images and texts projects what it pools.
    public enum Features: String, Sendable, CaseIterable {
        /// The projected features as they are.
        case projected
        /// The projected features, scaled to length 1.
        case unit
    }

    /// Attention heads, where neither a configuration nor a table of published models tells.
    public var heads: Int?
    /// Rows and columns of the stored position embedding, where it is not square.
    public var positionGrid: PatchGrid?
    /// Overrides the family's way of resampling position embeddings.
    public var positionResampling: ViTConfiguration.PositionResampling?
    /// Overrides the MLP's activation (default: a configuration's, else exact GELU).
    public var activation: Activation?
    /// The MLP is gated, by SiLU of the first half: what the shapes of a gated one leave open.
    public var isSwiGLU = false
    /// Overrides what the logits mean (default: a configuration's, else sigmoid for one logit and softmax for several).
    public var probabilities: ViTConfiguration.Probabilities?
    /// Overrides the LayerNorms' epsilon (default: a configuration's, else the family's).
    public var normEpsilon: Float?
    /// Overrides what the head reads (default: a configuration's, else as the tensors show).
    public var pooling: ViTConfiguration.Pooling?
    /// How positions turn queries and keys (default: a configuration's, else as the tensors show).
    public var rotary: RotaryKind?
    /// A head in a file of its own; a stored one is left out (see `HeadFile`).
    public var headPath: String?
    /// A LoRA adapter as PEFT writes it, merged into the weights (see `AdapterFile`).
    public var adapterPath: String?
    /// What a linear probe on a projection reads.
    public var features: Features?
    /// Names of the classes in the order of the logits (default: the file's or a configuration's).
    public var classNames: [String] = []
    /// The dictionary of a training checkpoint to load, such as `student` or `model/backbone` (default: searched for and reported).
    public var group: String?
    /// The prefix of the model's names, such as `module.backbone.` (default: the one the names show).
    public var prefix: String?
    public var head: Head = .asStored
    /// Keys that may stay unused besides the documented ones; a trailing `*` covers everything.
    public var ignoredKeys: [String] = []
    /// Whether a `config.json` in the checkpoint's folder is read.
    public var readsNeighbouringConfiguration = true

    public init(heads: Int? = nil, positionGrid: PatchGrid? = nil, head: Head = .asStored) {
        self.heads = heads
        self.positionGrid = positionGrid
        self.head = head
    }
}

/// A file of JSON beside a checkpoint.
public struct ConfigurationText: Sendable, Equatable {
    public var path: String
    public var text: [UInt8]

    public init(path: String, text: [UInt8]) {
        self.path = path
        self.text = text
    }
}

/// A vision transformer and how it came out of its file.
public struct LoadedModel: Sendable {
    public var model: VisionTransformer
    public var report: LoadReport
}

/// What was found in a checkpoint and what was made of it.
public struct LoadReport: Sendable, Equatable {
    /// A key that the model does not need.
    public struct UnusedKey: Sendable, Equatable {
        public let key: String
        public let reason: String
    }

    public var path: String
    public var family: CheckpointFamily
    /// The chosen dictionary of a training checkpoint; empty for the outermost.
    public var group: String
    /// The prefix taken off the names; empty without one.
    public var prefix: String
    /// Values in all tensors of the model.
    public var parameterCount: Int
    /// Tensors by element type as stored, such as `F16: 150`.
    public var elementTypes: [String: Int]
    public var unusedKeys: [UnusedKey]
    /// Text stored with the tensors, such as the preprocessing a model was trained with.
    public var metadata: [String: String] = [:]
    /// What the model's maps and logits depend on, and how each is known.
    public var facts: [ModelFact] = []
    /// Names of the classes by their index, where the file or a configuration beside it tells; empty otherwise.
    public var classNames: [String] = []
    /// SHA-256 of the other files that weights came from, a head's and an adapter's, by path.
    public var files: [String: String] = [:]
    /// Text and path of the configurations beside the file that say how images are prepared, the most specific first.
    public var preparations: [ConfigurationText] = []
    /// What was taken from a convention rather than from the tensors, what was left out, and what else could have been taken.
    public var notes: [String]
}
