/// An axial breast MR slice after contrast agent, fat suppressed, patient prone: two breasts up, chest wall, lungs, heart below.
///
/// Regions are unions of ellipses as distance fields: skin, fat, fibroglandular tissue (warped noise inside each breast, fibres towards
/// the nipple), pectoral muscle, ribs and sternum, lungs, the bright heart with its ghost along the phase direction, vessels; a smooth coil
/// sensitivity and Rician-like noise lie over all. Mass: 1-6 % of the image, log-normal with median 2.2 % and sigma 0.45 (the
/// boxes of the study: 0.1 / 1.9 / 7 %), irregular or spiculated, enhancing to U(0.50, 0.82) of full scale, at least 0.20 above the glands, a third
/// with a darker centre.
enum BreastMRPhantom: PhantomGenerator {
    static let isGrey = true
    static let exposureSpread: Float = 0.36

    static func render(_ scene: PhantomScene) -> PhantomRendering {
        var body = scene.anatomy("breast")
        var view = scene.slice("view")
        let scale = body.uniform(0.92, 1.08)
        let middle = 128 + view.uniform(-5, 5)
        let spread = body.uniform(54, 62) * scale
        let chestTop = body.uniform(148, 164) + view.uniform(-4, 4)
        let fat = body.uniform(0.16, 0.28)
        let density = body.uniform(-0.3, 1.1)
        let enhancement = body.uniform(0.30, 0.46)
        // The level of the slice: from the upper edge of the breasts to the lower one.
        let height = view.uniform(0.72, 1)
        let heartSize = view.uniform(0.45, 1.3)
        let heartLight = view.uniform(0.45, 1.08)
        let chamberSize = view.uniform(300, 3400)
        let asymmetry = body.uniform(-0.08, 0.08)

        var breasts: [Breast] = []
        for side in [Float(-1), 1] {
            let size = scale * height * (1 + side * asymmetry) * view.uniform(0.97, 1.03)
            breasts.append(
                Breast(
                    centre: Vector2(middle + side * spread, chestTop - 8), radii: Vector2(55 * size, body.uniform(74, 98) * size),
                    nipple: Vector2(middle + side * (spread + 6), 0)))
        }
        for k in 0..<2 { breasts[k].nipple.y = breasts[k].centre.y - breasts[k].radii.y }
        let torso = Vector2(middle, chestTop + 92)
        let torsoRadii = Vector2(118 * scale, 104)

        let texture = Plane.noise(cell: 22, octaves: 4, persistence: 0.6, draws: &view)
        let glands = Plane.noise(cell: 34, octaves: 4, persistence: 0.62, draws: &body)
        let warpX = Plane.noise(cell: 30, octaves: 3, draws: &body)
        let warpY = Plane.noise(cell: 30, octaves: 3, draws: &body)
        let fine = Plane.noise(cell: 3, octaves: 1, draws: &view)

        var vessels = Plane()
        for breast in breasts {
            for _ in 0..<view.integer(1...3) {
                let start = breast.centre + Vector2(view.uniform(-0.6, 0.6) * breast.radii.x, view.uniform(-12, 4))
                vessels.vesselTree(
                    from: start, direction: -.pi / 2 + view.uniform(-0.5, 0.5), halfWidth: view.uniform(0.9, 1.9), wander: 0.22,
                    forks: 0.16,
                    value: view.uniform(0.30, 0.65), draws: &view)
            }
        }
        var lungVessels = Plane()
        for side in [Float(-1), 1] {
            for _ in 0..<3 {
                lungVessels.vesselTree(
                    from: Vector2(middle + side * 26, chestTop + 70 + view.uniform(-14, 20)),
                    direction: (side > 0 ? 0 : .pi) + view.uniform(-0.9, 0.9), halfWidth: view.uniform(1.2, 2.4), wander: 0.25, forks: 0.2,
                    value: view.uniform(0.25, 0.6), draws: &view)
            }
        }
        // The internal mammary vessels run beside the sternum and are cut across: two bright dots.
        let mammary = [Vector2(middle - 15, chestTop + 8), Vector2(middle + 15, chestTop + 8)]

        let heart = Blob(
            centre: Vector2(middle + view.uniform(10, 22), chestTop + view.uniform(48, 58)), area: 3600 * heartSize, elongation: 1.35,
            angle: view.uniform(0.3, 0.8), irregularity: 0.03, draws: &view)
        let ventricle = Blob(
            centre: heart.centre + Vector2(6, 4), area: chamberSize * heartSize, elongation: 1.6, angle: 0.6, irregularity: 0.05,
            draws: &view)
        let hasLiver = view.chance(0.6)
        let liverLight = view.uniform(0.25, 0.80)
        let liver = Blob(
            centre: Vector2(middle - 44, chestTop + 78), area: hasLiver ? view.uniform(1500, 3800) : 1, elongation: 1.2, angle: 0.2,
            irregularity: 0.03, draws: &view)
        let aorta = Vector2(middle + 14, chestTop + 88)
        let coil = Vector2(view.uniform(-0.15, 0.15), view.uniform(0.25, 0.6))
        // Fat next to a coil's element glows.
        let flare = view.uniform(0, 0.45)
        let flarePlace = Vector2(middle + (view.chance(0.5) ? 1 : -1) * view.uniform(60, 112), chestTop - view.uniform(10, 70))
        let flareReach = view.uniform(14, 40)
        let ghost = view.uniform(0.01, 0.05)
        let ribPhase = view.uniform(0, 1)

        let mass = scene.hasLesion ? Mass(scene: scene, breasts: breasts, chestTop: chestTop, gland: enhancement) : nil
        let cyst = scene.hasDistractor ? Cyst(scene: scene, breasts: breasts) : nil

        var out = PhantomRendering()
        for y in 0..<Plane.side {
            for x in 0..<Plane.side {
                let i = y * Plane.side + x
                let p = Vector2(Float(x), Float(y))
                let left = ellipseDistance(p - breasts[0].centre, breasts[0].radii)
                let right = ellipseDistance(p - breasts[1].centre, breasts[1].radii)
                let trunk = ellipseDistance(p - torso, torsoRadii)
                let skin = smoothMinimum(min(left, right), trunk, 22)
                // Air: only noise and the heart's ghost.
                var value: Float = 0.012
                if abs(p.y - heart.centre.y) < 40 { value += ghost * (0.6 + 0.4 * texture.values[i]) }
                let inside = coverage(skin)
                if inside > 0 {
                    var tissue = fat * (1 + 0.10 * texture.values[i] + 0.04 * fine.values[i])
                    let breast = left < right ? breasts[0] : breasts[1]
                    let depth = min(left, right)

                    // Fibroglandular tissue: fibres that converge on the nipple, away from skin and chest wall.
                    let q = p - breast.nipple
                    let fan = Vector2(q.x / (0.35 + 0.012 * max(q.y, 0)), q.y * 0.55)
                    let strand = glands.sample(fan + Vector2(warpX.values[i], warpY.values[i]) * 6 + Vector2(128, 40))
                    let cone = smoothstep(-7, -22, depth) * smoothstep(2, -16, p.y - chestTop + 10)
                    let behind = smoothstep(6, 20, q.y)
                    let axis = 1 - 0.55 * smoothstep(0.2, 0.9, abs(p.x - breast.centre.x) / breast.radii.x)
                    let gland = cone * behind * smoothstep(0.15, 0.85, (strand + density) * axis + 0.35)
                    tissue = mix(tissue, enhancement * (1 + 0.16 * texture.values[i] + 0.10 * strand), gland * 0.9)

                    // Chest: muscle, ribs, lungs and what lies between them.
                    let wall = ellipseDistance(p - torso - Vector2(0, 10), torsoRadii - Vector2(14, 16))
                    let muscle = smoothstep(5, 1, wall) * smoothstep(-26, -20, -abs(wall) - 12)
                    tissue = mix(tissue, 0.24 + 0.03 * texture.values[i], muscle * 0.9)
                    if wall < 2 {
                        let rib = ribPattern(p - torso, phase: ribPhase)
                        let ring = smoothstep(-13, -10, wall) * smoothstep(-1, -4, wall)
                        tissue = mix(tissue, 0.13, ring * rib * 0.8)
                        let cavity = wall + 14
                        let mediastinum = abs(p.x - middle) - 17 - 10 * smoothstep(60, 100, p.y - chestTop)
                        let lung = coverage(max(cavity, -mediastinum) * 0.8)
                        tissue = mix(tissue, 0.035 + 0.010 * texture.values[i] + lungVessels.values[i] * 0.5, lung)
                        tissue = mix(tissue, 0.25 + 0.04 * texture.values[i], coverage(cavity) * coverage(mediastinum))
                        let liverCover = hasLiver ? coverage(liver.distance(p)) * coverage(cavity) : 0
                        tissue = mix(tissue, liverLight + 0.03 * texture.values[i], liverCover)
                        let heartCover = coverage(heart.distance(p) * 0.6)
                        if heartCover > 0 {
                            let chamber = coverage(ventricle.distance(p) * 0.4)
                            tissue = mix(tissue, mix(heartLight * 0.72, heartLight, chamber) + 0.05 * texture.values[i], heartCover)
                        }
                        tissue = mix(tissue, heartLight * 0.95, coverage(length(p - aorta) - 8))
                    }
                    let sternum = boxDistance(p - Vector2(middle, chestTop + 6), Vector2(11, 5), radius: 4)
                    tissue = mix(tissue, 0.17, coverage(sternum))
                    for dot in mammary { tissue = mix(tissue, 0.62, coverage(length(p - dot) - 2.2)) }
                    if depth < -4 && wall > 2 { tissue += vessels.values[i] * (0.9 - tissue) * 0.75 }
                    // Skin and nipple take up contrast agent.
                    tissue = mix(tissue, 0.42, smoothstep(-3.4, -1.8, skin) * 0.8)
                    tissue = mix(tissue, 0.55, coverage(length(p - breast.nipple - Vector2(0, 2)) - 4.5) * 0.8)

                    if let cyst { tissue = cyst.shade(p, tissue) }
                    if let mass {
                        let cover = mass.cover(p)
                        if cover > 0 { tissue = mix(tissue, mass.value(p), cover) }
                        out.lesion.values[i] = cover
                    }
                    value = mix(value, tissue, inside)
                }
                // Surface coils see best what is near them: the breasts.
                let bias = 1 + coil.x * (p.x - 128) / 128 - coil.y * (p.y - 120) / 256
                let hot = length(p - flarePlace) / flareReach
                let level = max(value * (bias + flare * phantomFastExp(-hot * hot)), 0)
                // A magnitude image: noise in air is Rayleigh, never negative.
                let noise = 0.012 * fine.values[i]
                out.colours[i] = Colour(repeating: (level * level + noise * noise).squareRoot() + 0.004 * texture.values[i])
            }
        }
        return out
    }

