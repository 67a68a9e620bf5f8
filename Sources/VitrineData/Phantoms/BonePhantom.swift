/// A radiograph of a limb: two long bones side by side, or a knee; soft tissue, collimation, an overexposed border, quantum noise.
///
/// Everything is path length through a body times an attenuation, so that cortices are bright lines around a darker marrow. The lesion
/// is a fracture (50 %): a zigzag gap of U(9, 16) pixels at up to 45 degrees, the lower fragment displaced by U(0.4, 0.75) half
/// widths and bent by up to 9 degrees; its mask is the band of bone within U(14, 18) pixels of the gap. Or (50 %) a metal plate with
/// 4-7 screws; its mask is the metal. Lengths are those of the limb, which is enlarged by U(1.2, 1.45). Areas 1.5-12 % of the image,
/// median 4.5 % (FracAtlas: 0.1 / 0.5 / 2.7 %; the study's MURA boxes: 0 / 13 / 43 %).
enum BonePhantom: PhantomGenerator {
    static let isGrey = true
    static let noise: Float = 0.020
    static let takes: Set<PhantomOptions.Name> = [.contrast]

    static func render(_ scene: PhantomScene) -> PhantomRendering {
        var body = scene.anatomy("bone")
        var view = scene.slice("view")
        let isKnee = body.chance(0.4)
        let limb = Limb(isKnee: isKnee, draws: &body)
        let turn = Rotation(body.uniform(-0.15, 0.15) + view.uniform(-0.12, 0.12))
        let middle = Vector2(128 + view.uniform(-16, 16), 128 + view.uniform(-22, 22))
        let zoom = view.uniform(1.2, 1.45)
        let softness = body.uniform(0.0030, 0.0052)
        let boneDensity = body.uniform(0.030, 0.038)
        let background = view.uniform(0.02, 0.12)

        let trabeculae = Plane.noise(cell: 9, octaves: 3, persistence: 0.8, stretch: Vector2(0.6, 1.6), draws: &view)
        let muscles = Plane.noise(cell: 44, octaves: 3, stretch: Vector2(0.6, 2), draws: &view)
        let ripple = Plane.noise(cell: 70, octaves: 2, draws: &view)
        let border = Border(draws: &view)

        let lesion = scene.hasLesion ? BoneLesion(scene: scene, limb: limb) : nil
        let distractor = scene.hasDistractor ? BoneDistractor(scene: scene, limb: limb) : nil

        var out = PhantomRendering()
        for y in 0..<Plane.side {
            for x in 0..<Plane.side {
                let i = y * Plane.side + x
                let p = Vector2(Float(x), Float(y))
                // d across the limb, t along it.
                let q = turn.undo(p - middle) / zoom
                let (d, t) = (q.x, q.y)
                var path: Float = 0
                let flesh = limb.softTissue(d, t)
                path += softness * flesh * (1 + 0.06 * muscles.values[i])

                var bone: Float = 0
                for k in 0..<limb.bones.count {
                    if let lesion, let fracture = lesion.fracture, lesion.bone == k {
                        let (value, cover) = fracture.attenuation(limb.bones[k], d, t, texture: trabeculae.values[i])
                        bone += value
                        out.lesion.values[i] = max(out.lesion.values[i], cover)
                    } else {
                        bone += limb.bones[k].attenuation(d, t, texture: trabeculae.values[i])
                    }
                }
                if let distractor { bone *= 1 - distractor.canal(limb, d, t) }
                path += boneDensity * bone

                var value = background * (1 + 0.1 * ripple.values[i]) + (1 - background) * (1 - phantomFastExp(-path))
                if let plate = lesion?.plate, let lesion {
                    let metal = plate.cover(limb.bones[lesion.bone], d, t)
                    value = mix(value, 0.965, metal)
                    out.lesion.values[i] = metal
                }
                if let distractor { value = mix(value, 0.95, distractor.wire(d, t)) }
                let (shade, open) = border.shade(p, value)
                if open < 0.5 { out.lesion.values[i] = 0 }
                out.colours[i] = Colour(repeating: shade)
            }
        }
        return out
    }
}

