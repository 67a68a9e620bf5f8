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
    public mutating func take<T>(_ key: String, default value: T, _ read: (String) -> T?) throws(MethodError) -> T {
        guard let text = values.removeValue(forKey: key) else { return value }
        guard let result = read(text) else { throw .badValue(method: method, option: key, value: text) }
        return result
    }

    /// An option that is a whole number from 1 up.
    public mutating func takeCount(_ key: String, default value: Int) throws(MethodError) -> Int {
        try take(key, default: value) { text in Int(text).flatMap { $0 > 0 ? $0 : nil } }
    }

    /// `seed`, which keys a method's draws beside the run's own seed.
    public mutating func takeSeed() throws(MethodError) -> Int {
        try take("seed", default: 0) { text in Int(text).flatMap { $0 >= 0 ? $0 : nil } }
    }

    /// `precision` of the forward pass that a relevance reads.
    public mutating func takePrecision() throws(MethodError) -> Precision {
        try take("precision", default: .single) { Precision(rawValue: $0) }
    }

    /// `block`, counted from 0; nil for the last.
    public mutating func takeBlock(_ key: String = "block") throws(MethodError) -> Int? {
        try take(key, default: nil) { text in text == "last" ? .some(nil) : Int(text).map { .some($0) } }
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
    case badValue(method: String, option: String, value: String)
    case duplicate(String)

    public var description: String {
        switch self {
        case .unknown(let name, let known):
            "no method '\(name)'\(Suggestion.question(name, in: known)) The methods are \(known.joined(separator: ", "))"
        case .malformed(let text): "method '\(text)': write name:option=value,option=value"
        case .unknownOption(let method, let option): "method '\(method)' has no option '\(option)'; see --help for its options"
        case .badValue(let method, let option, let value): "method '\(method)': option \(option) cannot be '\(value)'"
        case .duplicate(let name): "method '\(name)' is asked for twice"
        }
    }
}
