import VitrineTensor

/// Fills missing pixels so that each is the weighted mean of its neighbours, missing ones included: 1/6 for those that share a side,
/// 1/12 for those at a corner, weights of neighbours beyond the edge left out and the others scaled up.
///
/// One sparse system per image, the same for all channels, solved by conjugate gradients: multiplied by its own sum of weights each row is
/// that of a symmetric positive matrix. Where nothing is left to read from, the fill is 0.
/// Source: Rong et al. 2022, "ROAD", https://arxiv.org/abs/2202.00449, section 4.
struct NeighbourImputation {
    private static let neighbours: [(dy: Int, dx: Int, weight: Double)] = [
        (-1, -1, 1.0 / 12), (-1, 0, 1.0 / 6), (-1, 1, 1.0 / 12), (0, -1, 1.0 / 6), (0, 1, 1.0 / 6), (1, -1, 1.0 / 12), (1, 0, 1.0 / 6),
        (1, 1, 1.0 / 12),
    ]

    private let height: Int
    private let width: Int
    /// Positions of the missing pixels, row-major.
    private let missing: [Int]
    /// For each missing pixel: its missing neighbours (as places in `missing`) with their weights.
    private var links: [[(place: Int, weight: Double)]] = []
    /// Its neighbours that are there.
    private var known: [[(pixel: Int, weight: Double)]] = []
    /// Sum of the weights of its neighbours in the image.
    private var sums: [Double] = []

    init(isMissing: [Bool], height: Int, width: Int) {
        (self.height, self.width) = (height, width)
        missing = isMissing.indices.filter { isMissing[$0] }
        var places = [Int](repeating: -1, count: isMissing.count)
        for (place, pixel) in missing.enumerated() { places[pixel] = place }
        links.reserveCapacity(missing.count)
        known.reserveCapacity(missing.count)
        for pixel in missing {
            var (here, there): ([(place: Int, weight: Double)], [(pixel: Int, weight: Double)]) = ([], [])
            var sum = 0.0
            for (dy, dx, weight) in Self.neighbours {
                let (y, x) = (pixel / width + dy, pixel % width + dx)
                guard y >= 0, y < height, x >= 0, x < width else { continue }
                sum += weight
                let neighbour = y * width + x
                if places[neighbour] >= 0 { here.append((places[neighbour], weight)) } else { there.append((neighbour, weight)) }
            }
            links.append(here)
            known.append(there)
            sums.append(sum)
        }
    }

    private func apply(_ x: [Double], into result: inout [Double]) {
        for i in x.indices {
            var value = sums[i] * x[i]
            for link in links[i] { value -= link.weight * x[link.place] }
            result[i] = value
        }
    }

    /// The image with its missing pixels filled.
    ///
    /// - Complexity: O(missing) for each of some hundred rounds and each channel; stops at a residual of 1e-8 of the right-hand side.
    func fill(_ image: Tensor) -> Tensor {
        var filled = image
        let plane = height * width
        guard missing.count < plane else { return Tensor(image.shape) }
        let source = image.values
        for c in 0..<image.shape[0] {
            let right = missing.indices.map { i in known[i].reduce(0) { $0 + $1.weight * Double(source[c * plane + $1.pixel]) } }
            let solution = solve(right)
            filled.withMutableSpan { span in for (i, pixel) in missing.enumerated() { span[c * plane + pixel] = Float(solution[i]) } }
        }
        return filled
    }

    private func solve(_ right: [Double]) -> [Double] {
        func dot(_ a: [Double], _ b: [Double]) -> Double {
            var sum = 0.0
            for i in a.indices { sum += a[i] * b[i] }
            return sum
        }
        var x = [Double](repeating: 0, count: right.count)
        var residual = right
        var product = x
        var direction = residual
        var size = dot(residual, residual)
        let enough = size * 1e-20
        var rounds = 0
        while size > enough && size > 0 && rounds < 20_000 {
            apply(direction, into: &product)
            let step = size / dot(direction, product)
            for i in x.indices {
                x[i] += step * direction[i]
                residual[i] -= step * product[i]
            }
            let next = dot(residual, residual)
            for i in x.indices { direction[i] = residual[i] + next / size * direction[i] }
            size = next
            rounds += 1
        }
        return x
    }
}
