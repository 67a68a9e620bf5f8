/// Scores against lesion size, and on parts of the images.
struct SizeSection: PageSection {
    let study: StudyAnalysis
    let id = "size"
    let title = "Lesion size and strata"

    func write(_ html: inout HTML) {
        html.note(
            "By \(study.primaryTitle). Lines join means over up to ten groups of images of like lesion size. Strata are looked at separately, not tested: differences between them may be due to lesion size, which changes chance as well."
        )
        var isEmpty = true
        for dataset in study.datasets {
            for model in dataset.columns {
                let strata = dataset.strata.filter { $0.modelID == model.id }
                guard !strata.isEmpty else { continue }
                isEmpty = false
                let names = strata.map { study.method($0.methodID)?.name ?? "" }
                let title = "\(dataset.dataset.name), \(model.name)"
                html.element("h3", title)
                html.figure(
                    SizeFigure(strata: strata, names: names, title: "\(title): \(study.primaryTitle)").drawing(),
                    caption: "Score against lesion area; dots are images, the dashed line is the chance level.")
                table(strata, names, title, &html)
            }
        }
        if isEmpty { html.element("p", "No trained model was run.") }
    }

    private func table(_ strata: [StrataAnalysis], _ names: [String], _ title: String, _ html: inout HTML) {
        let rows = strata[0].strata.map { ($0.factor, $0.name) }
        html.table(
            caption: "Strata: \(title)", ["factor", .words("stratum"), "images (patients)", "chance"] + names.map { Column($0) }
        ) { html in
            for (factor, name) in rows {
                let own = strata.map { $0.strata.first { $0.factor == factor && $0.name == name } }
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], factor)
                    html.words(name)
                    html.element("td", own[0].map { "\($0.images) (\($0.patients))" } ?? "–")
                    html.element("td", Format.score(own[0]?.chance))
                    for stratum in own { html.cell(stratum?.value, stratum?.interval) }
                }
            }
        }
    }
}
