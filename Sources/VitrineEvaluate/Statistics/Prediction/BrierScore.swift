/// The Brier score: mean squared error of predicted probabilities, 0 is best.
///
/// Source: Brier 1950, https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2.
public enum BrierScore {
    /// Σ (p - y)² / n for the probability of the positive class, in [0, 1].
    public static func binary(probabilities: [Double], labels: [Bool]) throws -> Double {
        guard !labels.isEmpty else { throw StatisticsError.empty(what: "labels") }
        try validateProbabilities(probabilities, what: "probability", count: labels.count)
        return mean(zip(probabilities, labels).map { ($0 - ($1 ? 1 : 0)) * ($0 - ($1 ? 1 : 0)) })
    }

    /// Σ_i Σ_c (p_ic - y_ic)² / n over all classes, in [0, 2]: Brier's original form, twice the binary one for two classes.
    ///
    /// - Parameter probabilities: `[image][class]`.
    public static func multiclass(probabilities: [[Double]], labels: [Int]) throws -> Double {
        guard !labels.isEmpty else { throw StatisticsError.empty(what: "labels") }
        guard probabilities.count == labels.count else {
            throw StatisticsError.lengthMismatch(what: "probabilities", expected: labels.count, found: probabilities.count)
        }
        let classes = probabilities[0].count
        var sum = 0.0
        for (row, label) in zip(probabilities, labels) {
            try validateProbabilities(row, what: "probability", count: classes)
            guard row.indices.contains(label) else {
                throw StatisticsError.outOfRange(what: "label", value: "\(label)", allowed: "0..<\(classes)")
            }
            for (c, p) in row.enumerated() { sum += (p - (c == label ? 1 : 0)) * (p - (c == label ? 1 : 0)) }
        }
        return sum / Double(labels.count)
    }
}
