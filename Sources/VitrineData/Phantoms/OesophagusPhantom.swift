/// A gastroscopy frame at the gastro-oesophageal junction: pale squamous mucosa outside, salmon gastric mucosa inside a scalloped
/// z-line, a dark lumen; the lesion is one to four inflamed streaks that rise from the z-line.
///
/// The tube is drawn in polar coordinates around the lumen. Streaks (mucosal breaks): 2-14 % of the image together, log-normal with
/// median 5 % and sigma 0.45 (the study's boxes around whole inflamed regions: 32 / 59 / 100 %), 2.5-5 times as long as
/// wide, the green of pale mucosa lowered by U(0.48, 0.68), two thirds with a white fibrin core.
enum OesophagusPhantom: PhantomGenerator {
    static func render(_ scene: PhantomScene) -> PhantomRendering {
        var body = scene.anatomy("oesophagus")
        var view = scene.slice("view")
        let frame = EndoscopeFrame(draws: &body)
        let pale = body.uniform(0.70, 0.79)
        let squamous = Colour(body.uniform(0.93, 1.0), pale, pale * body.uniform(0.88, 0.97))
        let gastric = Colour(body.uniform(0.86, 0.98), body.uniform(0.50, 0.60), body.uniform(0.40, 0.50))
        let rugae = Float(body.integer(5...9))
        let columns = Float(body.integer(3...6))
        let vesselStrength = body.uniform(0.15, 0.55)

        let lumen = Vector2(128 + view.uniform(-38, 38), 128 + view.uniform(-38, 38))
        let opening = view.uniform(7, 26)
        let junction = view.uniform(50, 92)
        let reach = view.uniform(32, 60)
        let ambient = view.uniform(0.10, 0.22)
        let turn = view.uniform(0, 2 * .pi)
        let lamp = Vector2(view.uniform(-0.35, 0.35), view.uniform(-0.35, 0.35))

        var zLine = AngularTable(mean: 1, amplitude: 0.10, harmonics: 2...5, decay: 0.3, draws: &view)
        let scallops = AngularTable(mean: 0, amplitude: 0.020, harmonics: 6...22, decay: 0, draws: &view)
        for i in 0..<AngularTable.count { zLine.values[i] = junction * max(zLine.values[i] + scallops.values[i], 0.55) }
        var mouth = AngularTable(mean: 1, amplitude: 0.12, harmonics: 2...6, decay: 0.6, draws: &view)
        mouth.add(harmonic: Int(rugae), amplitude: 0.22, phase: turn * rugae)
        var ringed = AngularTable(mean: junction * 1.9, amplitude: 9, harmonics: 1...4, decay: 0.5, draws: &view)
        for i in 0..<AngularTable.count { ringed.values[i] = max(ringed.values[i], zLine.values[i] * 1.25) }
        let ringStrength = view.uniform(0, 0.16)

        let relief = Plane.noise(cell: 28, octaves: 3, draws: &view)
        let blotches = Plane.noise(cell: 50, octaves: 4, persistence: 0.6, draws: &view)
        let grain = Plane.noise(cell: 6, octaves: 2, draws: &view)
        let warpX = Plane.noise(cell: 30, octaves: 3, draws: &view)
        let warpY = Plane.noise(cell: 30, octaves: 3, draws: &view)
        let wetness = Plane.noise(cell: 45, octaves: 2, draws: &view)

        // Palisade vessels run along the tube, that is, radially in the picture.
        var vessels = Plane()
        for _ in 0..<view.integer(10...18) {
            let angle = view.uniform(0, 2 * .pi)
            let start = lumen + Rotation(angle).apply(Vector2(junction * view.uniform(1.0, 1.3), 0))
            vessels.vesselTree(
                from: start, direction: angle + view.uniform(-0.2, 0.2), halfWidth: view.uniform(0.6, 1.2), wander: 0.10, forks: 0.14,
                value: 1, draws: &view)
        }

        let inflammation = scene.hasLesion ? Inflammation(scene: scene, frame: frame, lumen: lumen, zLine: zLine) : nil
        let benign = scene.hasDistractor ? Tongue(scene: scene, lumen: lumen, zLine: zLine) : nil

        var out = PhantomRendering()
        for y in 0..<Plane.side {
            for x in 0..<Plane.side {
                let i = y * Plane.side + x
                let p = Vector2(Float(x), Float(y))
                let open = frame.vignette(p)
                if open <= 0 {
                    out.colours[i] = Colour(repeating: 0.02)
                    continue
                }
                let q = p - lumen + Vector2(warpX.values[i], warpY.values[i]) * 2.6
                let r = length(q)
                let position = AngularTable.position(q)
                let angle = position * (2 * .pi / Float(AngularTable.count))
                let edge = zLine(position)

                // Pale above the junction, salmon below; the border is sharp.
                var below = smoothstep(1.6, -1.6, r - edge)
                if let benign { below = max(below, benign.cover(p)) }
                let fold = phantomCosine(rugae * (angle + turn) + 0.9 * blotches.values[i])
                let column = phantomCosine(columns * (angle - turn) + 0.5 * blotches.values[i])
                var albedo = mix(squamous, gastric, below) * (1 + 0.045 * blotches.values[i])
                albedo *= 1 + Colour(0.01, 0.05, 0.05) * grain.values[i] * below
                let vessel = clamped(vesselStrength * vessels.values[i]) * (1 - below)
                albedo *= mix(Colour(repeating: 1), Colour(0.86, 0.60, 0.60), vessel)
                // A paler collar just above the junction.
                albedo += (Colour(1, 0.84, 0.79) - albedo) * 0.25 * (1 - below) * phantomFastExp(-max(r - edge, 0) / 7)

                var light = ambient + 0.95 * (1 - phantomFastExp(-max(r - opening * 0.5, 0) / reach))
                light *= 1 + mix(0.05 * column, 0.16 * fold * smoothstep(4, 30, r), below)
                light *= 1 - 0.10 * below * smoothstep(-14, 0, r - edge)
                let ring = r - ringed(position)
                light *= 1 - ringStrength * (phantomFastExp(-abs(ring) / 9) - 0.8 * phantomFastExp(-abs(ring + 14) / 9))
                let hole = mouth(position) * opening
                light *= mix(0.10, 1, smoothstep(-5, 9, r - hole))

                let slope = relief.gradient(x, y)
                light *= 0.95 - 0.5 * (slope * (lamp + Vector2(0.2, 0.3))).sum()
                let wall = r > 1 ? q / r : Vector2()
                var normal = -slope * 2.6 - wall * 0.38
                var gloss = smoothstep(0.3, 1.5, wetness.values[i])

                if let inflammation {
                    let cover = inflammation.shade(p, albedo: &albedo, light: &light, normal: &normal, gloss: &gloss)
                    out.lesion.values[i] = open > 0.5 ? cover : 0
                }

                let tilt = normal - lamp * 0.6
                let glint = phantomFastExp(-(tilt * tilt).sum() * 70) * smoothstep(0.25, 0.6, light) * gloss
                var colour = albedo * min(light, 1.2)
                colour *= mix(Colour(1.0, 0.70, 0.62), Colour(repeating: 1), smoothstep(0.05, 0.6, light))
                colour += (Colour(repeating: 1) - colour) * clamped(glint * 1.3)
                out.colours[i] = colour * open
            }
        }
        return out
    }
}

