/// A colonoscopy frame: haustral folds around a dark lumen, wet mucosa with vessels and highlights; the lesion is a polyp.
///
/// The tube is drawn as nested rings in polar coordinates around the lumen: each fold hides what lies behind it, its crest is lit,
/// the valley before the next crest lies in shadow. Polyp: a dome of 4-28 % of the image, log-normal with median 11 % and
/// sigma 0.5 (Kvasir-SEG: 10th, 50th, 90th percentile 4, 13, 31 %), sessile or on a stalk, elongation 1-1.6, redder
/// than the mucosa by U(8, 20) %, with a pitted surface.
enum ColonPhantom: PhantomGenerator {
    static func render(_ scene: PhantomScene) -> PhantomRendering {
        var body = scene.anatomy("colon")
        var view = scene.slice("view")
        let frame = EndoscopeFrame(draws: &body)
        let green = body.uniform(0.53, 0.64)
        let mucosa = Colour(body.uniform(0.90, 1.0), green, green * body.uniform(0.83, 0.96))
        let growth = body.uniform(1.45, 1.85)
        let triangularity = body.uniform(0.03, 0.14)
        let vesselStrength = body.uniform(0.25, 0.8)

        let lumen = Vector2(128 + view.uniform(-75, 75), 128 + view.uniform(-75, 75))
        let turn = view.uniform(0, 2 * .pi)
        let firstRadius = view.uniform(12, 30)
        let reach = view.uniform(40, 85)
        let ambient = view.uniform(0.04, 0.14)
        let moisture = view.uniform(-0.6, 0.6)

        // Two interleaved tables per fold, radius and strength of the crest, in one array: the pixel loop must not chase references.
        var folds: [SIMD2<Float>] = []
        var foldCount = 0
        var size = firstRadius
        while size < 230 || foldCount < 3 {
            var radius = AngularTable(mean: 1, amplitude: 0.09, harmonics: 2...8, decay: 1, draws: &view)
            radius.add(harmonic: 3, amplitude: triangularity, phase: 3 * turn)
            radius.add(harmonic: 1, amplitude: 0.09 * Float(foldCount) * view.uniform(0.2, 1), phase: turn + view.uniform(-0.6, 0.6))
            let strength = AngularTable(mean: 0.6, amplitude: 0.5, harmonics: 1...4, decay: 0.4, draws: &view)
            for i in 0..<AngularTable.count {
                let r = radius.values[i] * size
                let inner = foldCount > 0 ? folds[folds.count - AngularTable.count].x * 1.12 + 3 : 0
                folds.append(SIMD2(max(r, inner), clamped(strength.values[i], 0.08, 1)))
            }
            foldCount += 1
            size *= growth * view.uniform(0.85, 1.15)
        }

        let relief = Plane.noise(cell: 30, octaves: 3, persistence: 0.5, draws: &view)
        let blotches = Plane.noise(cell: 60, octaves: 3, draws: &view)
        let warpX = Plane.noise(cell: 34, octaves: 2, draws: &view)
        let warpY = Plane.noise(cell: 34, octaves: 2, draws: &view)
        let wetness = Plane.noise(cell: 45, octaves: 2, draws: &view)
        var vessels = Plane()
        for _ in 0..<view.integer(4...8) {
            let angle = view.uniform(0, 2 * .pi)
            let start = lumen + Rotation(angle).apply(Vector2(view.uniform(40, 150), 0))
            vessels.vesselTree(
                from: start, direction: view.uniform(0, 2 * .pi), halfWidth: view.uniform(0.9, 1.7), wander: 0.28, forks: 0.22, value: 1,
                draws: &view)
        }
        let lamp = Vector2(view.uniform(-0.35, 0.35), view.uniform(-0.35, 0.35))

        let polyp = scene.hasLesion ? Polyp(scene: scene, frame: frame, lumen: lumen) : nil
        let residue = scene.hasDistractor ? Residue(scene: scene, frame: frame) : nil

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
                let q = p - lumen + Vector2(warpX.values[i], warpY.values[i]) * 3
                let r = length(q)
                let position = AngularTable.position(q)

                // From the far end of the tube to the near one, each fold hiding what lies behind.
                var light: Float = ambient * 0.5
                var crest: Float = 0
                let entry = Int(position) & (AngularTable.count - 1)
                let next = (entry + 1) & (AngularTable.count - 1)
                let between = position - Float(Int(position))
                var fold = mix2(folds[entry], folds[next], between)
                for k in 0..<foldCount {
                    let cover = smoothstep(-1.2, 1.2, r - fold.x)
                    if cover == 0 { break }
                    let isLast = k + 1 == foldCount
                    let row = (k + 1) * AngularTable.count
                    let outer = isLast ? Vector2(fold.x * growth, 0) : mix2(folds[row + entry], folds[row + next], between)
                    // Where the next fold hides this one, only its own light counts.
                    if isLast || r < outer.x + 1.2 {
                        let e = max(r - fold.x, 0)
                        let u = min(e / (outer.x - fold.x), 1)
                        let near = 1 - phantomFastExp(-(fold.x + 0.6 * e) / reach)
                        let ridge = phantomFastExp(-e / (4 + 0.12 * fold.x))
                        let level =
                            (ambient + near) * (0.78 + fold.y * 0.50 * ridge) * (1 - outer.y * 0.58 * smoothstep(0.2, 1.02, u))
                        light = mix(light, level, cover)
                        crest = mix(crest, fold.y * ridge, cover)
                    }
                    fold = outer
                }

                let slope = relief.gradient(x, y)
                let wall = r > 1 ? q / r : Vector2()
                var normal = -slope * 2.6 - wall * (0.35 + 0.3 * crest)
                var albedo = mucosa * (1 + 0.06 * blotches.values[i])
                albedo *= mix(Colour(repeating: 1), Colour(0.80, 0.60, 0.62), clamped(vesselStrength * vessels.values[i]))
                var shade = light * (0.92 + 0.35 * ((slope * lamp).sum() * -1.6 + slope.x * 0.2))
                var gloss = smoothstep(0.1, 1.3, wetness.values[i] + 0.5 * crest + moisture)

                if let polyp {
                    let cover = polyp.shade(p, mucosa: mucosa, lamp: lamp, albedo: &albedo, light: &shade, normal: &normal, gloss: &gloss)
                    out.lesion.values[i] = open > 0.5 ? cover : 0
                }
                if let residue { residue.shade(p, albedo: &albedo, light: &shade, gloss: &gloss) }

                // A wet surface mirrors the lamp where its normal points halfway to it.
                let tilt = normal - lamp * 0.6
                let glint =
                    phantomFastExp(-(tilt * tilt).sum() * 70) * smoothstep(0.25, 0.6, shade)
                    * gloss
                let sheen = phantomFastExp(-(tilt * tilt).sum() * 6) * 0.10 * gloss
                var colour = albedo * min(shade, 1.25)
                // Deep places are redder: light that has been scattered often.
                colour *= mix(Colour(1.0, 0.72, 0.66), Colour(repeating: 1), smoothstep(0.05, 0.55, shade))
                colour += (Colour(repeating: 1) - colour) * clamped(glint * 1.7 + sheen * shade)
                out.colours[i] = colour * open
            }
        }
        return out
    }
}

