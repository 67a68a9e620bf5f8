/// The visible part of an endoscope's picture: whole, a disc, or a square with cut corners, on black.
struct EndoscopeFrame {
    enum Shape { case whole, disc, octagon }
    let shape: Shape
    let centre: Vector2
    let radius: Float
    let cut: Float

    init(draws: inout PhantomDraws) {
        let kind = draws.uniform(0, 1)
        shape = kind < 0.3 ? .whole : kind < 0.6 ? .disc : .octagon
        centre = Vector2(128 + draws.uniform(-5, 5), 128 + draws.uniform(-5, 5))
        radius = draws.uniform(126, 142)
        cut = draws.uniform(172, 196)
    }

    /// Distance from the edge in pixels; negative inside.
    @inline(__always)
    func distance(_ p: Vector2) -> Float {
        let q = p - centre
        switch shape {
        case .whole: return -1000
        case .disc: return length(q) - radius
        case .octagon:
            let a = Vector2(abs(q.x), abs(q.y))
            return max(max(a.x, a.y) - radius * 0.92, (a.x + a.y - cut) * 0.7071)
        }
    }

    /// What the lens lets through: 1 in the middle, falling towards the corners, 0 outside the frame.
    @inline(__always)
    func vignette(_ p: Vector2) -> Float {
        let r = length(p - centre) / 181
        return clamped(0.5 - distance(p) * 0.6) * (1 - 0.35 * r * r * r)
    }
}
