import Foundation

typealias Vector2 = SIMD2<Float>
typealias Colour = SIMD3<Float>

func phantomExp(_ x: Float) -> Float { Float(exp(Double(x))) }

func phantomLog(_ x: Float) -> Float { Float(log(Double(x))) }

/// e^x for x <= 0, relative error below 4 %: shading needs no more, and an exact exponential per pixel costs five times as much.
@inline(__always)
func phantomFastExp(_ x: Float) -> Float {
    // (1 + x/16)^16 with the quadratic term of each factor.
    let t = max(x, -16) / 16
    let a = 1 + t + 0.5 * t * t
    let b = a * a
    let c = b * b
    let d = c * c
    return d * d
}

/// 0 below `low`, 1 above `high`, smooth between.
@inline(__always)
func smoothstep(_ low: Float, _ high: Float, _ x: Float) -> Float {
    let t = min(max((x - low) / (high - low), 0), 1)
    return t * t * (3 - 2 * t)
}

@inline(__always)
func clamped(_ x: Float, _ low: Float = 0, _ high: Float = 1) -> Float { min(max(x, low), high) }

@inline(__always)
func mix(_ a: Float, _ b: Float, _ t: Float) -> Float { a + (b - a) * t }

@inline(__always)
func mix(_ a: Colour, _ b: Colour, _ t: Float) -> Colour { a + (b - a) * t }

@inline(__always)
func mix2(_ a: Vector2, _ b: Vector2, _ t: Float) -> Vector2 { a + (b - a) * t }

@inline(__always)
func length(_ v: Vector2) -> Float { (v * v).sum().squareRoot() }

/// The share of a pixel that a shape covers whose signed distance (negative inside) at the pixel's centre is `distance`.
@inline(__always)
func coverage(_ distance: Float) -> Float { clamped(0.5 - distance) }

/// The smaller of two distances with a rounded seam of about `radius` pixels: unions that grow together.
@inline(__always)
func smoothMinimum(_ a: Float, _ b: Float, _ radius: Float) -> Float {
    let h = max(radius - abs(a - b), 0) / radius
    return min(a, b) - h * h * radius * 0.25
}

/// Distance in pixels, to first order, from an axis-aligned ellipse around the origin; negative inside.
@inline(__always)
func ellipseDistance(_ p: Vector2, _ radii: Vector2) -> Float {
    let k = length(p / radii)
    let gradient = length(p / (radii * radii))
    return gradient < 1e-6 ? -min(radii.x, radii.y) : k * (k - 1) / gradient
}

/// Distance from a box of half sizes `half` with corners rounded by `radius`; negative inside.
@inline(__always)
func boxDistance(_ p: Vector2, _ half: Vector2, radius: Float = 0) -> Float {
    let q = Vector2(abs(p.x), abs(p.y)) - half + Vector2(repeating: radius)
    let outside = length(Vector2(max(q.x, 0), max(q.y, 0)))
    return outside + min(max(q.x, q.y), 0) - radius
}

/// Distance from the segment a-b.
@inline(__always)
func segmentDistance(_ p: Vector2, _ a: Vector2, _ b: Vector2) -> Float {
    let ab = b - a
    let squared = max((ab * ab).sum(), 1e-6)
    let t = clamped(((p - a) * ab).sum() / squared)
    return length(p - a - ab * t)
}

/// A rotation by an angle in radians, kept as cosine and sine.
struct Rotation {
    let cosine: Float
    let sine: Float
    init(_ angle: Float) {
        cosine = Float(cos(Double(angle)))
        sine = Float(sin(Double(angle)))
    }
    @inline(__always)
    func apply(_ v: Vector2) -> Vector2 { Vector2(cosine * v.x - sine * v.y, sine * v.x + cosine * v.y) }
    @inline(__always)
    func undo(_ v: Vector2) -> Vector2 { Vector2(cosine * v.x + sine * v.y, cosine * v.y - sine * v.x) }
}

