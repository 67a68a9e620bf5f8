/// P-values adjusted for a declared family of tests.
public enum MultipleTesting {
    /// Holm's step-down adjustment, which controls the family-wise error: p̃(i) = max_{j <= i} min(1, (k - j + 1) p(j)).
    ///
    /// Source: Holm 1979, https://www.jstor.org/stable/4615733.
    /// - Returns: adjusted values in the order given.
    public static func holm(_ pValues: [Double]) -> [Double] {
        let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
        var adjusted = pValues
        var running = 0.0
        for (step, i) in order.enumerated() {
            running = max(running, min(1, Double(pValues.count - step) * pValues[i]))
            adjusted[i] = running
        }
        return adjusted
    }

    /// Benjamini and Hochberg's adjustment, which controls the false discovery rate: p̃(i) = min_{j >= i} min(1, k p(j) / j).
    ///
    /// Source: Benjamini & Hochberg 1995, https://www.jstor.org/stable/2346101. For exploratory screens.
    /// - Returns: adjusted values in the order given.
    public static func benjaminiHochberg(_ pValues: [Double]) -> [Double] {
        let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
        var adjusted = pValues
        var running = 1.0
        for (step, i) in order.enumerated().reversed() {
            running = min(running, Double(pValues.count) * pValues[i] / Double(step + 1))
            adjusted[i] = running
        }
        return adjusted
    }
}