    /// Ribs cut obliquely: dark segments along the wall.
    @inline(__always)
    private static func ribPattern(_ q: Vector2, phase: Float) -> Float {
        let turns = AngularTable.position(q) / Float(AngularTable.count) * 22 + phase
        let t = abs(turns - turns.rounded(.down) - 0.5) * 2
        return smoothstep(0.35, 0.6, t)
    }
}

private struct Breast {
    let centre: Vector2
    let radii: Vector2
    var nipple: Vector2

    /// A place inside the breast, away from skin and chest wall by `margin` pixels where there is room.
    func place(margin: Float, chestTop: Float, draws: inout PhantomDraws) -> Vector2 {
        var p = centre - Vector2(0, radii.y * 0.45)
        for _ in 0..<60 {
            let candidate = centre + Vector2(draws.uniform(-1, 1) * radii.x, draws.uniform(-1, 0.05) * radii.y)
            if ellipseDistance(candidate - centre, radii) < -margin && candidate.y < chestTop - margin * 0.8 {
                p = candidate
                break
            }
        }
        return p
    }
}

private struct Mass {
    let core: Blob
    let peak: Float
    let rim: Float
    let softness: Float
    let grain: Plane

    init(scene: PhantomScene, breasts: [Breast], chestTop: Float, gland: Float) {
        var draws = scene.slice("lesion")
        let area = draws.logNormal(median: 0.022, sigma: 0.45, 0.01...0.06) * Float(Plane.count) * scene.size
        let radius = (area / .pi).squareRoot()
        let centre = breasts[draws.integer(0...1)].place(margin: radius + 5, chestTop: chestTop, draws: &draws)
        let isSpiculated = draws.chance(0.5)
        core = Blob(
            centre: centre, area: area, elongation: draws.uniform(1, 1.5), angle: draws.uniform(0, .pi),
            irregularity: isSpiculated ? 0.11 : 0.09, harmonics: isSpiculated ? 3...17 : 2...6, decay: isSpiculated ? 0.45 : 0.7,
            draws: &draws)
        peak = max(draws.uniform(0.50, 0.82), gland + 0.20)
        rim = draws.chance(0.35) ? draws.uniform(0.25, 0.5) : 0
        softness = draws.uniform(0.25, 0.55)
        grain = Plane.noise(cell: 9, octaves: 3, draws: &draws)
    }