/// The polyp: a dome with its own normals, a pitted surface, a contact shadow, and a stalk in a third of the cases.
private struct Polyp {
    let head: Blob
    let stalkEnd: Vector2
    let stalkWidth: Float
    let hasStalk: Bool
    let tint: Colour
    let brightness: Float
    let shine: Float
    let pits: Plane
    let lobes: Plane

    init(scene: PhantomScene, frame: EndoscopeFrame, lumen: Vector2) {
        var draws = scene.slice("lesion")
        let area = draws.logNormal(median: 0.11, sigma: 0.5, 0.04...0.28) * Float(Plane.count) * scene.size
        let radius = (area / .pi).squareRoot()
        var centre = Vector2(128, 128)
        // Seen whole or nearly so, beside the lumen rather than over it.
        for _ in 0..<40 {
            centre = Vector2(draws.uniform(20, 236), draws.uniform(20, 236))
            let room = min(min(centre.x, 255 - centre.x), min(centre.y, 255 - centre.y))
            if frame.distance(centre) < -radius * 0.85 && room > radius * 0.8 && length(centre - lumen) > radius * 0.7 { break }
            centre = Vector2(128 + draws.uniform(-20, 20), 128 + draws.uniform(-20, 20))
        }
        head = Blob(
            centre: centre, area: area, elongation: draws.uniform(1, 1.6), angle: draws.uniform(0, .pi), irregularity: 0.09,
            harmonics: 2...6, decay: 0.8, draws: &draws)
        hasStalk = draws.chance(0.33)
        let outward = centre - lumen
        let away = outward / max(length(outward), 1)
        stalkEnd = centre + away * radius * 1.5
        stalkWidth = radius * draws.uniform(0.28, 0.42)
        let redness = draws.uniform(0.08, 0.20)
        tint = Colour(1.02, 1 - redness, 1 - redness)
        brightness = draws.uniform(0.72, 1.10)
        shine = draws.uniform(0.3, 1)
        pits = Plane.noise(cell: 10, octaves: 2, persistence: 0.8, draws: &draws)
        lobes = Plane.noise(cell: radius * 0.55, octaves: 2, draws: &draws)
    }