/// A long bone along t: a tube with a cortex, flaring towards its ends.
struct LongBone {
    let centre: Float
    let slope: Float
    let bow: Float
    /// Half width of the shaft in pixels.
    let shaft: Float
    let cortex: Float
    /// How much wider than the shaft an end is, and the range of t that the bone spans.
    let flare: (top: Float, bottom: Float)
    let range: (top: Float, bottom: Float)
    /// Depth of the notch between two condyles at the lower end, in pixels; 0 for a plain end.
    let notch: Float

    @inline(__always)
    func axis(_ t: Float) -> Float { centre + slope * t + bow * t * t }

    @inline(__always)
    func halfWidth(_ t: Float) -> Float {
        let top = smoothstep(75, 8, t - range.top)
        let bottom = smoothstep(75, 8, range.bottom - t)
        return shaft * (1 + flare.top * top * top + flare.bottom * bottom * bottom)
    }

    /// How spongy the bone is: 0 in the shaft, 1 at the ends.
    @inline(__always)
    func sponge(_ t: Float) -> Float { max(smoothstep(80, 15, t - range.top), smoothstep(80, 15, range.bottom - t)) }

    /// Path through cortex and marrow at `across` pixels from the axis, in pixels of cortex.
    @inline(__always)
    func attenuation(across: Float, _ t: Float, texture: Float) -> Float {
        let wide = halfWidth(t)
        let a = abs(across)
        guard a < wide + 1 else { return 0 }
        // Rounded ends; between condyles the lower end is notched.
        let depth = notch > 0 ? notch * phantomFastExp(-(across * across) / (0.05 * wide * wide)) : 0
        let end = min(t - range.top, range.bottom - depth - t)
        guard end > -1 else { return 0 }
        let cap = notch > 0 ? wide * 0.5 : wide * 0.35
        let sunk = 1 - clamped(end / cap)
        let outer = wide * max(1 - sunk * sunk * (notch > 0 ? 0.75 : 0.45), 0).squareRoot()
        let edge = clamped(outer - a + 0.5) * clamped(end + 0.5)
        guard edge > 0 else { return 0 }
        let spongy = sponge(t)
        let thick = cortex * (1 - 0.72 * spongy)
        let inner = max(outer - thick, 0)
        let full = max(outer * outer - a * a, 0).squareRoot() * 2
        let hollow = max(inner * inner - a * a, 0).squareRoot() * 2
        // The shell closes over the ends too: a thin bright line along the joint.
        let plate = spongy * 9 * phantomFastExp(-max(end - 1, 0) / 2.2)
        let marrow = 0.30 + 0.13 * spongy + (0.05 + 0.09 * spongy) * texture
        // Path lengths grow with the bone's width; compressing them keeps thin and thick bones in one exposure.
        return ((full - hollow) + hollow * max(marrow, 0.1) + plate) * edge * (20 / (20 + 0.55 * outer))
    }

    @inline(__always)
    func attenuation(_ d: Float, _ t: Float, texture: Float) -> Float { attenuation(across: d - axis(t), t, texture: texture) }
}

/// The bones of one limb and the flesh around them, in limb coordinates: d across, t along, (0, 0) in the middle of the picture.
struct Limb {
    let bones: [LongBone]
    let width: AngularTable
    let offset: Float

