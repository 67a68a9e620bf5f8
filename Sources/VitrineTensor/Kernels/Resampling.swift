import CVitrineKernels

/// The inner loops of resampling tests, in Float64: sums whose bits depend on nothing but their own terms.
public enum Resampling {
    /// Columns that are summed side by side.
    public static let lanes = 8

    /// The sums of columns over resampled patients, `[resample][column]`.
    ///
    /// - Parameters:
    ///   - counts: how often each patient is in each resample, `[resample][patient]`.
    ///   - columns: `[group][patient][8]`.
    /// - Complexity: O(resamples · patients · groups).
    public static func sums(counts: [UInt8], patients: Int, columns: [Double]) -> [Double] {
        guard patients > 0 else { return [] }
        precondition(counts.count % patients == 0 && columns.count % (lanes * patients) == 0, "whole resamples and groups of columns")
        let (resamples, groups) = (counts.count / patients, columns.count / (lanes * patients))
        var sums = [Double](repeating: 0, count: resamples * groups * lanes)
        // SAFETY: the sizes were checked above; the arrays are distinct and live during the call.
        unsafe vk_resample_sums(counts, resamples, patients, columns, groups, &sums)
        return sums
    }

    /// The sum of values under each draw's signs: eight at a time, then over the eights.
    ///
    /// - Parameter signs: a bit per value, set where it counts negative, `[eight values][draw]`.
    /// - Complexity: O(draws · values / 8).
    public static func signedSums(of values: [Double], signs: [UInt8], draws: Int) -> [Double] {
        precondition(signs.count >= (values.count + 7) / 8 * draws, "a sign for each value and draw")
        var sums = [Double](repeating: 0, count: draws)
        // SAFETY: the sizes were checked above; the arrays are distinct and live during the call.
        unsafe vk_sign_sums(signs, draws, values, values.count, &sums)
        return sums
    }
}
