import VitrineImage

/// The controls of the gallery; its pictures are drawn by the page's script.
struct GallerySection {
    let gallery: Gallery
    let colorMap: ColorMap

    func write(_ html: inout HTML) {
        let shown = gallery.parts.filter { !$0.cases.isEmpty }
        for part in gallery.parts {
            for absence in part.absences { html.element("p", ["class": "no"], absence) }
        }
        guard !shown.isEmpty else {
            html.element("p", "There are no pictures to browse.")
            return
        }
        html.element(
            "p", ["class": "note"],
            "Best, worst and randomly drawn images by \(gallery.study.primary.name), averaged over methods and models. Each map is stretched to its own range."
        )
        html.element("noscript") { $0.element("p", "The gallery needs JavaScript, which this page carries itself; nothing is fetched.") }
        html.element("fieldset") { html in
            html.element("legend", "Gallery")
            select("dataset", "Data set", shown.map { ($0.dataset.dataset.name, $0.dataset.dataset.name) }, &html)
            select("model", "Model", (shown[0].dataset.columns).map { ("\($0.id)", $0.name) }, &html)
            range("opacity", "Opacity", "50", &html)
            range("top", "Show the strongest (%)", "100", &html)
            html.element("label") { html in
                html.void("input", ["type": "checkbox", "id": "gallery-outline", "checked": ""])
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
        html.element("label", ["for": "gallery-\(name)"]) { html in
            html.text(title + " ")
            html.void("input", ["type": "range", "id": "gallery-\(name)", "min": "0", "max": "100", "value": value])
        }
    }
}