    init(isKnee: Bool, draws: inout PhantomDraws) {
        let far: Float = 260
        let mirror: Float = draws.chance(0.5) ? 1 : -1
        if isKnee {
            let joint = draws.uniform(-30, 30)
            let femur = draws.uniform(17, 21)
            let tibia = femur * draws.uniform(0.92, 1.02)
            bones = [
                LongBone(
                    centre: draws.uniform(-3, 3), slope: 0.03 * mirror, bow: 0, shaft: femur, cortex: draws.uniform(5, 7),
                    flare: (0, draws.uniform(1.0, 1.25)), range: (-far, joint + 1), notch: draws.uniform(9, 14)),
                LongBone(
                    centre: draws.uniform(-3, 3), slope: -0.02 * mirror, bow: 0, shaft: tibia, cortex: draws.uniform(5, 7),
                    flare: (draws.uniform(1.0, 1.2), 0), range: (joint + 7, far), notch: 0),
                LongBone(
                    centre: mirror * tibia * 1.75, slope: 0.02 * mirror, bow: 0, shaft: draws.uniform(6, 8), cortex: 3,
                    flare: (0.7, 0), range: (joint + draws.uniform(22, 32), far), notch: 0),
            ]
        } else {
            let big = draws.uniform(15, 20)
            let small = big * draws.uniform(0.62, 0.9)
            let gap = draws.uniform(8, 20)
            let hasEnd = draws.chance(0.5)
            let end = hasEnd ? draws.uniform(95, 125) : far
            let flare = hasEnd ? draws.uniform(0.5, 0.8) : 0
            let lean = draws.uniform(-0.05, 0.05)
            bones = [
                LongBone(
                    centre: -mirror * (big + gap / 2), slope: lean, bow: mirror * draws.uniform(0, 0.0006), shaft: big,
                    cortex: draws.uniform(5, 7), flare: (0, flare), range: (-far, end), notch: 0),
                LongBone(
                    centre: mirror * (small + gap / 2), slope: lean + mirror * draws.uniform(-0.01, 0.03),
                    bow: mirror * draws.uniform(0, 0.0007), shaft: small, cortex: draws.uniform(4, 5.5), flare: (0, flare * 0.4),
                    range: (-far, end - draws.uniform(0, 10)), notch: 0),
            ]
        }
        offset = draws.uniform(-6, 6)
        width = AngularTable(mean: draws.uniform(74, 96), amplitude: 9, harmonics: 1...3, decay: 0.5, draws: &draws)
    }

    /// Path through the limb's round cross-section, in pixels.
    @inline(__always)
    func softTissue(_ d: Float, _ t: Float) -> Float {
        let half = width(clamped((t + 256) / 512) * Float(AngularTable.count - 1))
        let a = d - offset
        let squared = half * half - a * a
        return squared > 0 ? squared.squareRoot() * 2 : 0
    }
}

/// What lies around the limb: collimator shutters, and on some pictures an overexposed border.
private struct Border {
    let shutter: Vector2
    let tilt: Rotation
    let shift: Vector2
    let bandEdge: Int
    let bandWidth: Float
    let bandLevel: Float
    let bandSlope: Float

    init(draws: inout PhantomDraws) {
        let isShut = draws.chance(0.6)
        shutter = isShut ? Vector2(draws.uniform(96, 126), draws.uniform(108, 127)) : Vector2(400, 400)
        tilt = Rotation(draws.uniform(-0.05, 0.05))
        shift = Vector2(draws.uniform(-6, 6), draws.uniform(-4, 4))
        bandEdge = draws.chance(0.5) ? draws.integer(0...3) : 4
        bandWidth = draws.uniform(3, 22)
        bandLevel = draws.uniform(0.86, 1.0)
        bandSlope = draws.uniform(-0.04, 0.04)
    }

    /// The value behind the shutters and the band, and how much of the pixel still shows the limb.
    @inline(__always)
    func shade(_ p: Vector2, _ value: Float) -> (Float, Float) {
        let q = tilt.undo(p - Vector2(128, 128) - shift)
        let open = coverage(boxDistance(q, shutter) / 1.6)
        var shade = mix(0.012, value, open)
        var visible = open
        let place: (inward: Float, along: Float)? =
            switch bandEdge {
            case 0: (p.y, p.x)
            case 1: (255 - p.y, p.x)
            case 2: (p.x, p.y)
            case 3: (255 - p.x, p.y)
            default: nil
            }
        if let place {
            let band = coverage((place.inward - bandWidth - bandSlope * (place.along - 128)) / 2)
            shade = mix(shade, bandLevel, band)
            visible *= 1 - band
        }
        return (shade, visible)
    }
}

