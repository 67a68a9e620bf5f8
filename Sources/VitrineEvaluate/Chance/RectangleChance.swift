import VitrineImage

/// The rectangle around `selected` sites drawn at random without replacement.
///
/// All selected sites lie in a given rectangle of A of the P sites with probability F(A) = C(A, b) / C(P, b). By inclusion
/// and exclusion over the four sides the bounds are exactly a given h x w rectangle with probability
/// Σ_ij (-1)^(i+j) C(2,i) C(2,j) F((h-i)(w-j)), i, j = 0...2: the same for all rectangles of one size.
struct RectangleChance {
    let lattice: Lattice
    let selected: Int
    /// Beyond this many possible rectangles, permutations are cheaper.
    static let limit = 300_000

    /// The expectation of `f` of the random rectangle; absent if too many rectangles are likely.
    ///
    /// Sizes that occur with a probability below 1e-12 in total are left out.
    func expectation(_ f: (PixelRectangle) -> Double) -> Double? {
        let sites = lattice.count
        // inside[r] = F(P - r), the product of (P - b - i) / (P - i) over i < r.
        var inside = [1.0]
        while inside.count <= sites - selected, let last = inside.last, last > 1e-40 {
            let i = inside.count - 1
            inside.append(last * Double(sites - selected - i) / Double(sites - i))
        }
        func probability(_ h: Int, _ w: Int) -> Double {
            guard h > 0 && w > 0 else { return 0 }
            let outside = sites - h * w
            return outside < inside.count && h * w >= selected ? inside[outside] : 0
        }
        let binomial = [1.0, -2.0, 1.0]
        var sizes: [(h: Int, w: Int, probability: Double)] = []
        var rectangles = 0
        for h in stride(from: lattice.rows, to: 0, by: -1) {
            // The probability that everything lies in some h full rows bounds what smaller sizes can add.
            if Double(lattice.rows - h + 1) * probability(h, lattice.columns) < 1e-16 { break }
            for w in stride(from: lattice.columns, to: 0, by: -1) {
                let places = (lattice.rows - h + 1) * (lattice.columns - w + 1)
                if Double(places) * probability(h, w) < 1e-16 { break }
                var p = 0.0
                for i in 0...2 {
                    for j in 0...2 { p += binomial[i] * binomial[j] * probability(h - i, w - j) }
                }
                if p * Double(places) < 1e-16 { continue }
                sizes.append((h, w, p))
                rectangles += places
                if rectangles > RectangleChance.limit { return nil }
            }
        }
        var sum = 0.0
        var total = 0.0
        for size in sizes {
            for y in 0...(lattice.rows - size.h) {
                for x in 0...(lattice.columns - size.w) {
                    let bounds = lattice.pixels(rows: y...(y + size.h - 1), columns: x...(x + size.w - 1))
                    sum += size.probability * f(bounds)
                    total += size.probability
                }
            }
        }
        return sum / total
    }
}
