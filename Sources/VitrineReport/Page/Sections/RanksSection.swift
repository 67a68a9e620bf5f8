/// Critical-difference diagrams.
struct RanksSection: PageSection {
    let study: StudyAnalysis
    let id = "ranks"
    let title = "Ranks"

    func write(_ html: inout HTML) {
        html.note(
            "Methods are ranked within every patient by \(study.primaryTitle), 1 being best, the centre prior among them. Friedman's test with Iman and Davenport's correction asks whether they differ at all; Nemenyi's critical difference (CD) at 5 % says by how much mean ranks must differ. A thick bar joins methods that are not told apart. Friedman asks once whether any two differ; the comparisons of pairs further down ask for each pair and pay for that by Holm's adjustment, so that it may find a difference where no pair is told apart."
        )
        var isEmpty = true
        for dataset in study.datasets {
            guard let metric = dataset.metric(study.primary.name, study.primary.protocolName) else { continue }
            for ranking in metric.rankings {
                isEmpty = false
                let model = dataset.model(ranking.modelID)
                let title = "\(dataset.dataset.name), \(model?.name ?? "")\(model?.kind == .randomWeights ? " (control)" : "")"
                let names = ranking.methodIDs.map { study.method($0)?.name ?? "" }
                let test = ranking.friedman.imanDavenport
                let blocks = Format.count(ranking.friedman.blocks, dataset.patients == nil ? "image" : "patient")
                html.element("h3", title)
                html.figure(
                    CriticalDifferenceFigure(ranking: ranking, names: names, title: title).drawing(),
                    caption: "Mean ranks over \(blocks). Friedman: F = "
                        + "\(Format.fixed(test.statistic, 2)), p \(Format.equals(test.pValue)).")
            }
        }
        if isEmpty { html.element("p", "There are no two methods to rank.") }
    }
}