private struct BoneLesion {
    let bone: Int
    let fracture: Fracture?
    let plate: Plate?

    init(scene: PhantomScene, limb: Limb) {
        var draws = scene.slice("lesion")
        let isFracture = draws.chance(0.5)
        // The thin fibula of the knee breaks rarely and would hide behind the tibia's width.
        bone = draws.integer(0...1)
        let target = limb.bones[bone]
        // In the shaft, well inside the picture.
        let low = max(target.range.top + 45, -55)
        let high = min(target.range.bottom - 45, 55)
        let place = low < high ? draws.uniform(low, high) : 0.5 * (low + high)
        fracture = isFracture ? Fracture(at: place, bone: target, draws: &draws) : nil
        plate = isFracture ? nil : Plate(on: target, draws: &draws)
    }
}

/// A complete fracture: a ragged line across the shaft, the lower fragment moved and bent.
private struct Fracture {
    let place: Float
    let slant: Float
    let cosine: Float
    let gap: Float
    let shift: Float
    let bend: Float
    let band: Float
    let zigzag: AngularTable

    init(at place: Float, bone: LongBone, draws: inout PhantomDraws) {
        self.place = place
        let angle = draws.uniform(-0.78, 0.78)
        let turn = Rotation(angle)
        slant = turn.sine / turn.cosine
        cosine = turn.cosine
        gap = draws.uniform(4.5, 8)
        let side: Float = draws.chance(0.5) ? 1 : -1
        shift = side * draws.uniform(0.4, 0.75) * bone.halfWidth(place)
        bend = draws.uniform(-0.16, 0.16)
        band = draws.uniform(14, 18)
        zigzag = AngularTable(mean: 0, amplitude: 2.6, harmonics: 3...16, decay: 0.5, draws: &draws)
    }

    /// Signed distance from the fracture line along its normal.
    @inline(__always)
    private func beyond(_ across: Float, _ t: Float) -> Float {
        let position = clamped((across + 64) / 128) * Float(AngularTable.count - 1)
        return (t - place - slant * across) * cosine - zigzag(position)
    }

    /// What the two fragments absorb, and how much of the pixel belongs to the fracture.
    @inline(__always)
    func attenuation(_ bone: LongBone, _ d: Float, _ t: Float, texture: Float) -> (Float, Float) {
        let upperAcross = d - bone.axis(t)
        let lowerAcross = upperAcross - shift - bend * (t - place)
        let upper = bone.attenuation(across: upperAcross, t, texture: texture)
        let lower = bone.attenuation(across: lowerAcross, t, texture: texture)
        let s = beyond(upperAcross, t)
        let u = beyond(lowerAcross, t)
        // The broken ends are ragged in depth: density fades over two pixels.
        let above = smoothstep(gap + 1.2, gap - 0.8, s + 2 * gap)
        let below = smoothstep(gap - 0.8, gap + 1.2, u)
        let near = upper > 0 && abs(s + gap) < band || lower > 0 && abs(u) < band
        return (upper * above + lower * below, near ? 1 : 0)
    }
}

/// An osteosynthesis plate: seen from the side along the cortex with screws through the shaft, or from the front with screw heads.
private struct Plate {
    let place: Float
    let half: Float
    let side: Float
    let isFrontal: Bool
    let screws: [Float]
    let halfWidth: Float
    let lean: Float

