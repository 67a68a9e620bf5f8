/// Why a statistic cannot be computed from what was given.
public enum StatisticsError: Error, Equatable, CustomStringConvertible {
    /// Nothing was given.
    case empty(what: String)
    /// Two inputs that belong together differ in length.
    case lengthMismatch(what: String, expected: Int, found: Int)
    /// A value is NaN or infinite.
    case notFinite(what: String, index: Int, value: String)
    /// The statistic needs more observations.
    case tooFew(what: String, needed: Int, found: Int)
    /// A value lies outside its domain.
    case outOfRange(what: String, value: String, allowed: String)
    /// A column of a design matrix is a combination of those before it.
    case collinear(column: Int)

    public var description: String {
        switch self {
        case .empty(let what): "\(what): nothing was given; at least one value is needed"
        case .lengthMismatch(let what, let expected, let found):
            "\(what): \(expected) values expected, \(found) found; pass one per image, in the same order"
        case .notFinite(let what, let index, let value):
            "\(what): value \(index) is \(value); leave undefined scores out before asking for statistics"
        case .tooFew(let what, let needed, let found): "\(what): at least \(needed) are needed, \(found) found"
        case .outOfRange(let what, let value, let allowed): "\(what): \(value) is not in \(allowed)"
        case .collinear(let column): "column \(column) of the design is a combination of the columns before it; drop it"
        }
    }
}

/// Throws unless `values` is finite and has `count` elements.
func validate(_ values: [Double], what: String, count: Int? = nil) throws {
    if let count, values.count != count { throw StatisticsError.lengthMismatch(what: what, expected: count, found: values.count) }
    if let i = values.firstIndex(where: { !$0.isFinite }) {
        throw StatisticsError.notFinite(what: what, index: i, value: "\(values[i])")
    }
}
