import VitrineEvaluate
import VitrineTensor

/// `verdict.csv`: one row per data set, model, method, question and measurement.
struct VerdictTable {
    let study: StudyAnalysis

    func text() -> String {
        var text = CSV.line([
            "dataset", "model", "method", "question", "outcome", "metric", "value", "value_low", "value_high", "bars", "excess", "p",
            "p_holm",
            "tests", "images", "patients", "undefined", "note",
        ])
        for verdict in study.verdicts {
            guard let dataset = study.datasets.first(where: { $0.dataset.id == verdict.datasetID }),
                let model = dataset.model(verdict.modelID), let method = study.method(verdict.methodID)
            else { continue }
            for one in verdict.verdicts {
                let head = [
                    CSV.field(dataset.dataset.name), CSV.field(model.name), CSV.field(method.name), one.question.rawValue,
                    one.outcome.rawValue,
                ]
                let excess = one.test.map { $0.criteria.map { CSV.number($0.excess) }.joined(separator: "; ") } ?? ""
                let test = [excess, CSV.number(one.test?.pValue), CSV.number(one.adjusted), "\(study.verdictTests)"]
                for measure in one.measures {
                    let bars = measure.bars.map { "\($0.name) \(CSV.number($0.value))" }.joined(separator: "; ")
                    text += CSV.line(
                        head
                            + [
                                CSV.field(measure.metric), CSV.number(measure.value), CSV.number(measure.interval.lower),
                                CSV.number(measure.interval.upper), CSV.field(bars),
                            ] + test
                            + ["\(measure.images)", "\(measure.patients)", "\(measure.undefined)", CSV.field(one.note ?? "")])
                }
                if one.measures.isEmpty {
                    text += CSV.line(head + ["", "", "", "", ""] + test + ["", "", "", CSV.field(one.note ?? "")])
                }
            }
        }
        return text
    }
}
