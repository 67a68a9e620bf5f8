import VitrineTrain

/// What decides the result of a trust run, but for its methods and metrics.
public struct TrustSettings: Sendable, Equatable {
    /// Phantoms of each task to train on, in each round.
    public var count = 2400
    /// Epochs of a round.
    public var epochs = 10
    /// Rounds of training at most; each goes on from the one before with phantoms of its own, until the model passes the check.
    public var rounds = 8
    /// Positive images on which the check is made, and as many negative ones.
    public var checked = 200
    /// Images whose maps are scored.
    public var images = 30
    /// Of these, images on which metrics are asked about.
    public var audited = 4
    public var seed: UInt64 = 0

    public init() {}

    /// Metrics that ask a method for its map again, some thirty times an image, are asked about methods of so many passes at most.
    public static let mostPasses = 48.0

    /// Side of the network's input in pixels.
    static let imageSize = 64

    /// How a round trains: random weights of a small transformer, matched pairs in one batch.
    ///
    /// - Parameter isFresh: it starts from random weights.
    func recipe(round: Int, isFresh: Bool = true) -> Recipe {
        var recipe = Recipe()
        recipe.name = "trust"
        recipe.model = "patch=8,width=96,depth=4,heads=3"
        recipe.initialisation = ScratchWeights.fanIn.rawValue
        recipe.imageSize = Self.imageSize
        recipe.preprocess = "resize"
        // What is learnt already is polished: at the full rate a round begins by losing some of it.
        recipe.learningRate = isFresh ? 1e-3 : 5e-4
        recipe.schedule = .cosinePerStep
        recipe.warmup = isFresh ? 2 : 1
        recipe.clipNorm = 1
        recipe.epochs = epochs
        recipe.batch = 32
        // No crops: they would cut a cause away and leave its label.
        recipe.augmentation = Augmentation(flips: true, rotation: 10, brightness: 0.15, contrast: 0.15)
        recipe.keepsPatientsTogether = true
        recipe.seed = seed &+ UInt64(round)
        return recipe
    }

    /// By name, for the file that tells whether a folder holds this run; more images may be asked for later.
    var identity: [String: String] {
        var identity = ["count": "\(count)", "epochs": "\(epochs)", "checked": "\(checked)", "seed": "\(seed)"]
        identity["recipe"] = RecipeField.all.map { "\($0.name)=\($0.get(recipe(round: 0)))" }.joined(separator: " ")
        return identity
    }
}
