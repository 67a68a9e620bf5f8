import VitrineImage

/// What the model answers while patches are taken away or put back, beside random orders.
struct CurvesSection: PageSection {
    let study: StudyAnalysis
    let id = "curves"
    let title = "Curves"

    func write(_ html: inout HTML) {
        let drawings = Self.drawings(study)
        guard !drawings.isEmpty else {
            return html.element("p", "No curve with that of random orders beside it is stored: ask for deletion and insertion.")
        }
        html.note(
            "Means over images. Dashed: ten random orders of the patches of every image; bars: 95 % interval of their mean over patients. A method's curve that does not leave the dashed line orders patches as well as chance."
        )
        html.element("div", ["class": "metrics"]) { html in
            for (_, drawing, caption) in drawings { html.element("div", ["class": "metric"]) { $0.figure(drawing, caption: caption) } }
        }
    }

    /// A drawing per data set, model and metric, with a name for its file.
    static func drawings(_ study: StudyAnalysis) -> [(name: String, drawing: Drawing, caption: String)] {
        study.datasets.flatMap { dataset in
            dataset.curves.map { curves in
                let metric = study.metrics.first { $0.id == curves.metricID }
                let (data, model) = (dataset.dataset.name, dataset.model(curves.modelID)?.name ?? "")
                let title = "\(data), \(model): \(metric?.name ?? "")"
                let figure = CurveFigure(
                    curves: curves, names: curves.lines.map { study.method($0.methodID)?.name ?? "" }, title: title)
                let name = [data, "curve", metric?.name ?? "", model].map(Report.fileName).joined(separator: "-")
                return (name, figure.drawing(), "\(title). \(metric?.summary ?? "")")
            }
        }
    }
}
