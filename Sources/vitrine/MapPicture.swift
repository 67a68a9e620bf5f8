import VitrineData
import VitrineImage

/// The picture that maps of an image are drawn on, and how a mask or a map gets there: the image as stored, in its own proportions, or as
/// the network saw it.
struct MapPicture {
    /// Grey or RGB; the stored image shrunk to at most `mostPixels` a side, or the view enlarged by a whole factor to at least 256.
    let image: Image
    /// Nil on the network's view.
    private let frame: ViewFrame?
    private let stored: (width: Int, height: Int)
    private let view: (width: Int, height: Int)

    static let mostPixels = 1024
    var viewWidth: Int { view.width }
    var viewHeight: Int { view.height }

    /// - Parameter stored: the image as stored; nil (or `inOwnFrame` false) draws on the network's view.
    init(stored: Image?, view: Image, preprocess: Preprocess, inOwnFrame: Bool = true) {
        self.view = (view.width, view.height)
        guard let stored, inOwnFrame else {
            let factor = max(1, 256 / max(min(view.width, view.height), 1))
            image = factor == 1 ? view : view.resized(width: view.width * factor, height: view.height * factor, filter: .nearest)
            self.stored = (view.width, view.height)
            frame = nil
            return
        }
        self.stored = (stored.width, stored.height)
        frame = preprocess.viewFrame(width: stored.width, height: stored.height)
        let longest = max(stored.width, stored.height)
        if longest > Self.mostPixels {
            let scale = Double(Self.mostPixels) / Double(longest)
            image = stored.resized(
                width: max(1, Int((Double(stored.width) * scale).rounded())),
                height: max(1, Int((Double(stored.height) * scale).rounded())),
                filter: .bilinear)
        } else {
            let factor = max(1, 256 / max(longest, 1))
            image =
                factor == 1 ? stored : stored.resized(width: stored.width * factor, height: stored.height * factor, filter: .nearest)
        }
    }

    /// A map of the view on the picture.
    func place(_ map: HeatMap) -> PlacedMap {
        if image.width == map.width && image.height == map.height && frame == nil { return PlacedMap(map) }
        let (sx, sy) = (Double(stored.width) / Double(image.width), Double(stored.height) / Double(image.height))
        return PlacedMap(map, width: image.width, height: image.height) { x, y in
            frame.map { $0.viewPlace(x: x * sx, y: y * sy) } ?? (x * sx, y * sy)
        }
    }

    /// A mask on the picture: one of the stored image's size as it is, one of the view's size through the view.
    ///
    /// - Parameter file: for the error.
    func place(_ mask: Mask, file: String) throws -> Mask {
        let isStored = mask.width == stored.width && mask.height == stored.height
        guard isStored || (mask.width == view.width && mask.height == view.height) else {
            throw CommandFailure(
                "\(file): mask of \(mask.width) x \(mask.height) pixels fits neither its image (\(stored.width) x \(stored.height)) nor the "
                    + "network's view (\(view.width) x \(view.height)); export it at the image's size")
        }
        var out = Mask(width: image.width, height: image.height, bits: [Bool](repeating: false, count: image.width * image.height))
        for y in 0..<image.height {
            for x in 0..<image.width {
                var place = (
                    x: (Double(x) + 0.5) * Double(stored.width) / Double(image.width),
                    y: (Double(y) + 0.5) * Double(stored.height) / Double(image.height)
                )
                if !isStored, let frame { place = frame.viewPlace(x: place.x, y: place.y) }
                let (row, column) = (Int(place.y.rounded(.down)), Int(place.x.rounded(.down)))
                guard (0..<mask.height).contains(row), (0..<mask.width).contains(column) else { continue }
                out[row: y, column: x] = mask[row: row, column: column]
            }
        }
        return out
    }
}
