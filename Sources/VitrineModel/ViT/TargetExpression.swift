extension Target {
    /// Reads a linear function of the logits, such as `y1 - y0` or `0.5 y2 + y3 - 2*y0`: classes count from 0.
    ///
    /// - Returns: nil for any other text, for a class named twice, and where nothing is left.
    public init?(expression: String) {
        var terms: [Term] = []
        var sign: Float = 1
        var isFirst = true
        var rest = Substring(expression.filter { !$0.isWhitespace })
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            if let first = rest.first, first == "+" || first == "-" {
                sign = first == "-" ? -1 : 1
                rest.removeFirst()
            } else if !isFirst {
                return nil
            }
            let factor = rest.prefix { $0.isNumber || $0 == "." }
            rest.removeFirst(factor.count)
            if rest.first == "*" {
                guard !factor.isEmpty else { return nil }
                rest.removeFirst()
            }
            guard rest.first == "y" else { return nil }
            rest.removeFirst()
            let index = rest.prefix { $0.isASCII && $0.isNumber }
            rest.removeFirst(index.count)
            guard let weight = factor.isEmpty ? 1 : Float(factor), let classIndex = Int(index), weight.isFinite,
                !terms.contains(where: { $0.classIndex == classIndex })
            else { return nil }
            terms.append(Term(classIndex, sign * weight))
            isFirst = false
        }
        guard terms.contains(where: { $0.weight != 0 }) else { return nil }
        self = .linear(terms.sorted { $0.classIndex < $1.classIndex })
    }
}
