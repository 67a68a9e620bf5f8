import VitrineImage

/// The controls of the gallery; its pictures are drawn by the page's script.
struct GallerySection: PageSection {
    let gallery: Gallery
    let colorMap: ColorMap
    let id = "gallery"
    let title = "Gallery"

    func write(_ html: inout HTML) {
        let shown = gallery.parts.filter { !$0.cases.isEmpty }
        for part in gallery.parts {
            for absence in part.absences { html.element("p", ["class": "no"], absence) }
            let others = part.dataset.columns.filter { model in !part.models.contains { $0.id == model.id } }.map(\.name)
            if !others.isEmpty {
                html.note(
                    "\(part.dataset.dataset.name): \(Format.list(others)) saw the images cut or scaled in another way than the first model, so that no map of theirs is drawn here."
                )
            }
        }
        guard !shown.isEmpty else {
            html.element("p", "There are no pictures to browse.")
            return
        }
        html.note(
            "Best, worst and randomly drawn images by \(gallery.study.primaryTitle), averaged over methods and trained models; at most one of each patient. Each map is stretched to its own range; \"only the strongest\" hides the weaker pixels, as the IoU at k % does. Shown are maps, not proofs: best and worst are chosen by score."
        )
        html.element("noscript") { $0.element("p", "The gallery needs JavaScript, which this page carries itself; nothing is fetched.") }
        html.element("fieldset", ["class": "tools"]) { html in
            html.element("legend", "Show")
            select("dataset", "Data set", shown.map { ($0.dataset.dataset.name, $0.dataset.dataset.name) }, &html)
            select("model", "Model", shown[0].models.map { ("\($0.id)", $0.name) }, &html)
            range("opacity", "Opacity of the map", "50", &html)
            range("top", "Only the strongest", "100", &html)
            html.element("label") { html in
                // Without masks there is nothing to draw or to leave out.
                let hasMasks = shown.contains { $0.cases.contains { $0.picture.mask != nil } }
                html.void(
                    "input", ["type": "checkbox", "id": "gallery-outline", hasMasks ? "checked" : "disabled": ""])
                html.text(" experts' outline")
            }
            let names = [colorMap] + [ColorMap.viridis, .magma, .turbo, .jet].filter { $0 != colorMap }
            select("colors", "Colours", names.map { ($0.rawValue, $0.rawValue) }, &html)
            html.element("span") { html in
                html.text("low ")
                html.element(
                    "canvas",
                    [
                        "id": "gallery-bar", "class": "bar", "width": "256", "height": "14", "role": "img",
                        "aria-label": "Colour bar from low to high",
                    ], "")
                html.text(" high")
            }
        }
        html.element("div", ["id": "gallery-cases"], "")
    }

    private func select(_ name: String, _ title: String, _ options: [(String, String)], _ html: inout HTML) {
        html.element("label", ["for": "gallery-\(name)"]) { html in
            html.text(title + " ")
            html.element("select", ["id": "gallery-\(name)"]) { html in
                for (value, text) in options { html.element("option", ["value": value], text) }
            }
        }
    }

    private func range(_ name: String, _ title: String, _ value: String, _ html: inout HTML) {
        html.element("span") { html in
            html.element("label", ["for": "gallery-\(name)"], title)
            html.text(" ")
            html.void("input", ["type": "range", "id": "gallery-\(name)", "min": "0", "max": "100", "value": value])
            html.element("output", ["id": "gallery-\(name)-value", "for": "gallery-\(name)"], "\(value) %")
        }
    }
}