    init(on bone: LongBone, draws: inout PhantomDraws) {
        half = draws.uniform(40, 62)
        let low = max(bone.range.top + half + 8, half - 80)
        let high = min(bone.range.bottom - half - 8, 80 - half)
        let middle = low < high ? draws.uniform(low, high) : abs(low) < abs(high) ? low : high
        place = middle
        side = draws.chance(0.5) ? 1 : -1
        isFrontal = draws.chance(0.4)
        let count = draws.integer(4...7)
        let skipped = draws.chance(0.5) ? count / 2 : -1
        let reach = half * 0.86
        screws = (0..<count).filter { $0 != skipped }.map { middle - reach + 2 * reach * Float($0) / Float(count - 1) }
        halfWidth = isFrontal ? draws.uniform(7, 10) : draws.uniform(3, 4.2)
        lean = draws.uniform(-0.08, 0.08)
    }

    @inline(__always)
    func cover(_ bone: LongBone, _ d: Float, _ t: Float) -> Float {
        let along = t - place
        guard abs(along) < half + 12 else { return 0 }
        let axis = bone.axis(t)
        let width = bone.halfWidth(t)
        if isFrontal {
            let across = d - axis
            var metal = coverage(boxDistance(Vector2(across, along), Vector2(halfWidth, half), radius: halfWidth * 0.9))
            // Around each screw's head shows a thin gap where the plate is pierced.
            for screw in screws {
                let r = length(Vector2(across, t - screw))
                metal *= 1 - 0.8 * coverage(abs(r - halfWidth * 0.66) - 0.9)
            }
            return metal
        }
        let across = (d - axis) * side
        var metal = coverage(boxDistance(Vector2(across - width - halfWidth + 0.5, along), Vector2(halfWidth, half), radius: 2))
        for screw in screws {
            let s = t - screw - lean * (across - width)
            guard abs(s) < 6 else { continue }
            let thread = 1.7 + 0.5 * phantomCosine(across * 1.9)
            let shank = coverage(boxDistance(Vector2(across - 1, s), Vector2(width + 3, thread), radius: 0.8))
            let head = coverage(boxDistance(Vector2(across - width - 2 * halfWidth, s), Vector2(2.4, 3.8), radius: 1.5))
            metal = max(metal, max(shank, head))
        }
        return metal
    }
}

/// Look-alikes without meaning: a nutrient canal, a faint oblique line in one cortex, or a wire loop in a sleeve beside the bones.
private struct BoneDistractor {
    let isCanal: Bool
    let place: Float
    let bone: Int
    let side: Float
    let slant: Float
    let depth: Float
    let loop: Blob

    init(scene: PhantomScene, limb: Limb) {
        var draws = scene.slice("distractor")
        isCanal = draws.chance(0.5)
        place = draws.uniform(-70, 70)
        bone = draws.integer(0...1)
        side = draws.chance(0.5) ? 1 : -1
        slant = draws.uniform(1.6, 2.6) * (draws.chance(0.5) ? 1 : -1)
        depth = draws.uniform(0.35, 0.6)
        let edge: Float = draws.chance(0.5) ? 1 : -1
        loop = Blob(
            centre: Vector2(edge * draws.uniform(72, 92), draws.uniform(-80, 80)), area: draws.uniform(180, 700),
            elongation: draws.uniform(1, 3), angle: draws.uniform(0, .pi), irregularity: 0.05, draws: &draws)
    }

    @inline(__always)
    func canal(_ limb: Limb, _ d: Float, _ t: Float) -> Float {
        guard isCanal, abs(t - place) < 40 else { return 0 }
        let target = limb.bones[bone]
        let across = (d - target.axis(t)) * side
        let width = target.halfWidth(t)
        guard across > width * 0.35 && across < width else { return 0 }
        let line = abs(t - place - slant * (across - width * 0.6)) / (1 + slant * slant).squareRoot()
        return depth * smoothstep(1.8, 0.6, line)
    }

    @inline(__always)
    func wire(_ d: Float, _ t: Float) -> Float {
        isCanal ? 0 : coverage(abs(loop.distance(Vector2(d, t))) - 1.3)
    }
}
