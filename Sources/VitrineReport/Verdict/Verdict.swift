import VitrineEvaluate

/// The answer to one question about one method under one model on one data set.
public struct Verdict: Sendable, Equatable {
    public enum Outcome: String, Sendable, CaseIterable {
        case shown
        case notShown = "not shown"
        case shownToFail = "shown to fail"
        case notMeasured = "not measured"
    }

    /// One measurement against its bars.
    public struct Measure: Sendable, Equatable {
        /// The metric as the study names it.
        public var metric: String
        public var value: Double
        public var interval: Interval
        /// What the value is compared with, and the mean of it.
        public var bars: [Bar]
        public var images: Int
        public var patients: Int
        /// Images on which the metric has no value; they count nowhere.
        public var undefined: Int
    }

    public struct Bar: Sendable, Equatable {
        /// `chance`, `centre`, `random order`, or `bar`.
        public var name: String
        public var value: Double
    }

    public var question: VerdictQuestion
    public var outcome: Outcome
    public var measures: [Measure]
    /// Nil where there was nothing to test.
    public var test: BarTest?
    /// `test.pValue` after Holm's adjustment over all tests of the page's cards.
    public var adjusted: Double?
    /// Why there is no answer, or what a reader must know of it.
    public var note: String?

    init(
        _ question: VerdictQuestion, _ outcome: Outcome = .notShown, measures: [Measure] = [], test: BarTest? = nil, note: String? = nil
    ) {
        (self.question, self.outcome, self.measures, self.test, self.note) = (question, outcome, measures, test, note)
    }

    static func notMeasured(_ question: VerdictQuestion, _ note: String? = nil) -> Verdict {
        Verdict(question, .notMeasured, note: note ?? question.remedy)
    }

    /// Decides, once the p-value is adjusted.
    ///
    /// - Parameter tests: of the family.
    mutating func decide(adjusted: Double, tests: Int, level: Double) {
        guard let test else { return }
        self.adjusted = adjusted
        switch test.decision(adjusted: adjusted, level: level) {
        case .shown: outcome = .shown
        case .shownToFail: outcome = .shownToFail
        case .notShown:
            outcome = .notShown
            let power = TestPower(units: test.patients, tests: tests, isTwoSided: true, level: level)
            if !power.canTell {
                let reason = "with \(test.patients) patients or images nothing could be shown; at least \(power.needed) are needed"
                note = [note, reason].compactMap { $0 }.joined(separator: "; ")
            }
        }
    }
}

/// All answers about one method under one model on one data set.
public struct MethodVerdict: Sendable, Equatable {
    public var datasetID: Int
    public var modelID: Int
    public var methodID: Int
    /// In the order of `VerdictQuestion`.
    public var verdicts: [Verdict]

    public subscript(question: VerdictQuestion) -> Verdict { verdicts.first { $0.question == question } ?? .notMeasured(question) }
}
