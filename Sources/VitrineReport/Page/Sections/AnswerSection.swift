/// What was asked, and the answer.
struct AnswerSection: PageSection {
    let study: StudyAnalysis
    let answer: Answer
    let id = "answer"
    let title = "Answer"

    func write(_ html: inout HTML) {
        html.element("div", ["class": "answer"]) { html in
            html.element("p") { $0.element("strong", answer.question) }
            for sentence in answer.sentences { html.element("p", sentence) }
        }
        let progress = study.progress
        if !progress.isComplete || progress.failed > 0 {
            html.element(
                "p", ["class": "no"],
                "This study is not whole: \(progress.done) of \(progress.total) units are done, \(progress.failed) failed.")
        }
    }
}
