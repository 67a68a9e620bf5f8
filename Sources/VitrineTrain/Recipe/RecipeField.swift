/// One setting of a recipe: the command line, recipe files, `--list-recipes` and the check of `--resume` all walk this table.
public struct RecipeField: Sendable {
    public let name: String
    public let summary: String
    public let get: @Sendable (Recipe) -> String
    private let assign: @Sendable (inout Recipe, String) -> Bool
    private let allowed: String

    /// Sets the field from text.
    public func set(_ recipe: inout Recipe, _ value: String) throws(TrainingError) {
        guard assign(&recipe, value) else { throw .badField(name: name, value: value, allowed: allowed) }
    }

    public static let all: [RecipeField] = [
        text("model", \.model, "preset, configuration file, or sizes such as patch=16,width=192,depth=6,heads=3 (for scratch)"),
        text("init", \.initialisation, "scratch, scratch-fan-in (for small networks), or the path of a checkpoint"),
        integer("image-size", \.imageSize, 1...16_384, "side of the network's input in pixels"),
        text("preprocess", \.preprocess, "preprocessing, as for explain"),
        word("optimizer", \.optimizer, "optimiser"),
        real("learning-rate", \.learningRate, "above 0", "learning rate") { $0 > 0 },
        real("momentum", \.momentum, "in [0, 1)", "momentum of SGD, beta1 of Adam") { $0 >= 0 && $0 < 1 },
        real("beta2", \.beta2, "in [0, 1)", "beta2 of Adam") { $0 >= 0 && $0 < 1 },
        real("epsilon", \.epsilon, "above 0", "epsilon of Adam") { $0 > 0 },
        real("weight-decay", \.weightDecay, "at least 0", "weight decay: L2 for sgd and adam, decoupled for adamw") { $0 >= 0 },
        flag("decay-vectors", \.decaysVectors, "whether biases, norms, tokens and positions decay too"),
        word("schedule", \.schedule, "schedule of the learning rate"),
        integer("warmup", \.warmup, 0...1_000_000, "epochs of linear warm-up"),
        real("layer-decay", \.layerDecay, "in (0, 1]", "factor of the learning rate from a layer to the one below") { $0 > 0 && $0 <= 1 },
        integer("freeze-blocks", \.frozenBlocks, 0...10_000, "blocks from the first that are not trained, embeddings included"),
        flag("linear-probe", \.isLinearProbe, "train the head alone, on features computed once, without augmentation"),
        real("clip-norm", \.clipNorm, "at least 0", "largest norm of the gradient, 0 for no limit") { $0 >= 0 },
        integer("epochs", \.epochs, 1...1_000_000, "epochs"),
        integer("batch", \.batch, 1...1_000_000, "images per batch"),
        flag(
            "pairs", \.keepsPatientsTogether,
            "keep the images of a patient together in a batch and change them alike, so that a pair differs in its lesion alone"),
        integer("accumulation", \.accumulation, 1...1_000_000, "batches per step of the optimiser"),
        integer("patience", \.patience, 0...1_000_000, "epochs without a better validation loss before stopping, 0 for never"),
        real("label-smoothing", \.labelSmoothing, "in [0, 1)", "label smoothing") { $0 >= 0 && $0 < 1 },
        RecipeField(
            name: "class-weights", summary: "none, balanced, or a weight per class, separated by commas",
            get: { $0.classWeights.description },
            assign: { recipe, value in
                guard let weights = ClassWeights(value) else { return false }
                recipe.classWeights = weights
                return true
            }, allowed: "none, balanced, or positive numbers separated by commas"),
        flag("flip", \.augmentation.flips, "mirror half of the images left to right"),
        real("crop-scale", \.augmentation.cropScale, "in (0, 1]", "smallest share of the area that a random crop keeps, 1 for none") {
            $0 > 0 && $0 <= 1
        },
        real("rotation", \.augmentation.rotation, "in [0, 180]", "largest rotation in degrees") { $0 >= 0 && $0 <= 180 },
        real("brightness", \.augmentation.brightness, "in [0, 1]", "largest relative change of brightness") { $0 >= 0 && $0 <= 1 },
        real("contrast", \.augmentation.contrast, "in [0, 1]", "largest relative change of contrast") { $0 >= 0 && $0 <= 1 },
        real(
            "delete-cells", \.deletedCells, "in [0, 1]",
            "probability that an image loses a random cell of the 4x4 grid (0 after normalisation), so that deletion is in the model's domain"
        ) { $0 >= 0 && $0 <= 1 },
        real("validation-share", \.validationShare, "in [0, 1)", "share drawn for validation where the data has no split") {
            $0 >= 0 && $0 < 1
        },
        real("test-share", \.testShare, "in [0, 1)", "share drawn for test where the data has no split") { $0 >= 0 && $0 < 1 },
        seed("split-seed", \.splitSeed, "seed of the split"),
        seed("seed", \.seed, "seed of weights, order and augmentation"),
    ]

