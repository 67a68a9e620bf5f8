import VitrineModel
import VitrineTensor

/// Parameters of a method as a user writes them: `name:key=value,key=value`.
public struct MethodOptions: Sendable {
    public let method: String
    private var values: [String: String]

    public init(method: String, values: [String: String] = [:]) {
        self.method = method
        self.values = values
    }

    /// Splits `name:key=value,key=value`.
    public static func parse(_ text: String) throws(MethodError) -> MethodOptions {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var values: [String: String] = [:]
        for pair in parts.count > 1 ? parts[1].split(separator: ",") : [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, values.updateValue(String(sides[1]), forKey: String(sides[0])) == nil else {
                throw .malformed(text)
            }
        }
        return MethodOptions(method: String(parts[0]), values: values)
    }

    /// Takes an option out; the default when it was not given.
    ///
    /// - Parameter allowed: what may stand there, for the refusal of anything else.
    public mutating func take<T>(_ key: String, default value: T, _ allowed: String, _ read: (String) -> T?) throws(MethodError) -> T {
        guard let text = values.removeValue(forKey: key) else { return value }
        guard let result = read(text) else { throw .badValue(method: method, option: key, value: text, allowed: allowed) }
        return result
    }

    /// An option that is one of some words.
    ///
    /// - Parameter allowed: those that the method knows; all if left out.
    public mutating func takeWord<T: RawRepresentable & CaseIterable>(
        _ key: String, default value: T, of allowed: [T] = Array(T.allCases)
    ) throws(MethodError) -> T where T.RawValue == String {
        try take(key, default: value, allowed.map(\.rawValue).joined(separator: ", ")) { text in
            allowed.first { $0.rawValue == text }
        }
    }

    /// An option that is a whole number, which the network may still refuse.
    public mutating func takeInteger(_ key: String, default value: Int) throws(MethodError) -> Int {
        try take(key, default: value, "a whole number") { Int($0) }
    }

    /// An option that is a whole number from some other up.
    public mutating func takeCount(_ key: String, default value: Int, from least: Int = 1) throws(MethodError) -> Int {
        try take(key, default: value, "a whole number from \(least) up") { text in Int(text).flatMap { $0 >= least ? $0 : nil } }
    }

    /// Which numbers an option takes.
    public enum Numbers: String, Sendable {
        case positive = "a number above 0"
        case atLeastZero = "a number from 0 up"
        case betweenZeroAndOne = "a number above 0 and below 1"
        case share = "a number above 0 and at most 1"
        case belowOne = "a number from 0 up and below 1"

        func contains(_ value: Double) -> Bool {
            switch self {
            case .positive: value > 0 && value.isFinite
            case .atLeastZero: value >= 0 && value.isFinite
            case .betweenZeroAndOne: value > 0 && value < 1
            case .share: value > 0 && value <= 1
            case .belowOne: value >= 0 && value < 1
            }
        }
    }

    /// An option that is a number.
    public mutating func takeNumber<T: BinaryFloatingPoint & LosslessStringConvertible>(
        _ key: String, default value: T, _ allowed: Numbers
    ) throws(MethodError) -> T {
        try take(key, default: value, allowed.rawValue) { text in T(text).flatMap { allowed.contains(Double($0)) ? $0 : nil } }
    }

    /// `seed`, which keys a method's draws beside the run's own seed.
    public mutating func takeSeed() throws(MethodError) -> Int { try takeCount("seed", default: 0, from: 0) }

    /// `precision` of the forward pass that a relevance reads.
    public mutating func takePrecision() throws(MethodError) -> Precision { try takeWord("precision", default: .single) }

    /// `block`, counted from 0; nil for the last.
    public mutating func takeBlock() throws(MethodError) -> Int? {
        try take("block", default: nil, "a block, counted from 0, or last") { text in
            text == "last" ? .some(nil) : Int(text).map { .some($0) }
        }
    }

    /// Complains about options that nobody took.
    public func finish() throws(MethodError) {
        if let key = values.keys.min() { throw .unknownOption(method: method, option: key) }
    }
}

/// What can be wrong with the name or the options of a method.
public enum MethodError: Error, Equatable, CustomStringConvertible {
    case unknown(String, known: [String])
    case malformed(String)
    case unknownOption(method: String, option: String)
    case badValue(method: String, option: String, value: String, allowed: String)
    case duplicate(String)

    public var description: String {
        switch self {
        case .unknown(let name, let known):
            "no method '\(name)'\(Suggestion.choice(name, in: known, listedBy: "vitrine methods"))"
        case .malformed(let text): "method '\(text)': write name:option=value,option=value"
        case .unknownOption(let method, let option):
            "method '\(method)' has no option '\(option)'; "
                + (Method.named(method).map { $0.options.isEmpty ? "it takes none" : "it takes \($0.options)" } ?? "")
        case .badValue(let method, let option, let value, let allowed):
            "method '\(method)': option \(option) cannot be '\(value)'; it takes \(allowed)"
        case .duplicate(let name): "method '\(name)' is asked for twice"
        }
    }
}
