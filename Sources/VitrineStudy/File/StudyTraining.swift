import VitrineTrain

/// How a column's models are made before they are explained: a recipe, and what differs from it.
public struct StudyTraining: Sendable, Equatable {
    /// A field of a recipe, as `RecipeField` names it.
    public struct Field: Sendable, Equatable {
        public var name: String
        public var value: String
    }

    /// The name of a recipe or the path of a recipe file, `{dataset}` to be filled in; nil takes the defaults.
    public var recipe: String?
    /// What differs from the recipe, in the order of `RecipeField.all`; `{dataset}` is filled in.
    public var fields: [Field]
    public var place: StudyPlace

    public static func == (a: StudyTraining, b: StudyTraining) -> Bool { a.recipe == b.recipe && a.fields == b.fields }

    /// The value of a field for one data set; nil where the recipe decides.
    func value(_ name: String, dataset: String) -> String? {
        fields.first { $0.name == name }?.value.replacing("{dataset}", with: dataset)
    }

    /// With `{init}` filled in; a checkpoint that `{init}` names becomes `scratch` under the initialisation of that name.
    func filled(initialisation: String) -> StudyTraining {
        var result = self
        result.recipe = recipe?.replacing("{init}", with: initialisation)
        for i in fields.indices where fields[i].value.contains("{init}") {
            let isScratch = fields[i].name == "init" && ScratchWeights(rawValue: initialisation) != nil
            result.fields[i].value = isScratch ? initialisation : fields[i].value.replacing("{init}", with: initialisation)
        }
        return result
    }

    /// Whether something waits for `{init}`.
    var needsInitialisation: Bool { (recipe?.contains("{init}") ?? false) || fields.contains { $0.value.contains("{init}") } }
}

extension StudyTraining {
    /// Reads the mapping `train`; each field is checked on its own, the recipe once the data sets are known.
    init(_ node: StudyNode, _ reader: inout StudyReader) {
        let keys = reader.map(node, "train", known: ["recipe"] + RecipeField.all.map(\.name))
        place = node.place
        recipe = reader.text(keys["recipe"], "train, recipe")
        if let recipe { Self.checkBraces(recipe, "train, recipe", keys["recipe"]?.place ?? node.place, &reader) }
        fields = []
        for field in RecipeField.all {
            guard let value = keys[field.name] else { continue }
            let text = reader.texts(value, "train, \(field.name)").map(\.text).joined(separator: ",")
            Self.checkBraces(text, "train, \(field.name)", value.place, &reader)
            var probe = Recipe()
            do throws(TrainingError) { try field.set(&probe, text) } catch { reader.complain(value.place, "train, \(error)") }
            fields.append(Field(name: field.name, value: text))
        }
    }

    private static func checkBraces(_ text: String, _ what: String, _ place: StudyPlace, _ reader: inout StudyReader) {
        for word in StudyModel.placeholders(text) where word != "dataset" && word != "init" {
            reader.complain(place, "\(what) '\(text)': '{\(word)}' is none of {dataset}, {init}")
        }
    }
}
