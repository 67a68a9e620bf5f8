import Foundation
import VitrineImage
import VitrineStore
import VitrineTensor

/// A part of the page under a heading of its own.
protocol PageSection {
    /// The anchor.
    var id: String { get }
    var title: String { get }
    func write(_ html: inout HTML) throws
}

/// `report.html`: one file that needs nothing else, in the order in which a reader asks.
struct Page {
    let study: StudyAnalysis
    let gallery: Gallery
    let colorMap: ColorMap
    private let sections: [any PageSection]

    init(study: StudyAnalysis, verdict: VerdictSection, answer: Answer, gallery: Gallery, overview: Overview, colorMap: ColorMap) {
        (self.study, self.gallery, self.colorMap) = (study, gallery, colorMap)
        sections = [
            verdict, AnswerSection(study: study, answer: answer, overview: overview), ScoreTables(study: study),
            PicturesSection(overview: overview, colorMap: colorMap), GallerySection(gallery: gallery, colorMap: colorMap),
            ProtocolChanges(study: study), RanksSection(study: study), CurvesSection(study: study), SizeSection(study: study),
            MasksSection(study: study),
            PredictionsSection(study: study),
            FlipsSection(study: study), AgreementSection(study: study), ComparisonsSection(study: study), FailuresSection(study: study),
            LimitsSection(study: study),
            ProvenanceSection(study: study),
        ]
    }

    func html() throws -> String {
        var html = HTML()
        html.markup("<!DOCTYPE html>\n")
        try html.element("html", ["lang": "en"]) { html in
            html.element("head") { $0.head(title: study.title.isEmpty ? "Study" : study.title, script: PackageResources.report_js) }
            try html.element("body") { html in
                html.element("a", ["class": "skip", "href": "#verdict"], "Skip to the verdict")
                html.element("header") { html in
                    html.element("h1", study.title.isEmpty ? "Study" : study.title)
                    html.element("p", ["class": "note"]) { html in
                        html.text(facts)
                        // The day of the file: the page itself is the same on every day.
                        html.element("span", ["id": "written"], "")
                    }
                    html.element("nav", ["aria-label": "Sections"]) { html in
                        html.element("ul") { html in
                            for section in sections { html.element("li") { $0.element("a", ["href": "#\(section.id)"], section.title) } }
                        }
                    }
                }
                try html.element("main") { html in
                    for section in sections {
                        try html.element("section", ["id": section.id, "aria-labelledby": "h-\(section.id)"]) { html in
                            html.element("h2", ["id": "h-\(section.id)"], section.title)
                            try section.write(&html)
                        }
                    }
                }
                let data = try gallery.json(colorMap: colorMap)
                html.element("script", ["type": "application/json", "id": "gallery-data"]) { $0.markup(data) }
                html.element("script") { $0.markup(String(decoding: PackageResources.report_js, as: UTF8.self)) }
            }
        }
        return html.source
    }

    private var facts: String {
        let versions = Set(study.arithmetic.map(\.vitrine)).sorted()
        let images = study.datasets.reduce(0) { $0 + $1.scored }
        return "Vitrine \(versions.joined(separator: ", ")); \(Format.count(images, "image")) scored, "
            + "\(Format.count(study.datasets.count, "data set")); seed \(study.seed); study \(study.fingerprint.prefix(12))"
    }
}

extension HTML {
    /// What a page's head says: nothing is fetched, and nothing runs but the page's own program, as the browser itself sees to.
    mutating func head(title: String, script: [UInt8]?) {
        void("meta", ["charset": "utf-8"])
        void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
        void("meta", ["name": "color-scheme", "content": "light dark"])
        void(
            "meta",
            [
                "http-equiv": "Content-Security-Policy",
                "content": "default-src 'none'; img-src data:; style-src '\(Self.digest(PackageResources.report_css))'"
                    + (script.map { "; script-src '\(Self.digest($0))'" } ?? ""),
            ])
        element("title", title)
        element("style") { $0.markup(String(decoding: PackageResources.report_css, as: UTF8.self)) }
    }

    /// What a content security policy calls a script or style that may run.
    private static func digest(_ bytes: [UInt8]) -> String {
        let hex = Array(sha256(of: bytes))
        let raw = stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(String(hex[$0...$0 + 1]), radix: 16) }
        return "sha256-\(Data(raw).base64EncodedString())"
    }
}
