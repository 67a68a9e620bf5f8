/// How well the models decide, and whether their confidence is deserved.
struct PredictionsSection: PageSection {
    let study: StudyAnalysis
    let id = "predictions"
    let title = "Predictions and calibration"

    func write(_ html: inout HTML) {
        let rows = study.datasets.flatMap { dataset in dataset.predictions.map { (dataset, $0) } }
        guard !rows.isEmpty else {
            html.element("p", "No model was run on labelled images.")
            return
        }
        html.table(
            caption: "How well the models decide what they are asked to explain",
            [
                "data set", .words("model"), "images (positive)", "patients", "accuracy", "balanced accuracy", "sensitivity",
                "specificity", "AUROC", "Brier score", "calibration error",
            ]
        ) { html in
            for (dataset, p) in rows {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.words(Self.name(dataset, p))
                    html.element("td", "\(p.images) (\(p.positives))")
                    html.element("td", "\(p.patients)")
                    html.cell(p.accuracy, p.accuracyInterval)
                    html.element("td", Format.score(p.balancedAccuracy))
                    html.cell(p.sensitivity, p.sensitivityInterval)
                    html.cell(p.specificity, p.specificityInterval)
                    html.cell(p.area, p.areaInterval)
                    html.element("td", Format.score(p.brier))
                    html.element("td", Format.score(p.calibration.expectedError))
                }
            }
        }
        html.note(
            "Below: confidence of the answer against how often it is right, in ten bins of confidence; larger dots hold more images. On the dashed line confidence is deserved; below it the model is overconfident. The calibration error is the mean distance from that line."
        )
        html.element("div", ["class": "side"]) { html in
            for (dataset, p) in rows {
                let title = "\(dataset.dataset.name), \(Self.name(dataset, p))"
                html.figure(CalibrationFigure(prediction: p, title: title).drawing(), caption: title)
            }
        }
    }

    private static func name(_ dataset: DatasetAnalysis, _ prediction: PredictionAnalysis) -> String {
        guard let model = dataset.model(prediction.modelID) else { return "" }
        return model.kind == .randomWeights ? "\(model.name) (control)" : model.name
    }
}
