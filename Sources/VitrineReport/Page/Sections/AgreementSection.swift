/// Whether the metrics rank the methods alike.
struct AgreementSection: PageSection {
    let study: StudyAnalysis
    let id = "agreement"
    let title = "Do the metrics agree?"

    func write(_ html: inout HTML) {
        html.note(
            "Kendall's W of the order in which the metrics put the methods: 1 when all metrics agree, 0 when they share nothing. A conclusion that changes with the metric is a conclusion about the metric. W of means has no interval: near ties make it jump, and a bootstrap of it seldom holds the truth; the verdict has one over patients."
        )
        let rows = study.datasets.flatMap { dataset in dataset.agreements.map { (dataset, $0) } }
        guard !rows.isEmpty else {
            html.element("p", "There are no two metrics and two methods to compare.")
            return
        }
        html.table(
            caption: "Agreement of the metrics",
            ["data set", .words("model"), "metrics", "Kendall's W", .words("least alike"), "Kendall's tau"]
        ) { html in
            for (dataset, a) in rows {
                let names = a.metricIDs.map { id in study.metrics.first { $0.id == id }?.name ?? "" }
                let tau = a.agreement.tau
                let pairs = names.indices.flatMap { i in names.indices.filter { $0 > i && tau[i][$0].isFinite }.map { (i, $0) } }
                let least = pairs.min { tau[$0.0][$0.1] < tau[$1.0][$1.1] }
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.words(dataset.model(a.modelID)?.name ?? "")
                    html.element("td", "\(names.count)")
                    html.element("td", Format.score(a.agreement.concordance.isFinite ? a.agreement.concordance : nil))
                    html.words(least.map { "\(names[$0.0]) and \(names[$0.1])" } ?? "–")
                    html.element("td", Format.score(least.map { tau[$0.0][$0.1] }))
                }
            }
        }
    }
}