/// A strip that leaves the z-line along the tube: a centre line that wanders and a half width that tapers to its end.
private struct Strip {
    let base: Vector2
    let direction: Rotation
    let length: Float
    let halfWidth: Float
    let wander: AngularTable
    let ragged: AngularTable

    init(
        angle: Float, lumen: Vector2, zLine: AngularTable, length: Float, halfWidth: Float, ragged amount: Float, draws: inout PhantomDraws
    ) {
        direction = Rotation(angle)
        let turns = angle / (2 * .pi)
        let position = (turns - turns.rounded(.down)) * Float(AngularTable.count)
        base = lumen + direction.apply(Vector2(zLine(position) - 5, 0))
        self.length = length
        self.halfWidth = halfWidth
        wander = AngularTable(mean: 0, amplitude: halfWidth * 0.35, harmonics: 1...3, decay: 0.5, draws: &draws)
        ragged = AngularTable(mean: 1, amplitude: amount, harmonics: 2...12, decay: 0.4, draws: &draws)
    }

    /// How far along (0...1) and how far across (1 is the edge) a place lies; nil outside the strip's reach.
    @inline(__always)
    func place(_ p: Vector2) -> (along: Float, across: Float, distance: Float)? {
        let q = direction.undo(p - base)
        guard q.x > -halfWidth * 2 && q.x < length + 4 && abs(q.y) < halfWidth * 3.5 else { return nil }
        let along = q.x / length
        let position = clamped(along) * Float(AngularTable.count) * 0.49
        let taper = max(1 - max(along, 0) * max(along, 0), 0).squareRoot() * (along < 0 ? max(1 + q.x / (halfWidth * 2), 0) : 1)
        let width = max(halfWidth * taper * max(ragged(position + (q.y < 0 ? 256 : 0)), 0.3), 0.01)
        let d = abs(q.y - wander(position) * clamped(along * 2))
        return (along, d / width, d - width)
    }
}

