import Foundation
import Testing
import VitrineTrain

@Suite struct RecipeTests {
    /// The table of the study, typed a second time.
    @Test func theStudysSixteenRows() throws {
        let table = """
            cpchild-scratch adam 1e-5 0.9 1e-4 20 18 64
            cpchild-sup adam 1e-5 0.9 1e-4 20 5 64
            cpchild-dino adam 1e-5 0.9 1e-4 20 12 64
            cpchild-mae adam 1e-5 0.9 1e-4 20 11 64
            duke-scratch sgd 0.1 0.3 0 200 79 64
            duke-sup sgd 0.03 0.1 0 20 2 64
            duke-dino sgd 0.005 0.1 0 15 5 64
            duke-mae sgd 0.03 0.1 0 15 2 64
            kvasir-scratch sgd 0.08 0.1 0 25 24 32
            kvasir-sup sgd 0.0018 0.1 0 25 8 32
            kvasir-dino sgd 0.0012 0.1 1e-4 25 20 32
            kvasir-mae sgd 0.02 0.1 1e-4 25 25 32
            mura-scratch sgd 0.001 0.9 1e-4 200 180 64
            mura-sup sgd 0.001 0.9 1e-4 100 9 64
            mura-dino sgd 0.001 0.9 1e-4 150 43 64
            mura-mae sgd 0.001 0.9 1e-4 100 35 64
            """
        let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.count == 16 && Recipe.study.count == 16)
        for row in rows {
            let r = try Recipe.named(row[0])
            let parts = row[0].split(separator: "-")
            #expect(r.initialisation == parts[1] && r.model == "vit_base_patch16" && r.schedule == .cosine && r.imageSize == 224)
            #expect(r.preprocess == (parts[0] == "duke" || parts[0] == "cpchild" ? "resize" : "center-crop"))
            #expect(r.optimizer.rawValue == row[1] && r.learningRate == Double(row[2]) && r.momentum == Double(row[3]))
            #expect(r.weightDecay == Double(row[4]) && r.epochs == Int(row[5]) && r.keptEpoch == Int(row[6]) && r.batch == Int(row[7]))
        }
        #expect(throws: TrainingError.unknownRecipe(name: "kvasir", known: Recipe.study.map(\.name))) { try Recipe.named("kvasir") }
    }

    @Test func everyFieldReadsWhatItWrites() throws {
        let names = RecipeField.all.map(\.name)
        #expect(Set(names).count == names.count)
        for recipe in Recipe.study + [Recipe()] {
            var copy = Recipe()
            copy.name = recipe.name
            copy.keptEpoch = recipe.keptEpoch
            for field in RecipeField.all { try field.set(&copy, field.get(recipe)) }
            #expect(copy == recipe)
        }
        for field in RecipeField.all {
            #expect(!field.summary.isEmpty)
            var recipe = Recipe()
            #expect(throws: TrainingError.self, "\(field.name)") { try field.set(&recipe, "") }
        }
    }

    @Test(arguments: [
        ("learning-rate", "0"), ("learning-rate", "nan"), ("momentum", "1"), ("epochs", "0"), ("epochs", "1.5"), ("batch", "-1"),
        ("optimizer", "rmsprop"), ("schedule", "step"), ("flip", "yes"), ("class-weights", "1,-1"), ("class-weights", "1,,2"),
        ("seed", "-1"),
        ("crop-scale", "0"), ("validation-share", "1"), ("layer-decay", "0"), ("label-smoothing", "1"),
    ])
    func badValuesAreNamed(_ name: String, _ value: String) {
        var recipe = Recipe()
        do {
            try RecipeField.apply([(name, value)], to: &recipe, source: "test")
            Issue.record("\(name)=\(value) was taken")
        } catch {
            #expect("\(error)".contains("\(name): '\(value)' is not "))
        }
    }

    @Test func recipeFiles() throws {
        let recipe = try Recipe.parse(
            "recipe: kvasir-dino\nlearning-rate: 1e-4\nbatch: 8\nflip: true\nclass-weights: [1, 2.5]\ninit: model.safetensors # where it is\n",
            source: "r.yaml")
        #expect(recipe.learningRate == 1e-4 && recipe.batch == 8 && recipe.augmentation.flips && recipe.epochs == 25)
        #expect(recipe.classWeights == .fixed([1, 2.5]) && recipe.initialisation == "model.safetensors")
        // Fields override the preset wherever they stand.
        #expect(try Recipe.parse("epochs: 3\nrecipe: mura-sup", source: "r.yaml").epochs == 3)
        func message(_ yaml: String) -> String {
            do {
                _ = try Recipe.parse(yaml, source: "r.yaml")
                return ""
            } catch { return "\(error)" }
        }
        #expect(message("rate: 1").hasPrefix("r.yaml: 'rate' is no field of a recipe; the fields are model, init"))
        #expect(message("- a").contains("r.yaml: holds no mapping"))
        #expect(message("").contains("r.yaml: holds no mapping"))
        #expect(message("epochs: {a: 1}").contains("'epochs' is neither a value nor a list"))
        #expect(message("epochs: [1").contains("r.yaml: is no YAML"))
        #expect(message("epochs: many").contains("epochs: 'many' is not a whole number"))
        #expect(message("recipe: nothing").contains("none of cpchild-scratch"))
        for text in [message("a: 'b"), message("rate: 1")] { #expect(!text.contains("\n")) }
        #expect(throws: TrainingError.self) { try Recipe.load("/nowhere/r.yaml") }
    }

    @Test func models() throws {
        let small = try ModelPresets.configuration("vit_small_patch14", imageSize: 224, classes: 2)
        #expect(small.width == 384 && small.heads == 6 && small.depth == 12 && small.patchSize == 14 && small.hasLayerScale)
        #expect(small.positionGrid.count == 256 && small.classes == 2)
        let own = try ModelPresets.configuration(
            "patch=8,width=48,depth=3,heads=4,registers=2,pooling=mean,swiglu=true,hidden=64", imageSize: 64, classes: 3)
        #expect(own.hidden == 64 && own.registers == 2 && own.pooling == .mean && own.mlp == .swiGLU && own.positionGrid.rows == 8)
        for text in [
            "vit_huge", "patch=8,width=48,depth=3", "patch=8,width=50,depth=3,heads=4", "patch=0,width=48,depth=3,heads=4",
            "patch=8,width=48,depth=3,heads=4,colour=2", "patch=8,width", "patch=7,width=48,depth=3,heads=4",
            "patch=8,width=48,depth=3,heads=4,pooling=max", "patch=8,width=48,depth=x,heads=4",
        ] {
            #expect(throws: TrainingError.self, "\(text)") { try ModelPresets.configuration(text, imageSize: 64, classes: 2) }
        }
    }
}