/// A periodic function of the angle, as a table: `1 + sum of random harmonics`, for outlines that no two images share.
struct AngularTable {
    static let count = 512
    var values: [Float]

    init(constant: Float) { values = [Float](repeating: constant, count: Self.count) }

    /// `mean + sum over m in harmonics of amplitude / m^decay · N · cos(m θ + φ)`.
    init(mean: Float, amplitude: Float, harmonics: ClosedRange<Int>, decay: Float, draws: inout PhantomDraws) {
        values = [Float](repeating: mean, count: Self.count)
        for m in harmonics {
            let a = amplitude * Float(pow(Double(m), Double(-decay))) * draws.normal()
            let phase = draws.uniform(0, 2 * .pi)
            add(harmonic: m, amplitude: a, phase: phase)
        }
    }

    mutating func add(harmonic m: Int, amplitude: Float, phase: Float) {
        for i in 0..<Self.count {
            let angle = Double(i * m) * (2 * Double.pi / Double(Self.count)) + Double(phase)
            values[i] += amplitude * Float(cos(angle))
        }
    }

    /// The index of an angle in turns, for `callAsFunction`.
    @inline(__always)
    static func position(_ v: Vector2) -> Float {
        let turns = atan2(v.y, v.x) * (1 / (2 * Float.pi))
        return (turns < 0 ? turns + 1 : turns) * Float(count)
    }

    @inline(__always)
    func callAsFunction(_ position: Float) -> Float {
        let i = Int(position)
        let t = position - Float(i)
        let a = values[i & (Self.count - 1)]
        let b = values[(i + 1) & (Self.count - 1)]
        return a + (b - a) * t
    }
}

/// A lesion outline: an ellipse, turned, with random harmonics on its radius.
struct Blob {
    let centre: Vector2
    let radii: Vector2
    let rotation: Rotation
    let outline: AngularTable

    /// An ellipse of `area` pixels; `elongation` is the ratio of its radii.
    init(
        centre: Vector2, area: Float, elongation: Float, angle: Float, irregularity: Float, harmonics: ClosedRange<Int> = 2...7,
        decay: Float = 1, draws: inout PhantomDraws
    ) {
        self.centre = centre
        let radius = (area / .pi).squareRoot()
        let stretch = elongation.squareRoot()
        radii = Vector2(radius * stretch, radius / stretch)
        rotation = Rotation(angle)
        var table = AngularTable(mean: 1, amplitude: irregularity, harmonics: harmonics, decay: decay, draws: &draws)
        for i in 0..<AngularTable.count { table.values[i] = max(table.values[i], 0.35) }
        outline = table
    }

    /// Distance from the centre in units of the outline: 1 on it.
    @inline(__always)
    func level(_ p: Vector2) -> Float {
        let q = rotation.undo(p - centre) / radii
        let r = length(q)
        return r < 1e-4 ? 0 : r / outline(AngularTable.position(q))
    }

    /// Distance in pixels, to first order; negative inside.
    @inline(__always)
    func distance(_ p: Vector2) -> Float { (level(p) - 1) * min(radii.x, radii.y) }

    /// No pixel of the blob lies farther from its centre.
    var reach: Float { max(radii.x, radii.y) * (outline.values.max() ?? 1) }
}

/// cos x, by a parabola per half wave with one refinement: absolute error below 0.002, for shading.
@inline(__always)
func phantomCosine(_ x: Float) -> Float {
    var t = x * (1 / (2 * Float.pi)) + 0.25
    t -= t.rounded(.down)
    // sin(2 pi t) on 0...1
    let u = t < 0.5 ? 8 * t * (1 - 2 * t) : -8 * (t - 0.5) * (2 - 2 * t)
    return 0.225 * (u * abs(u) - u) + u
}

@inline(__always)
func phantomSine(_ x: Float) -> Float { phantomCosine(x - Float.pi / 2) }