    /// Values by field that an earlier version stored, with those of fields that it did not know: their defaults do what it did.
    public static func completed(_ stored: [String: String]) -> [String: String] {
        var complete = stored
        for field in all where ["pairs", "delete-cells"].contains(field.name) && stored[field.name] == nil {
            complete[field.name] = field.get(Recipe())
        }
        return complete
    }

    /// Sets fields by name.
    ///
    /// - Parameter source: who named the fields, for the error.
    public static func apply(_ values: [(name: String, value: String)], to recipe: inout Recipe, source: String) throws(TrainingError) {
        for (name, value) in values {
            guard let field = all.first(where: { $0.name == name }) else {
                throw .unknownField(name: name, source: source, known: all.map(\.name))
            }
            try field.set(&recipe, value)
        }
    }

    // MARK: Kinds of fields

    private typealias Path<T> = WritableKeyPath<Recipe, T> & Sendable

    private static func field<T>(
        _ name: String, _ path: Path<T>, _ summary: String, allowed: String, write: @escaping @Sendable (T) -> String,
        parse: @escaping @Sendable (String) -> T?
    ) -> RecipeField {
        RecipeField(
            name: name, summary: summary, get: { write($0[keyPath: path]) },
            assign: { recipe, text in
                guard let value = parse(text) else { return false }
                recipe[keyPath: path] = value
                return true
            }, allowed: allowed)
    }

    private static func text(_ name: String, _ path: Path<String>, _ summary: String) -> RecipeField {
        field(name, path, summary, allowed: "a text", write: { $0 }, parse: { $0.isEmpty ? nil : $0 })
    }

    private static func integer(_ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ summary: String) -> RecipeField {
        field(
            name, path, summary, allowed: "a whole number of \(range.lowerBound)...\(range.upperBound)", write: { "\($0)" },
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } })
    }

    private static func seed(_ name: String, _ path: Path<UInt64>, _ summary: String) -> RecipeField {
        field(name, path, summary, allowed: "a whole number of 0...2^64-1", write: { "\($0)" }, parse: { UInt64($0) })
    }

    private static func real(
        _ name: String, _ path: Path<Double>, _ allowed: String, _ summary: String, isValid: @escaping @Sendable (Double) -> Bool
    ) -> RecipeField {
        field(
            name, path, summary, allowed: "a number \(allowed)", write: { "\($0)" },
            parse: { Double($0).flatMap { $0.isFinite && isValid($0) ? $0 : nil } })
    }

    private static func flag(_ name: String, _ path: Path<Bool>, _ summary: String) -> RecipeField {
        field(name, path, summary, allowed: "true or false", write: { "\($0)" }, parse: { Bool($0) })
    }

    private static func word<T: RawRepresentable & CaseIterable & Sendable>(_ name: String, _ path: Path<T>, _ summary: String)
        -> RecipeField
    where T.RawValue == String {
        let words = T.allCases.map(\.rawValue)
        return field(
            name, path, "\(summary): \(words.joined(separator: ", "))", allowed: "one of \(words.joined(separator: ", "))",
            write: { $0.rawValue }, parse: { T(rawValue: $0) })
    }
}
