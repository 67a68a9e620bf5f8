/// A heat map on the pixels of a picture, ready to be drawn: values from 0 to 1 where the network looked, nothing elsewhere.
public struct PlacedMap: Sendable {
    public let width: Int
    public let height: Int
    /// One per pixel, row-major: the displayed map stretched to 0...1; NaN outside the network's view.
    public let values: [Float]
    /// Smallest and largest upsampled value before normalisation: what the colour bar names.
    public let range: ClosedRange<Float>
    /// Why the map says nothing (NaN, infinity, constant); nil for a sound map.
    public let emptiness: String?

    /// On the image as the network saw it.
    public init(_ map: HeatMap) {
        self.init(map, width: map.width, height: map.height, shown: { $0 })
    }

    /// On a picture of any size.
    ///
    /// A map that repeats its cells keeps them as blocks, others are interpolated linearly.
    ///
    /// - Parameter viewPlace: the place in the network's view of a place in the picture, both in pixels, a pixel's centre at one half.
    /// - Complexity: O(width · height).
    public init(_ map: HeatMap, width: Int, height: Int, viewPlace: (_ x: Double, _ y: Double) -> (x: Double, y: Double)) {
        let isBlocks = map.display.upsampling == .nearest && (map.rows < map.height || map.columns < map.width)
        self.init(map, width: width, height: height) { shown in
            var out = [Float](repeating: .nan, count: width * height)
            let (w, h) = (map.width, map.height)
            for y in 0..<height {
                for x in 0..<width {
                    let place = viewPlace(Double(x) + 0.5, Double(y) + 0.5)
                    guard place.x >= 0, place.y >= 0, place.x < Double(w), place.y < Double(h) else { continue }
                    if isBlocks {
                        out[y * width + x] = shown[Int(place.y) * w + Int(place.x)]
                        continue
                    }
                    let (fx, fy) = (max(place.x - 0.5, 0), max(place.y - 0.5, 0))
                    let (left, top) = (min(Int(fx), w - 1), min(Int(fy), h - 1))
                    let (right, bottom) = (min(left + 1, w - 1), min(top + 1, h - 1))
                    let (tx, ty) = (Float(fx - Double(left)), Float(fy - Double(top)))
                    let above = shown[top * w + left] * (1 - tx) + shown[top * w + right] * tx
                    let below = shown[bottom * w + left] * (1 - tx) + shown[bottom * w + right] * tx
                    out[y * width + x] = above * (1 - ty) + below * ty
                }
            }
            return out
        }
    }

    private init(_ map: HeatMap, width: Int, height: Int, shown place: ([Float]) -> [Float]) {
        (self.width, self.height) = (width, height)
        let audit = map.audit
        emptiness =
            audit.isSound
            ? nil
            : audit.nanCount > 0 ? "\(audit.nanCount) NaN" : audit.infiniteCount > 0 ? "\(audit.infiniteCount) infinite" : "constant map"
        guard audit.isSound else {
            (values, range) = ([Float](repeating: .nan, count: width * height), 0...0)
            return
        }
        let shown = map.displayed()
        let (low, high) = (shown.min() ?? 0, shown.max() ?? 0)
        let span = high > low ? high - low : 1
        values = place(shown.map { ($0 - low) / span })
        var raw = map
        raw.display.gridNormalisation = .none
        raw.display.normalisation = .none
        let rawValues = raw.displayed()
        range = (rawValues.min() ?? 0)...(rawValues.max() ?? 0)
    }

    /// The border of the network's view, where the picture goes beyond it.
    public var border: Mask? {
        guard emptiness == nil, values.contains(where: \.isNaN) else { return nil }
        return Mask(width: width, height: height, bits: values.map { !$0.isNaN }).outline
    }
}
