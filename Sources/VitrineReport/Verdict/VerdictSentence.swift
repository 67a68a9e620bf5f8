import VitrineEvaluate

/// What the verdicts of one method come to, in one sentence for a reader who treats patients.
struct VerdictSentence {
    /// Of one method, a verdict for every model and data set.
    let verdicts: [MethodVerdict]

    var text: String {
        guard let only = verdicts.first else { return "No trained model was explained by it." }
        return verdicts.count == 1 ? Self.one(only) : Self.several(verdicts)
    }

    private static func one(_ verdict: MethodVerdict) -> String {
        func outcome(_ question: VerdictQuestion) -> Verdict.Outcome { verdict[question].outcome }
        var text = lead(outcome(.lesion), outcome(.used))
        let failed = doubts.filter { outcome($0.question) == .shownToFail }.map(\.failed)
        if !failed.isEmpty { text += "; beware: \(Format.list(failed))" }
        let open = doubts.filter { outcome($0.question) == .notShown }.map(\.open)
        if !open.isEmpty { text += "; it is not shown that \(Format.list(open))" }
        let missing = VerdictQuestion.allCases.filter { outcome($0) == .notMeasured }
        if missing.count == VerdictQuestion.allCases.count { return "Nothing was measured that says whether these maps deserve trust." }
        return text + "."
    }

    /// What a map means first of all: where it points, and whether that mattered to the network.
    private static func lead(_ lesion: Verdict.Outcome, _ used: Verdict.Outcome) -> String {
        switch (lesion, used) {
        case (.shown, .shown): "The map points at the lesion, and the network used what it points at"
        case (.shown, .shownToFail):
            "The map points at the lesion, but the network used what it points at less than places taken at random: it shows where the lesion is, not why the network decided"
        case (.shown, .notShown): "The map points at the lesion, but it is not shown that the network used what it points at"
        case (.shown, .notMeasured): "The map points at the lesion; whether the network used what it points at was not measured"
        case (.shownToFail, .shown):
            "The network used what the map points at, but that is not the lesion: look at what the network goes by instead"
        case (.notShown, .shown): "The network used what the map points at, but it is not shown that this is the lesion"
        case (.notMeasured, .shown): "The network used what the map points at; whether that is the lesion was not measured"
        case (.shownToFail, .shownToFail): "The map points neither at the lesion nor at what the network used"
        case (.shownToFail, .notShown), (.shownToFail, .notMeasured):
            "The map does not point at the lesion"
                + (used == .notShown ? ", and it is not shown that the network used what it points at" : "")
        case (.notShown, .shownToFail), (.notMeasured, .shownToFail):
            "The network used what the map points at less than places taken at random"
        case (.notShown, .notShown): "Neither is it shown that the map points at the lesion, nor that the network used what it points at"
        case (.notShown, .notMeasured): "It is not shown that the map points at the lesion"
        case (.notMeasured, .notShown): "It is not shown that the network used what the map points at"
        case (.notMeasured, .notMeasured): "Where the map points, and whether the network used it, was not measured"
        }
    }

    /// What else may be wrong with a map: that it is, and that it may be.
    private static let doubts: [(question: VerdictQuestion, failed: String, open: String)] = [
        (.weights, "a network that has learnt nothing gets much the same map", "it depends on what the network learnt"),
        (.classes, "it looks much the same for another diagnosis", "it differs for another diagnosis"),
        (.stable, "noise that nobody can see changes it", "it stays the same under noise that nobody can see"),
        (.seeds, "training the network again gives another map", "training the network again gives the same map"),
    ]

    private static func several(_ verdicts: [MethodVerdict]) -> String {
        let parts = VerdictQuestion.allCases.compactMap { question -> String? in
            let outcomes = verdicts.map { $0[question].outcome }.filter { $0 != .notMeasured }
            guard !outcomes.isEmpty else { return nil }
            let (shown, failed) = (outcomes.count { $0 == .shown }, outcomes.count { $0 == .shownToFail })
            return "\(question.title) in \(shown) of \(outcomes.count)" + (failed > 0 ? " (shown to fail in \(failed))" : "")
        }
        guard !parts.isEmpty else { return "Nothing was measured that says whether these maps deserve trust." }
        return "Of \(verdicts.count) pairs of model and data set, it is shown that the map \(Format.list(parts))."
    }
}
