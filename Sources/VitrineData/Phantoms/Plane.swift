/// A square field of floats over the phantom's pixels: a noise texture, a height, a coverage.
struct Plane {
    static let side = 256
    static let count = side * side
    var values: [Float]

    init(_ value: Float = 0) { values = [Float](repeating: value, count: Self.count) }

    @inline(__always)
    subscript(x: Int, y: Int) -> Float {
        get { values[y * Self.side + x] }
        set { values[y * Self.side + x] = newValue }
    }

    /// Smooth noise of zero mean and about unit variance: octaves of random lattices under cubic B-splines.
    ///
    /// The coarsest lattice has cells of `cell` pixels; each octave halves them and weighs `persistence` times the one before.
    /// B-splines leave no trace of the lattice, and their rows are shared, so an octave costs a few nanoseconds per pixel.
    static func noise(
        cell: Float, octaves: Int, persistence: Float = 0.5, stretch: Vector2 = Vector2(1, 1), draws: inout PhantomDraws
    ) -> Plane {
        var plane = Plane()
        var amplitude: Float = 1
        var energy: Float = 0
        var size = Vector2(cell, cell) * stretch
        for _ in 0..<octaves {
            plane.addOctave(cell: size, amplitude: amplitude, draws: &draws)
            energy += amplitude * amplitude
            amplitude *= persistence
            size *= 0.5
        }
        // A uniform number on [-1, 1] has variance 1/3; a cubic B-spline keeps 151/315 of it per axis.
        let scale = 1 / (energy * (151.0 / 315) * (151.0 / 315) / 3).squareRoot()
        for i in 0..<count { plane.values[i] *= scale }
        return plane
    }

    private mutating func addOctave(cell: Vector2, amplitude: Float, draws: inout PhantomDraws) {
        let side = Self.side
        let columns = Int(Float(side) / cell.x) + 5
        let rows = Int(Float(side) / cell.y) + 5
        var lattice = [Float](repeating: 0, count: rows * columns)
        for i in 0..<lattice.count { lattice[i] = amplitude * (Float(draws.stream.nextUInt32()) * 0x1p-31 - 1) }
        let phase = Vector2(draws.uniform(0, 1), draws.uniform(0, 1))
        var starts = [Int](repeating: 0, count: side)
        var weights = [SIMD4<Float>](repeating: SIMD4(), count: side)
        for x in 0..<side {
            let t = Float(x) / cell.x + phase.x
            starts[x] = Int(t)
            weights[x] = Self.bSpline(t - Float(Int(t)))
        }
        var line = [Float](repeating: 0, count: columns)
        for y in 0..<side {
            let t = Float(y) / cell.y + phase.y
            let row = Int(t) * columns
            let w = Self.bSpline(t - Float(Int(t)))
            for c in 0..<columns {
                let i = row + c
                line[c] =
                    w[0] * lattice[i] + w[1] * lattice[i + columns] + w[2] * lattice[i + 2 * columns]
                    + w[3] * lattice[i + 3 * columns]
            }
            for x in 0..<side {
                let (s, v) = (starts[x], weights[x])
                values[y * side + x] += v[0] * line[s] + v[1] * line[s + 1] + v[2] * line[s + 2] + v[3] * line[s + 3]
            }
        }
    }

    @inline(__always)
    private static func bSpline(_ t: Float) -> SIMD4<Float> {
        let (t2, t3) = (t * t, t * t * t)
        return SIMD4(1 - 3 * t + 3 * t2 - t3, 4 - 6 * t2 + 3 * t3, 1 + 3 * t + 3 * t2 - 3 * t3, t3) * (1 / 6)
    }

    /// The value at a place between pixels (bilinear), beyond the border by repeating the plane.
    @inline(__always)
    func sample(_ p: Vector2) -> Float {
        let (fx, fy) = (p.x.rounded(.down), p.y.rounded(.down))
        let (tx, ty) = (p.x - fx, p.y - fy)
        let mask = Self.side - 1
        let (x0, y0) = (Int(fx) & mask, Int(fy) & mask)
        let (x1, y1) = ((x0 + 1) & mask, (y0 + 1) & mask)
        let top = mix(self[x0, y0], self[x1, y0], tx)
        return mix(top, mix(self[x0, y1], self[x1, y1], tx), ty)
    }

