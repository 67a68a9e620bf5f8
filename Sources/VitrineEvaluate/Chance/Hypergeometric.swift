/// Drawing `draws` items without replacement from `population`, of which `successes` are marked.
struct Hypergeometric {
    let population: Int
    let successes: Int
    let draws: Int

    /// The exact expectation of `f` of the number of marked items drawn.
    ///
    /// The probabilities follow from the one at the mode by their ratio, so nothing over- or underflows; terms below 1e-18
    /// of the mode's are dropped.
    /// - Complexity: O(standard deviation).
    func expectation(_ f: (Int) -> Double) -> Double {
        let low = max(0, draws - (population - successes))
        let high = min(draws, successes)
        guard low < high else { return f(low) }
        let mode = min(high, max(low, (draws + 1) * (successes + 1) / (population + 2)))
        /// P(x + 1) / P(x).
        func ratio(_ x: Int) -> Double {
            Double(successes - x) * Double(draws - x) / (Double(x + 1) * Double(population - successes - draws + x + 1))
        }
        var weight = 1.0
        var sum = f(mode)
        var total = 1.0
        var x = mode
        while x < high && weight > 1e-18 {
            weight *= ratio(x)
            x += 1
            total += weight
            sum += weight * f(x)
        }
        weight = 1
        x = mode
        while x > low && weight > 1e-18 {
            x -= 1
            weight /= ratio(x)
            total += weight
            sum += weight * f(x)
        }
        return sum / total
    }

    /// The probability that no marked item is drawn.
    var probabilityOfNone: Double {
        guard draws <= population - successes else { return 0 }
        // The smaller of the two equal products: over the draws, or over the marked items.
        let (few, many) = (min(draws, successes), max(draws, successes))
        return (0..<few).reduce(1.0) { $0 * Double(population - many - $1) / Double(population - $1) }
    }
}
