/// What is odd about the experts' masks.
struct MasksSection: PageSection {
    let study: StudyAnalysis
    let id = "masks"
    let title = "Masks"

    func write(_ html: inout HTML) {
        html.table(
            caption: "The experts' masks as stored",
            [
                "data set", "masks", "area: least", "median", "mean", "most", "empty", "whole image", "one rectangle", "several lesions",
                "grey levels",
            ]
        ) { html in
            for dataset in study.datasets {
                let masks = dataset.masks
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], dataset.dataset.name)
                    html.element("td", "\(masks.count)")
                    for area in [masks.minimumArea, masks.medianArea, masks.meanArea, masks.maximumArea] {
                        html.element("td", masks.count > 0 ? Format.percent(area) : "–")
                    }
                    for number in [masks.empty.count, masks.full.count, masks.rectangles, masks.severalLesions, masks.haloed] {
                        html.element("td", "\(number)")
                    }
                }
            }
        }
        html.note(
            "An empty mask cannot be hit: the study protocol scores it 0, the corrected protocol leaves it out and counts it. A mask of the whole image is always hit. More than two grey levels are halos of resampling, which the rule > 0 makes part of the lesion."
        )
        for dataset in study.datasets where !(dataset.masks.empty + dataset.masks.full).isEmpty {
            html.element("ul") { html in
                for name in dataset.masks.empty { html.element("li", "\(dataset.dataset.name): \(name) marks nothing") }
                for name in dataset.masks.full { html.element("li", "\(dataset.dataset.name): \(name) marks the whole image") }
            }
        }
    }
}