    /// Paints the pixel at `p` and returns how much of it the polyp covers.
    @inline(__always)
    func shade(
        _ p: Vector2, mucosa: Colour, lamp: Vector2, albedo: inout Colour, light: inout Float, normal: inout Vector2, gloss: inout Float
    ) -> Float {
        let level = head.level(p)
        if level > 2.2 { return 0 }
        let away = (p - head.centre) / max(length(p - head.centre), 1)
        // The dome keeps the lamp off the wall around its foot, most on the side away from the lamp.
        let shadow = phantomFastExp(-max(level - 1, 0) * 4.5) * (0.42 - 0.5 * (away * lamp).sum())
        light *= 1 - clamped(shadow, 0, 0.7) * smoothstep(0.9, 1, level)
        var cover: Float = 0
        if hasStalk {
            let d = segmentDistance(p, head.centre, stalkEnd) - stalkWidth
            let stalk = coverage(d)
            if stalk > 0 {
                let across = clamped(-d / stalkWidth)
                albedo = mix(albedo, mucosa * Colour(1.02, 0.97, 0.96), stalk)
                light = mix(light, brightness * (0.42 + 0.45 * across), stalk)
                cover = stalk
            }
        }
        let dome = coverage((level - 1) * min(head.radii.x, head.radii.y))
        if dome > 0 {
            let pit = pits.sample(p)
            let lobe = lobes.sample(p)
            let height = max(1 - level * level, 0).squareRoot()
            let tilt = away * min(level, 1)
            let facing = height + 0.55 * (tilt * lamp).sum()
            let lit = brightness * (0.38 + 0.62 * clamped(facing, 0, 1.3) + 0.09 * lobe)
            albedo = mix(albedo, mucosa * tint * (1 + 0.09 * pit), dome)
            light = mix(light, lit * (1 - 0.05 * max(pit, 0)), dome)
            normal = mix2(normal, tilt * 0.95 + Vector2(pit, lobe) * 0.13, dome)
            // On the rim two surfaces share a pixel: their blended normal is no surface that could shine.
            gloss = mix(gloss, shine, dome) * (1 - 4 * dome * (1 - dome))
            cover = max(cover, dome)
        }
        return cover
    }
}

/// A look-alike without meaning: a stain of stool residue, flat and yellow-brown, with soft edges and no dome.
private struct Residue {
    let stains: [Blob]
    let colour: Colour
    let grain: Plane

    init(scene: PhantomScene, frame: EndoscopeFrame) {
        var draws = scene.slice("distractor")
        let area = draws.logNormal(median: 0.05, sigma: 0.5, 0.015...0.14) * Float(Plane.count)
        let middle = Vector2(draws.uniform(50, 206), draws.uniform(50, 206))
        stains = (0..<draws.integer(1...3)).map { k in
            Blob(
                centre: middle + (k == 0 ? Vector2() : Vector2(draws.uniform(-50, 50), draws.uniform(-50, 50))),
                area: k == 0 ? area : area * 0.3, elongation: draws.uniform(1, 2.2), angle: draws.uniform(0, .pi), irregularity: 0.2,
                draws: &draws)
        }
        colour = Colour(draws.uniform(0.62, 0.82), draws.uniform(0.50, 0.62), draws.uniform(0.16, 0.28))
        grain = Plane.noise(cell: 14, octaves: 3, draws: &draws)
    }

    @inline(__always)
    func shade(_ p: Vector2, albedo: inout Colour, light: inout Float, gloss: inout Float) {
        var level: Float = 9
        for stain in stains { level = min(level, stain.level(p)) }
        let cover = 0.85 * smoothstep(1.15, 0.75, level + 0.12 * grain.sample(p))
        albedo = mix(albedo, colour, cover)
        light *= 1 - 0.15 * cover
        gloss *= 1 - 0.7 * cover
    }
}
