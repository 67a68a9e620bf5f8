import VitrineImage
import VitrineStudy

/// The paper's figure: rows are data sets, columns an image and the map of every method over it, the experts' outline drawn.
struct Overview {
    struct Picture {
        var image: Image
        /// Of the raw upsampled values; nil for the image itself and for a map that says nothing.
        var range: ClosedRange<Float>?
    }

    struct Row {
        var dataset: String
        var model: String
        var modelID: Int
        var sample: String
        /// How the image was chosen: `random`, or `best` where patients are few.
        var kind: String
        /// The image, then a picture per method; nil where there is no map.
        var pictures: [Picture?]
        /// What each method scores on this image by the study's primary metric.
        var scores: [(value: Double?, chance: Double?)] = []
    }

    let methods: [String]
    private(set) var rows: [Row] = []
    private let overlay: Overlay

    /// Of every data set one image of the gallery, a random one where it has such, under the first trained model.
    init(_ gallery: Gallery, store: Store, colorMap: ColorMap) throws(StoreError) {
        let explainers = gallery.study.explainers
        methods = explainers.map(\.name)
        overlay = Overlay(colorMap: colorMap, alpha: 0.5, showsColorBar: false)
        for part in gallery.parts {
            guard let model = part.dataset.columns.first(where: { $0.kind != .randomWeights }) ?? part.dataset.columns.first,
                let example = part.cases.first(where: { $0.kind == "random" }) ?? part.cases.first
            else { continue }
            var canvas = Canvas(example.picture.image.converted(toChannels: 3))
            if let mask = example.picture.mask { canvas.draw(mask.outline, color: .white) }
            var row = Row(
                dataset: part.dataset.dataset.name, model: model.name, modelID: model.id, sample: example.sample.name, kind: example.kind,
                pictures: [Picture(image: canvas.image)])
            for method in explainers {
                let map = try store.map(model: model.id, method: method.id, sample: example.sample.id)
                row.pictures.append(map.flatMap { picture($0, example.picture) })
                let column = try store.scores(model: model.id, method: method.id, metric: gallery.study.primary.id)
                let at = column.sampleIDs.firstIndex(of: example.sample.id)
                row.scores.append((at.flatMap { column.values[$0] }, at.flatMap { column.chances[$0] }))
            }
            rows.append(row)
        }
    }

    private func picture(_ map: HeatMap, _ picture: StudyPictures.Picture) -> Picture? {
        guard map.width == picture.image.width, map.height == picture.image.height else { return nil }
        let image = overlay.picture(of: map, over: picture.image, outline: picture.mask)
        guard map.audit.isSound else { return Picture(image: image) }
        var raw = map
        raw.display.gridNormalisation = .none
        raw.display.normalisation = .none
        let values = raw.displayed()
        return Picture(image: image, range: (values.min() ?? 0)...(values.max() ?? 0))
    }

    /// The figure as one picture, every map with its colour bar; nil without rows.
    func image() -> Image? {
        guard !rows.isEmpty else { return nil }
        let pictures = rows.map { row in
            row.pictures.map { picture in
                picture.map { picture in
                    picture.range.map { overlay.withColorBar(picture.image, low: $0.lowerBound, high: $0.upperBound) } ?? picture.image
                }
            }
        }
        return PictureGrid(
            columnLabels: ["image"] + methods, rowLabels: rows.map { "\($0.dataset), \($0.model)" }, pictures: pictures
        ).image()
    }
}