    @inline(__always)
    func cover(_ p: Vector2) -> Float {
        let level = core.level(p)
        return level > 2 ? 0 : clamped(0.5 - (level - 1) * min(core.radii.x, core.radii.y) * softness)
    }

    @inline(__always)
    func value(_ p: Vector2) -> Float {
        let level = core.level(p)
        return peak * (1 - rim * smoothstep(0.75, 0.2, level) + 0.08 * grain.sample(p))
    }
}

/// Look-alikes without meaning: a cyst, round and dark with a thin bright wall, or a lymph node, a small ring with a fatty centre.
private struct Cyst {
    let core: Blob
    let isNode: Bool

    init(scene: PhantomScene, breasts: [Breast]) {
        var draws = scene.slice("distractor")
        isNode = draws.chance(0.5)
        let area = isNode ? draws.uniform(120, 320) : draws.uniform(200, 1400)
        let radius = (area / .pi).squareRoot()
        let breast = breasts[draws.integer(0...1)]
        core = Blob(
            centre: breast.place(margin: radius + 5, chestTop: 300, draws: &draws), area: area, elongation: isNode ? 1.5 : 1.1,
            angle: draws.uniform(0, .pi), irregularity: 0.02, draws: &draws)
    }

    @inline(__always)
    func shade(_ p: Vector2, _ tissue: Float) -> Float {
        let d = core.distance(p)
        if d > 3 { return tissue }
        let wall = coverage(abs(d + 1.5) - (isNode ? 2.2 : 0.9))
        return mix(mix(tissue, isNode ? 0.16 : 0.07, coverage(d)), isNode ? 0.55 : 0.45, wall * (isNode ? 1 : 0.7))
    }
}
