/// What could not be read, loaded or explained.
struct FailuresSection: PageSection {
    let study: StudyAnalysis
    let id = "failures"
    let title = "Failures"

    private static let most = 200

    func write(_ html: inout HTML) {
        guard !study.failures.isEmpty else {
            html.element(
                "p",
                study.progress.isComplete
                    ? "Everything was read, loaded and explained." : "Nothing failed so far; the study is not finished.")
            return
        }
        html.element("p", "\(Format.count(study.failures.count, "item")) could not be done; the rest was.")
        html.element("ul") { html in
            for failure in study.failures.prefix(Self.most) { html.element("li", "\(failure.stage.rawValue): \(failure.message)") }
        }
        if study.failures.count > Self.most { html.element("p", "... and \(study.failures.count - Self.most) more.") }
    }
}
