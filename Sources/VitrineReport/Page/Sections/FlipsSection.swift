import VitrineStore

/// The order of the methods by every metric, and which choices change who comes first.
struct FlipsSection: PageSection {
    let study: StudyAnalysis
    let id = "flips"
    let title = "What flips the ranking?"

    func write(_ html: inout HTML) {
        let found = study.datasets.flatMap { dataset in
            dataset.columns.filter { $0.kind != .randomWeights }.compactMap { RankFlips(study, dataset, $0) }
        }
        guard !found.isEmpty else { return html.element("p", "There are no two metrics and two methods to compare.") }
        html.note(
            "Methods by their mean score, 1 being best; tau is Kendall's with \(study.primaryTitle); beat chance: the methods shown to, after Holm's adjustment. Means without their uncertainty: whether two methods are told apart stands under comparisons, and what the order is worth in the verdict."
        )
        for flips in found { write(flips, &html) }
    }

    private func name(_ id: Int) -> String { study.method(id)?.name ?? "" }

    private func write(_ flips: RankFlips, _ html: inout HTML) {
        let place = "\(flips.model.name) on \(flips.dataset.dataset.name)"
        html.element("h3", place)
        let first = Set(flips.rows.flatMap { winners($0, flips) })
        html.element(
            "p",
            "By \(flips.rows.count) metrics, \(first.count == 1 ? "the same method comes" : "\(first.count) methods come") first: "
                + Format.list(flips.methodIDs.filter(first.contains).map(name)) + ".")
        html.element("ul") { html in
            for choice in flips.choices where choice.flips {
                html.element("li", "The \(choice.name) does: \(settings(choice)).")
            }
            let steady = flips.choices.filter { !$0.flips }
            if !steady.isEmpty { html.element("li", "These do not: the \(Format.list(steady.map(\.name))).") }
            for variants in flips.variants { html.element("li", sentence(variants, flips)) }
        }
        html.element("details") { html in
            html.element("summary", "Ranks by every metric")
            html.table(caption: "\(place): ranks", ["metric", "tau", "beat chance"] + flips.methodIDs.map { Column(name($0)) }) { html in
                for row in flips.rows {
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], row.title)
                        html.element("td", Format.fixed(row.tau, 2))
                        html.element("td", row.beating.tested > 0 ? "\(row.beating.count) of \(row.beating.tested)" : "–")
                        for rank in row.ranks {
                            html.element(
                                "td", rank == 1 ? ["class": "yes"] : [:], rank.map { Format.fixed($0, $0 == $0.rounded() ? 0 : 1) } ?? "–")
                        }
                    }
                }
            }
        }
    }

    private func winners(_ row: RankFlips.Row, _ flips: RankFlips) -> [Int] {
        let best = row.ranks.compactMap { $0 }.min()
        return zip(flips.methodIDs, row.ranks).filter { $0.1 != nil && $0.1 == best }.map(\.0)
    }

    private func settings(_ choice: RankFlips.Choice) -> String {
        Format.list(
            choice.settings.map { setting in
                "\(setting.name) puts \(Format.list(setting.first.map(name))) first"
                    + (setting.tellsNothing ? " (where no method is shown to beat chance, so that the order may be noise)" : "")
            })
    }

    /// The ranks that settings of one method have, by the primary metric, and over all of them.
    private func sentence(_ variants: [Int], _ flips: RankFlips) -> String {
        let primary = flips.rows.first { $0.metric.id == study.primary.id } ?? flips.rows[0]
        let parts = variants.map { id -> String in
            let at = flips.methodIDs.firstIndex(of: id) ?? 0
            let all = flips.rows.compactMap { $0.ranks[at] }
            let range = all.min().map { "\(Format.fixed($0, 0)) to \(Format.fixed(all.max() ?? $0, 0))" } ?? "none"
            return "\(name(id)) \(primary.ranks[at].map { Format.fixed($0, 0) } ?? "–") (over all metrics \(range))"
        }
        return "Rank by \(primary.title) of settings of one method: \(Format.list(parts))."
    }
}