private struct Inflammation {
    let strips: [Strip]
    let hasCore: [Bool]
    let red: Colour
    let fibrin: Colour
    let grain: Plane

    init(scene: PhantomScene, frame: EndoscopeFrame, lumen: Vector2, zLine: AngularTable) {
        var draws = scene.slice("lesion")
        let area = draws.logNormal(median: 0.05, sigma: 0.45, 0.02...0.14) * Float(Plane.count) * scene.size
        let count = area < 1800 ? 1 + draws.integer(0...1) : draws.integer(2...4)
        var angles: [Float] = []
        // Apart from each other, and with room between the z-line and the edge of the picture.
        for attempt in 0..<200 where angles.count < count {
            let angle = draws.uniform(0, 2 * .pi)
            let turns = angle / (2 * .pi)
            let far = lumen + Rotation(angle).apply(Vector2(zLine(turns * Float(AngularTable.count)) + 45, 0))
            let isVisible = frame.distance(far) < 0 && min(min(far.x, 255 - far.x), min(far.y, 255 - far.y)) > 0
            let isApart = angles.allSatisfy { abs(phantomSine(($0 - angle) / 2)) > 0.28 }
            if isApart && (isVisible || attempt > 150) { angles.append(angle) }
        }
        let shares = angles.map { _ in draws.uniform(0.75, 1.25) }
        let total = shares.reduce(0, +)
        strips = zip(angles, shares).map { angle, part in
            let share = area * part / total
            let ratio = draws.uniform(2.5, 5)
            // The taper leaves pi/4 of the box length x 2 half widths.
            let halfWidth = (share / (ratio * .pi)).squareRoot()
            return Strip(
                angle: angle + draws.uniform(-0.08, 0.08), lumen: lumen, zLine: zLine, length: 2 * ratio * halfWidth,
                halfWidth: halfWidth, ragged: 0.10, draws: &draws)
        }
        hasCore = strips.map { _ in draws.chance(0.66) }
        let depth = draws.uniform(0.48, 0.68)
        red = Colour(draws.uniform(0.84, 0.98), 0.74 * (1 - depth), 0.66 * (1 - depth))
        fibrin = Colour(0.98, draws.uniform(0.88, 0.95), draws.uniform(0.72, 0.84))
        grain = Plane.noise(cell: 9, octaves: 3, persistence: 0.7, draws: &draws)
    }

    @inline(__always)
    func shade(_ p: Vector2, albedo: inout Colour, light: inout Float, normal: inout Vector2, gloss: inout Float) -> Float {
        var cover: Float = 0
        for (strip, core) in zip(strips, hasCore) {
            guard let place = strip.place(p) else { continue }
            let edge = clamped(0.5 - place.distance * 0.6)
            if edge <= cover { continue }
            let g = grain.sample(p)
            var colour = red * (1 + 0.10 * g)
            if core {
                let inner = smoothstep(0.62, 0.38, place.across + 0.16 * g) * smoothstep(0.98, 0.85, place.along)
                colour = mix(colour, fibrin * (1 + 0.03 * g), inner * 0.92)
            }
            albedo = mix(albedo, colour, edge)
            normal += Vector2(g, -g) * 0.08 * edge
            gloss = mix(gloss, 0.7, edge)
            cover = edge
        }
        return cover
    }
}

/// A look-alike without meaning: one or two short tongues of normal gastric mucosa, smooth, broad, with no fibrin and no deeper red.
private struct Tongue {
    let strips: [Strip]

    init(scene: PhantomScene, lumen: Vector2, zLine: AngularTable) {
        var draws = scene.slice("distractor")
        strips = (0..<draws.integer(1...2)).map { _ in
            let halfWidth = draws.uniform(11, 20)
            return Strip(
                angle: draws.uniform(0, 2 * .pi), lumen: lumen, zLine: zLine, length: halfWidth * draws.uniform(1.6, 2.6),
                halfWidth: halfWidth, ragged: 0.04, draws: &draws)
        }
    }

    @inline(__always)
    func cover(_ p: Vector2) -> Float {
        var cover: Float = 0
        for strip in strips {
            if let place = strip.place(p) { cover = max(cover, clamped(0.5 - place.distance * 0.4)) }
        }
        return cover
    }
}
