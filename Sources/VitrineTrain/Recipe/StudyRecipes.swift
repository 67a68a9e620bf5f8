extension Recipe {
    /// The sixteen fine-tuning recipes of the study (arXiv:2503.09535): data set x initialisation, ViT-B/16 at 224 pixels, cosine
    /// annealing once an epoch, no augmentation, the epoch of the least validation loss kept.
    public static let study: [Recipe] =
        ["scratch", "sup", "dino", "mae"].enumerated().map { i, initialisation in
            study(
                "cpchild", initialisation, .adam, rate: 1e-5, momentum: 0.9, decay: 1e-4, epochs: 20, kept: [18, 5, 12, 11][i], batch: 64)
        } + [
            study("duke", "scratch", .sgd, rate: 0.1, momentum: 0.3, decay: 0, epochs: 200, kept: 79, batch: 64),
            study("duke", "sup", .sgd, rate: 0.03, momentum: 0.1, decay: 0, epochs: 20, kept: 2, batch: 64),
            study("duke", "dino", .sgd, rate: 0.005, momentum: 0.1, decay: 0, epochs: 15, kept: 5, batch: 64),
            study("duke", "mae", .sgd, rate: 0.03, momentum: 0.1, decay: 0, epochs: 15, kept: 2, batch: 64),
            study("kvasir", "scratch", .sgd, rate: 0.08, momentum: 0.1, decay: 0, epochs: 25, kept: 24, batch: 32),
            study("kvasir", "sup", .sgd, rate: 0.0018, momentum: 0.1, decay: 0, epochs: 25, kept: 8, batch: 32),
            study("kvasir", "dino", .sgd, rate: 0.0012, momentum: 0.1, decay: 1e-4, epochs: 25, kept: 20, batch: 32),
            study("kvasir", "mae", .sgd, rate: 0.02, momentum: 0.1, decay: 1e-4, epochs: 25, kept: 25, batch: 32),
            study("mura", "scratch", .sgd, rate: 0.001, momentum: 0.9, decay: 1e-4, epochs: 200, kept: 180, batch: 64),
            study("mura", "sup", .sgd, rate: 0.001, momentum: 0.9, decay: 1e-4, epochs: 100, kept: 9, batch: 64),
            study("mura", "dino", .sgd, rate: 0.001, momentum: 0.9, decay: 1e-4, epochs: 150, kept: 43, batch: 64),
            study("mura", "mae", .sgd, rate: 0.001, momentum: 0.9, decay: 1e-4, epochs: 100, kept: 35, batch: 64),
        ]

    /// The preset of this name.
    public static func named(_ name: String) throws(TrainingError) -> Recipe {
        guard let recipe = study.first(where: { $0.name == name }) else { throw .unknownRecipe(name: name, known: study.map(\.name)) }
        return recipe
    }

    private static func study(
        _ dataset: String, _ initialisation: String, _ optimizer: OptimizerSettings.Rule, rate: Double, momentum: Double, decay: Double,
        epochs: Int, kept: Int, batch: Int
    ) -> Recipe {
        var recipe = Recipe()
        recipe.name = "\(dataset)-\(initialisation)"
        recipe.model = "vit_base_patch16"
        recipe.initialisation = initialisation
        recipe.preprocess = dataset == "duke" || dataset == "cpchild" ? "resize" : "center-crop"
        recipe.optimizer = optimizer
        recipe.learningRate = rate
        recipe.momentum = momentum
        recipe.weightDecay = decay
        recipe.epochs = epochs
        recipe.keptEpoch = kept
        recipe.batch = batch
        return recipe
    }
}
