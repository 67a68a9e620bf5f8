import VitrineImage
import VitrineTensor

extension Explanation {
    /// Why the map shows nothing, or less than it seems to, in words; nil for one that shows something.
    ///
    /// One of: no picture at all (`HeatMapAudit.problem`); a map of pixels in which single ones set the scale, so that fewer than one in fifty
    /// differ from the middle by a tenth of the range; a map of draws whose standard errors account for half of its variance or more.
    public var remark: String? {
        if let problem = map.audit.problem { return problem }
        if isFaint {
            return
                "its picture shows next to nothing: single pixels set the scale, and fewer than one in fifty stand out by a tenth of it; "
                + "sums over patches show more (level=token, where the method has it)"
        }
        if isNoise { return "half of its variance or more is that of its own sampling, as its standard errors say; take more samples" }
        return nil
    }

    private var isFaint: Bool {
        guard map.rows == map.height && map.columns == map.width else { return false }
        let shown = map.displayed().sorted()
        guard let low = shown.first, let high = shown.last, high > low else { return false }
        let middle = shown[shown.count / 2]
        return shown.count { abs($0 - middle) > 0.1 * (high - low) } * 50 < shown.count
    }

    private var isNoise: Bool {
        guard let error else { return false }
        let values = map.values.map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return 2 * error.values.reduce(0) { $0 + Double($1) * Double($1) } >= variance
    }
}
