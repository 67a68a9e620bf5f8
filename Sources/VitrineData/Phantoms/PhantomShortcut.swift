import VitrineImage

/// A confounder: a tag burnt into the picture that co-occurs with the label but is no disease.
///
/// With rate r an image with a lesion carries the tag with probability r, one without with probability 1 - r. At 1 the tag alone gives the
/// label away, at 0.5 it says nothing, at 0 it marks the healthy. The tag's mask is its whole box.
public struct PhantomShortcut: Sendable, Equatable {
    public enum Tag: String, Sendable, CaseIterable, Codable {
        /// A white letter (L, R, A, H, T or F) on a dark plate in a corner, 26 x 30 pixels.
        case letter
        /// A green box with a scope's outline in a lower corner, 42 x 42 pixels.
        case scopeBox = "scope-box"
        /// A scale with ticks along the left or right edge, 14 x 150 pixels.
        case ruler
    }

    public let tag: Tag
    /// 0...1
    public let rate: Double

    public init(tag: Tag, rate: Double) throws(PhantomError) {
        guard rate >= 0 && rate <= 1 else { throw .rate(option: "shortcut", value: rate) }
        self.tag = tag
        self.rate = rate
    }

    /// From the command line's `TAG:RATE`, such as `letter:0.9`.
    public init(parsing text: String) throws(PhantomError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let tag = Tag(rawValue: String(parts[0])), let rate = Double(parts[1]) else {
            throw .shortcut(text: text)
        }
        try self.init(tag: tag, rate: rate)
    }
}

/// A tag at its place: paints it and knows its box.
struct PlacedTag {
    let tag: PhantomShortcut.Tag
    /// Left, top, width and height in pixels.
    let box: (x: Int, y: Int, width: Int, height: Int)
    let glyph: [(Vector2, Vector2)]
    let bend: Float

    /// Chooses a place at random among those where the tag covers least of the lesion.
    init(_ tag: PhantomShortcut.Tag, lesion: [Bool], draws: inout PhantomDraws) {
        self.tag = tag
        glyph = Self.letters[draws.integer(0...Self.letters.count - 1)]
        bend = draws.uniform(-0.6, 0.6)
        let inset = draws.integer(6...12)
        let side = Plane.side
        let size: (Int, Int)
        var places: [(Int, Int)]
        switch tag {
        case .letter:
            size = (26, 30)
            places = [
                (inset, inset), (side - inset - 26, inset), (inset, side - inset - 30), (side - inset - 26, side - inset - 30),
            ]
        case .scopeBox:
            size = (42, 42)
            places = [(inset, side - inset - 42), (side - inset - 42, side - inset - 42)]
        case .ruler:
            size = (14, 150)
            places = [(inset - 4, 53), (side - inset - 10, 53)]
        }
        var best: (x: Int, y: Int, width: Int, height: Int) = (0, 0, size.0, size.1)
        var least = Int.max
        while !places.isEmpty {
            let (x, y) = places.remove(at: draws.integer(0...places.count - 1))
            var covered = 0
            for row in y..<y + size.1 {
                for column in x..<x + size.0 where lesion[row * side + column] { covered += 1 }
            }
            if covered < least {
                least = covered
                best = (x, y, size.0, size.1)
            }
        }
        box = best
    }

    /// Burns the tag into finished bytes and returns its mask.
    func burn(into bytes: inout [UInt8]) -> [Bool] {
        var mask = [Bool](repeating: false, count: Plane.count)
        for y in box.y..<box.y + box.height {
            for x in box.x..<box.x + box.width {
                let i = y * Plane.side + x
                mask[i] = true
                let colour = colour(Vector2(Float(x - box.x) + 0.5, Float(y - box.y) + 0.5))
                for k in 0..<3 { bytes[3 * i + k] = UInt8((255 * clamped(colour[k])).rounded()) }
            }
        }
        return mask
    }

    private func colour(_ p: Vector2) -> Colour {
        switch tag {
        case .letter:
            var d: Float = 99
            for (a, b) in glyph { d = min(d, segmentDistance(p, a * Vector2(14, 18) + 6, b * Vector2(14, 18) + 6)) }
            return Colour(repeating: mix(0.03, 0.96, coverage(d - 1.6)))
        case .scopeBox:
            let q = p - Vector2(21, 21)
            let frame = coverage(abs(boxDistance(q, Vector2(19.5, 19.5))) - 1.5)
            let curve = q.x - 9 * bend * phantomSine(q.y * 0.18)
            let scope = abs(q.y) < 15 ? coverage(abs(curve) - 2) : 0
            let field = Colour(0.02, 0.16, 0.06)
            return mix(mix(field, Colour(0.25, 0.75, 0.40), scope), Colour(0.10, 0.88, 0.28), frame)
        case .ruler:
            let tick = p.y - 5 - ((p.y - 5) / 14).rounded() * 14
            let number = Int(((p.y - 5) / 14).rounded())
            let long: Float = number % 5 == 0 ? 11 : 7
            let mark = coverage(max(abs(tick) - 0.9, p.x - long))
            let line = coverage(abs(p.x - 1.5) - 1)
            return Colour(repeating: mix(0.05, 0.94, max(mark, line)))
        }
    }

    /// Strokes of block letters in the unit square, y downwards.
    private static let letters: [[(Vector2, Vector2)]] = {
        func v(_ x: Float, _ y: Float) -> Vector2 { Vector2(x, y) }
        let l = [(v(0.1, 0), v(0.1, 1)), (v(0.1, 1), v(0.9, 1))]
        let r = [
            (v(0.1, 0), v(0.1, 1)), (v(0.1, 0), v(0.65, 0)), (v(0.65, 0), v(0.88, 0.15)), (v(0.88, 0.15), v(0.88, 0.38)),
            (v(0.88, 0.38), v(0.65, 0.52)), (v(0.65, 0.52), v(0.1, 0.52)), (v(0.5, 0.52), v(0.92, 1)),
        ]
        let a = [(v(0, 1), v(0.5, 0)), (v(0.5, 0), v(1, 1)), (v(0.2, 0.62), v(0.8, 0.62))]
        let h = [(v(0.1, 0), v(0.1, 1)), (v(0.9, 0), v(0.9, 1)), (v(0.1, 0.5), v(0.9, 0.5))]
        let t = [(v(0, 0), v(1, 0)), (v(0.5, 0), v(0.5, 1))]
        let f = [(v(0.1, 0), v(0.1, 1)), (v(0.1, 0), v(0.9, 0)), (v(0.1, 0.48), v(0.7, 0.48))]
        return [l, r, a, h, t, f]
    }()
}