    /// The slope along x and y, by central differences, in value per pixel.
    @inline(__always)
    func gradient(_ x: Int, _ y: Int) -> Vector2 {
        let last = Self.side - 1
        let (left, right) = (max(x - 1, 0), min(x + 1, last))
        let (up, down) = (max(y - 1, 0), min(y + 1, last))
        return Vector2(
            (self[right, y] - self[left, y]) / Float(max(right - left, 1)), (self[x, down] - self[x, up]) / Float(max(down - up, 1)))
    }

    /// Draws a tapering line of the given half widths with soft edges; where lines meet the stronger one stays.
    mutating func stroke(from a: Vector2, to b: Vector2, halfWidths: (Float, Float), value: Float, softness: Float = 1) {
        let margin = max(halfWidths.0, halfWidths.1) + softness + 1
        let last = Float(Self.side - 1)
        let low = Vector2(max(min(a.x, b.x) - margin, 0), max(min(a.y, b.y) - margin, 0))
        let high = Vector2(min(max(a.x, b.x) + margin, last), min(max(a.y, b.y) + margin, last))
        guard low.x <= high.x && low.y <= high.y else { return }
        let ab = b - a
        let squared = max((ab * ab).sum(), 1e-6)
        for y in Int(low.y)...Int(high.y) {
            for x in Int(low.x)...Int(high.x) {
                let p = Vector2(Float(x), Float(y))
                let t = clamped(((p - a) * ab).sum() / squared)
                let d = length(p - a - ab * t) - mix(halfWidths.0, halfWidths.1, t)
                let v = value * clamped(0.5 - d / softness)
                if v > self[x, y] { self[x, y] = v }
            }
        }
    }

    /// A branching vessel: a random walk that tapers and forks until it is thinner than a third of a pixel.
    mutating func vesselTree(
        from start: Vector2, direction: Float, halfWidth: Float, wander: Float, forks: Double, value: Float,
        draws: inout PhantomDraws
    ) {
        var (p, angle, width) = (start, direction, halfWidth)
        let step: Float = 5
        let range: ClosedRange<Float> = -20...Float(Self.side + 20)
        while width > 0.3 && range.contains(p.x) && range.contains(p.y) {
            angle += wander * draws.normal()
            let next = p + Rotation(angle).apply(Vector2(step, 0))
            let thinner = width * 0.965
            stroke(from: p, to: next, halfWidths: (width, thinner), value: value * min(1, 0.35 + width))
            if draws.chance(forks) {
                let side: Float = draws.chance(0.5) ? 1 : -1
                vesselTree(
                    from: next, direction: angle + side * draws.uniform(0.4, 0.9), halfWidth: thinner * 0.7, wander: wander,
                    forks: forks * 0.8, value: value, draws: &draws)
                angle -= side * 0.2
            }
            (p, width) = (next, thinner)
        }
    }

    /// A box blur of odd width `2 radius + 1`, run twice along each axis; edges repeat.
    func blurred(radius: Int) -> Plane {
        guard radius > 0 else { return self }
        var result = self
        for _ in 0..<2 {
            result = result.boxedRowsTransposed(radius: radius).boxedRowsTransposed(radius: radius)
        }
        return result
    }

    private func boxedRowsTransposed(radius: Int) -> Plane {
        let side = Self.side
        var out = Plane()
        let scale = 1 / Float(2 * radius + 1)
        for y in 0..<side {
            let row = y * side
            var sum: Float = 0
            for x in -radius...radius { sum += values[row + min(max(x, 0), side - 1)] }
            for x in 0..<side {
                out.values[x * side + y] = sum * scale
                sum += values[row + min(x + radius + 1, side - 1)] - values[row + max(x - radius, 0)]
            }
        }
        return out
    }
}
