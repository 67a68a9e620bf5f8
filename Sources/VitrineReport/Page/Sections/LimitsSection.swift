/// What the words of the report mean, and what was not checked.
struct LimitsSection: PageSection {
    let study: StudyAnalysis
    let id = "limits"
    let title = "How to read this, and limits"

    func write(_ html: inout HTML) {
        html.element("ul") { html in
            for text in texts { html.element("li", text) }
        }
    }

    private var texts: [String] {
        var texts = [
            "A score says whether a map lies where experts drew. It does not say that the model used what the map shows, nor that a model that looks elsewhere is wrong.",
            "Chance is the expectation of a random map of the same values, ties and upsampling on the same masks. The ceiling is the most that any map can score on these masks. Skill is the share of the way from chance to the ceiling.",
            "Intervals are 95 % patient-cluster BCa bootstrap intervals (\(study.resamples) resamples); where all hits are 0 or all are 1, Clopper and Pearson's over patients. Where patients are unknown every image counts as one, and intervals are too narrow if some share a patient.",
            "\"Localises\" means above chance and above the centre prior, each with a family-wise error of 5 % within a data set and metric. Over several metrics and data sets some such findings are expected by accident.",
            "One training run per initialisation says nothing about the initialisation in general.",
        ]
        let withModels = study.datasets.filter { !$0.columns.isEmpty }
        if !study.methods.contains(where: { $0.identifier == "centre" }) {
            texts.append("The study ran no centre control; add centre to its methods to learn what a blob at the centre scores.")
        }
        if !withModels.isEmpty, !study.explainers.isEmpty, withModels.allSatisfy(\.stabilities.isEmpty) {
            texts.append("Stability under noise was not measured; set stability: true in the study file.")
        }
        if withModels.contains(where: { !$0.columns.contains { $0.kind == .randomWeights } }) {
            texts.append("No model with random weights was run as a control everywhere; add one with random-weights.")
        }
        return texts
    }
}
