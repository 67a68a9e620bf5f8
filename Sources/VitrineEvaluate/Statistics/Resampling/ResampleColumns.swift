import VitrineTensor

/// The numerators and denominators of several ratios side by side, so that one pass over the draws serves all of them.
///
/// A column that several ratios share (the sizes of the patients) is summed once. Every sum runs over the patients in order, whatever its
/// neighbours, so that results do not depend on what is computed together.
struct ResampleColumns: Sendable {
    /// The column of every ratio's numerator.
    let numerator: [Int]
    /// The column of every ratio's denominator.
    let denominator: [Int]
    private let patients: Int
    /// Columns by eight, `[group][patient][8]`, padded with 0.
    private let columns: [Double]
    /// Columns and what pads them.
    let width: Int

    init(_ ratios: [ClusterRatio]) {
        var distinct: [[Double]] = []
        func place(_ column: [Double]) -> Int {
            if let known = distinct.firstIndex(of: column) { return known }
            distinct.append(column)
            return distinct.count - 1
        }
        denominator = ratios.map { place($0.denominators) }
        numerator = ratios.map { place($0.numerators) }
        patients = ratios.first?.numerators.count ?? 0
        let lanes = Resampling.lanes
        width = (distinct.count + lanes - 1) / lanes * lanes
        var columns = [Double](repeating: 0, count: width * patients)
        for (i, column) in distinct.enumerated() {
            let start = i / lanes * lanes * patients + i % lanes
            for c in column.indices { columns[start + c * lanes] = column[c] }
        }
        self.columns = columns
    }

    /// The sums of every column, `[resample][width]`, for counts `[resample][patient]`.
    func sums(_ counts: [UInt8]) -> [Double] { Resampling.sums(counts: counts, patients: patients, columns: columns) }
}
