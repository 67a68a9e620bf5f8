import VitrineEvaluate
import VitrineStore
import VitrineTensor

/// `summary.csv`: one row per cell of the tables; and `comparisons.csv`: one row per pair of methods, models or controls.
struct SummaryTable {
    let study: StudyAnalysis

    func summary() -> String {
        var text = CSV.line([
            "dataset", "model", "model_kind", "method", "is_control", "metric", "protocol", "images", "patients", "undefined", "value",
            "value_low", "value_high", "interval", "chance", "ceiling", "skill", "skill_low", "skill_high", "p_chance", "p_chance_holm",
            "test_chance", "centre_difference", "centre_low", "centre_high", "p_centre_holm", "verdict",
        ])
        let centre = study.methods.first { $0.identifier == "centre" }?.id
        for dataset in study.datasets {
            for metric in dataset.metrics {
                for cell in metric.cells {
                    guard let model = dataset.model(cell.modelID), let method = study.method(cell.methodID) else { continue }
                    let against = centre.flatMap { cell.against(method: $0) }
                    let head = [
                        CSV.field(dataset.dataset.name), CSV.field(model.name), model.kind.rawValue, CSV.field(method.name),
                        method.isControl ? "1" : "0", CSV.field(metric.metric.name), metric.metric.protocolName, "\(cell.images)",
                        "\(cell.patients)", "\(cell.undefined)",
                    ]
                    let numbers: [String] = [
                        CSV.number(cell.value), CSV.number(cell.interval.lower), CSV.number(cell.interval.upper),
                        cell.interval.method.rawValue, CSV.number(cell.chance), CSV.number(cell.ceiling), CSV.number(cell.skill),
                        CSV.number(cell.skillInterval?.lower), CSV.number(cell.skillInterval?.upper), CSV.number(cell.chanceP),
                        CSV.number(cell.chanceAdjusted), cell.chanceTest ?? "",
                    ]
                    let last = [
                        CSV.number(against?.comparison.meanDifference), CSV.number(against?.comparison.interval.lower),
                        CSV.number(against?.comparison.interval.upper), CSV.number(against?.adjusted),
                        method.isControl ? "control" : CSV.field(cell.verdict.rawValue),
                    ]
                    text += CSV.line(head + numbers + last)
                }
            }
        }
        return text
    }

    func comparisons() -> String {
        var text = CSV.line([
            "dataset", "metric", "protocol", "first_model", "first_method", "second_model", "second_method", "family", "images", "patients",
            "difference", "low", "high", "p", "p_holm", "test", "p_wilcoxon", "rank_biserial", "cliff_delta", "minimum_detectable_effect",
        ])
        for dataset in study.datasets {
            for metric in dataset.metrics {
                func add(
                    _ first: (Int, Int), _ second: (Int, Int), _ family: String, _ images: Int, _ c: PairedComparison, _ p: Double,
                    _ adjusted: Double, _ test: String
                ) {
                    let names = [first, second].flatMap { [dataset.model($0.0)?.name ?? "", study.method($0.1)?.name ?? ""] }
                    let numbers = [
                        c.meanDifference, c.interval.lower, c.interval.upper, p, adjusted,
                    ].map { CSV.number($0) }
                    let effects = [c.wilcoxon.pValue, c.rankBiserial, c.cliffDelta, c.minimumDetectableEffect].map { CSV.number($0) }
                    text += CSV.line(
                        [CSV.field(dataset.dataset.name), CSV.field(metric.metric.name), metric.metric.protocolName] + names.map(CSV.field)
                            + [family, "\(images)", "\(c.patients)"] + numbers + [test] + effects)
                }
                for pair in metric.pairs {
                    add(
                        (pair.firstModel, pair.firstMethod), (pair.secondModel, pair.secondMethod), "pairs", pair.images, pair.comparison,
                        pair.pValue, pair.adjusted, pair.test)
                }
                for cell in metric.cells {
                    for control in cell.controls {
                        add(
                            (cell.modelID, cell.methodID), (control.modelID, control.methodID), "control", cell.images, control.comparison,
                            control.pValue, control.adjusted, control.comparison.primary(images: cell.images).test)
                    }
                }
            }
        }
        return text
    }

    /// `timings.csv`: not part of the content, and different in every run.
    static func timings(_ store: Store) throws(StoreError) -> String {
        let models = Dictionary(uniqueKeysWithValues: try store.models().map { ($0.id, $0.name) })
        let samples = Dictionary(uniqueKeysWithValues: try store.samples().map { ($0.id, $0.name) })
        var text = CSV.line(["model", "image", "prepare_seconds", "explain_seconds", "stability_seconds", "score_seconds"])
        for t in try store.timings() {
            text += CSV.line(
                [CSV.field(models[t.modelID] ?? ""), CSV.field(samples[t.sampleID] ?? "")]
                    + [t.prepare, t.explain, t.stability, t.score].map { CSV.number($0) })
        }
        return text
    }
}
