/// The smallest true mean difference found with 80 % power at the 5 % level: 2.8 sd / sqrt(n).
///
/// 2.8 = z(0.975) + z(0.8); source: Cohen 1988, "Statistical power analysis for the behavioral sciences".
/// - Parameters:
///   - standardDeviation: of the differences between patients.
///   - count: number of patients, at least 1.
public func minimumDetectableEffect(standardDeviation: Double, count: Int) -> Double {
    2.8 * standardDeviation / Double(count).squareRoot()
}
