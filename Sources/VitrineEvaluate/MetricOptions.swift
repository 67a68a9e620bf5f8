/// What was written after a metric's name: `:first,tolerance=15`. A metric takes what it knows; what is left over is an error.
public struct MetricOptions {
    /// The metric's name in all results, options included.
    public let identifier: String
    /// The protocol whose choices hold where no option says otherwise.
    public let rules: EvaluationProtocol
    /// The number behind `@`; 0 where there is none.
    public let number: Double
    private let facts: MetricFacts
    private var words: [String] = []
    private var values: [(name: String, value: String)] = []

    init(_ identifier: String, facts: MetricFacts, number: Double, text: Substring?, rules: EvaluationProtocol) {
        self.identifier = identifier
        self.facts = facts
        self.number = number
        self.rules = rules
        for piece in text?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
            if let equals = piece.firstIndex(of: "=") {
                values.append((String(piece[..<equals]), String(piece[piece.index(after: equals)...])))
            } else if let last = values.indices.last, piece.first?.isNumber == true {
                // A list of numbers: percentiles=20,40,60.
                values[last].value += "," + piece
            } else {
                words.append(String(piece))
            }
        }
    }

    /// A number as it stands in names: without a trailing ".0".
    static func format(_ number: Double) -> String { number == number.rounded() ? String(Int(number)) : String(number) }

    /// The choice whose bare word stands there.
    public mutating func choice<Choice: RawRepresentable>(_: Choice.Type) -> Choice? where Choice.RawValue == String {
        guard let place = words.firstIndex(where: { Choice(rawValue: $0) != nil }) else { return nil }
        return Choice(rawValue: words.remove(at: place))
    }

    /// The choice of `name=word`.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, default fallback: Choice
    ) throws(MetricError) -> Choice where Choice.RawValue == String {
        guard let text = take(name) else { return fallback }
        guard let choice = Choice(rawValue: text) else {
            throw bad(name, text, "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    /// The whole number of `name=number`.
    public mutating func count(_ name: String, default fallback: Int, in range: ClosedRange<Int>) throws(MetricError) -> Int {
        guard let text = take(name) else { return fallback }
        guard let count = Int(text), range.contains(count) else {
            throw bad(name, text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return count
    }

    /// The number of `name=number`.
    public mutating func value(_ name: String, default fallback: Double, in range: ClosedRange<Double>) throws(MetricError) -> Double {
        guard let text = take(name) else { return fallback }
        guard let value = Double(text), range.contains(value) else {
            throw bad(name, text, "a number from \(Self.format(range.lowerBound)) to \(Self.format(range.upperBound))")
        }
        return value
    }

    /// The numbers of `name=number,number`.
    public mutating func list(_ name: String, default fallback: [Double], in range: ClosedRange<Double>) throws(MetricError) -> [Double] {
        guard let text = take(name) else { return fallback }
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard numbers.allSatisfy({ $0.map(range.contains) ?? false }) else {
            throw bad(name, text, "numbers from \(Self.format(range.lowerBound)) to \(Self.format(range.upperBound)), separated by commas")
        }
        return numbers.compactMap { $0 }
    }

    private mutating func take(_ name: String) -> String? {
        guard let place = values.firstIndex(where: { $0.name == name }) else { return nil }
        return values.remove(at: place).value
    }

    private func bad(_ name: String, _ value: String, _ allowed: String) -> MetricError {
        .badValue(metric: facts.identifier, option: name, value: value, allowed: allowed)
    }

    /// Complains about what no one took.
    func finish() throws(MetricError) {
        guard let left = words.first ?? values.first.map({ "\($0.name)=\($0.value)" }) else { return }
        let names = facts.options.flatMap { $0.split(separator: "=").prefix(1).map(String.init) }
        if names.contains(values.first?.name ?? left) && words.first.map(names.contains) ?? true {
            throw .repeatedOption(metric: facts.identifier, option: left)
        }
        throw .unknownOption(metric: facts.identifier, option: left, known: facts.options)
    }
}
