/// The ground of the tasks with planted causes: hazy grey tissue with bright and dark strands, in which masses lie.
///
/// Ground: level U(0.36, 0.50) with smooth structure (sd 0.06) and grain (sd 0.02). Up to 16 strands of U(2, 5) pixels half width,
/// bright or dark as the masses are, so that the picture's histogram does not tell whether a mass is there. Masses: 1-4 % of the
/// image, log-normal with median 1.9 % and sigma 0.35, elongation 1-1.4; a bright one (first kind) lies U(0.26, 0.36) above the
/// ground's level, a dark one (second kind) as far below. Distractor: a ring of a mass's size, bright or dark, empty inside.
/// Haze: the whole tissue is U(±0.07) brighter or darker. All places are drawn before it is known what the image shows, so that
/// leaving a part out moves nothing else.
struct Tissue {
    private let ground: Plane
    private var masses: [PhantomPart: [Blob]] = [:]
    private let ring: Blob
    private let ringWidth: Float
    private let ringIsBright: Bool
    private let lift: [PhantomPart: Float]
    private let grain: Plane
    private let level: Float
    /// How much brighter than usual the tissue is.
    let haze: Float

    /// - Parameter free: rows at the top of the picture where nothing lies.
    init(_ scene: PhantomScene, kinds: [PhantomPart], free: Float = 0) {
        var body = scene.anatomy("tissue")
        var view = scene.slice("view")
        level = body.uniform(0.36, 0.50)
        haze = view.uniform(-0.07, 0.07)
        let structure = Plane.noise(cell: view.uniform(38, 60), octaves: 3, persistence: 0.55, draws: &view)
        grain = Plane.noise(cell: 7, octaves: 2, persistence: 0.7, draws: &view)
        var strands = (bright: Plane(), dark: Plane())
        for _ in 0..<view.integer(0...16) {
            let (start, angle, width) = (
                Vector2(view.uniform(-20, 276), view.uniform(-20, 276)), view.uniform(0, 2 * .pi), view.uniform(2, 5)
            )
            if view.chance(0.5) {
                Self.strand(&strands.bright, from: start, angle: angle, halfWidth: width, draws: &view)
            } else {
                Self.strand(&strands.dark, from: start, angle: angle, halfWidth: width, draws: &view)
            }
        }
        var ground = Plane()
        let (up, down) = (view.uniform(0.22, 0.34), view.uniform(0.22, 0.34))
        for i in 0..<Plane.count {
            ground.values[i] =
                level + 0.06 * structure.values[i] + 0.02 * grain.values[i] + up * strands.bright.values[i] - down * strands.dark.values[i]
        }
        self.ground = ground

        var taken: [(centre: Vector2, radius: Float)] = []
        func place(radius: Float, draws: inout PhantomDraws) -> Vector2 {
            let margin = radius + 6
            var centre = Vector2(128, 128)
            for _ in 0..<200 {
                centre = Vector2(draws.uniform(margin, 255 - margin), draws.uniform(margin + free, 255 - margin))
                if taken.allSatisfy({ length($0.centre - centre) > $0.radius + radius + 8 }) { break }
            }
            taken.append((centre, radius))
            return centre
        }
        var lift: [PhantomPart: Float] = [:]
        for kind in kinds {
            for k in 0..<scene.options.number {
                var draws = scene.slice(k == 0 ? kind.rawValue : "\(kind.rawValue) \(k + 1)")
                let area = draws.logNormal(median: 0.019, sigma: 0.35, 0.01...0.04) * Float(Plane.count) * scene.size
                let elongation = draws.uniform(1, 1.4)
                let radius = (area / .pi).squareRoot() * elongation.squareRoot() * 1.1
                let centre = place(radius: min(radius, 90), draws: &draws)
                if k == 0 { lift[kind] = draws.uniform(0.26, 0.36) * (kind == .lesion ? 1 : -1) }
                masses[kind, default: []].append(
                    Blob(
                        centre: centre, area: area, elongation: elongation, angle: draws.uniform(0, .pi), irregularity: 0.06,
                        harmonics: 2...6, decay: 0.7, draws: &draws))
            }
        }
        self.lift = lift
        var draws = scene.slice("distractor")
        let area = draws.logNormal(median: 0.019, sigma: 0.35, 0.01...0.04) * Float(Plane.count)
        let radius = (area / .pi).squareRoot()
        ringWidth = draws.uniform(2.2, 3.2)
        ringIsBright = draws.chance(0.5)
        ring = Blob(
            centre: place(radius: radius * 1.15 + ringWidth, draws: &draws), area: area, elongation: draws.uniform(1, 1.2),
            angle: draws.uniform(0, .pi), irregularity: 0.03, draws: &draws)
    }

    /// A strand that wanders across the picture.
    private static func strand(_ plane: inout Plane, from start: Vector2, angle: Float, halfWidth: Float, draws: inout PhantomDraws) {
        var (p, angle) = (start, angle)
        for _ in 0..<draws.integer(6...26) {
            angle += 0.22 * draws.normal()
            let next = p + Rotation(angle).apply(Vector2(9, 0))
            plane.stroke(from: p, to: next, halfWidths: (halfWidth, halfWidth), value: 1, softness: 1.5)
            p = next
        }
    }

    /// Draws the parts that the scene shows.
    func render(_ scene: PhantomScene) -> PhantomRendering {
        var out = PhantomRendering()
        var values = ground
        func paint(_ part: PhantomPart, _ blob: Blob, reach: Float, cover: (Vector2) -> Float, value: (Int) -> Float) {
            guard scene.parts.contains(part) else { return }
            var plane = out.covers[part] ?? Plane()
            let last = Float(Plane.side - 1)
            let low = Vector2(max(blob.centre.x - reach, 0), max(blob.centre.y - reach, 0))
            let high = Vector2(min(blob.centre.x + reach, last), min(blob.centre.y + reach, last))
            for y in Int(low.y)...Int(high.y) {
                for x in Int(low.x)...Int(high.x) {
                    let i = y * Plane.side + x
                    let share = cover(Vector2(Float(x), Float(y)))
                    guard share > 0 else { continue }
                    values.values[i] = mix(values.values[i], value(i), share)
                    plane.values[i] = max(plane.values[i], share)
                }
            }
            out.covers[part] = plane
        }
        for (part, blobs) in masses.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let target = level + (lift[part] ?? 0)
            for blob in blobs {
                paint(part, blob, reach: blob.reach + 3) {
                    clamped(0.5 - blob.distance($0) / 2)
                } value: {
                    target + 0.03 * grain.values[$0]
                }
            }
        }
        let edge = level + (ringIsBright ? 0.30 : -0.30)
        paint(.distractor, ring, reach: ring.reach + ringWidth + 3) {
            coverage(abs(ring.distance($0)) - ringWidth)
        } value: { _ in
            edge
        }
        for part in Set<PhantomPart>.lesions {
            guard let cover = out.covers[part] else { continue }
            for i in 0..<Plane.count { out.lesion.values[i] = max(out.lesion.values[i], cover.values[i]) }
        }
        for i in 0..<Plane.count { out.colours[i] = Colour(repeating: clamped(values.values[i] + haze)) }
        return out
    }
}
