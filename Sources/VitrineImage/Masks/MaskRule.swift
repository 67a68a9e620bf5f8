/// Which values of a mask file are lesion.
public enum MaskRule: Sendable, Equatable {
    /// Every value above zero, in any channel: the study's rule. Grey halos and JPEG ringing count.
    case positive
    /// Values of at least this many 8-bit grey levels, 0...255; colour counts by its luma.
    case atLeast(UInt8)
    /// At least half of the range: 0.5 where no value exceeds 1, 128 up to 255, 32768 beyond; of two values the one that is not 0.
    case half
    /// Exactly these values as stored: grey levels, indices of a palette, or colours as `0xRRGGBB`.
    case values([UInt32])
}

extension MaskRule {
    /// Reads `positive`, `half`, `at-least:N` with N in 1...255, or `values:1+3` (`values:#ff0000` for a colour); nil for anything else.
    public init?(parsing text: String) {
        func number(after prefix: String) -> Substring? { text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil }
        if text == "positive" {
            self = .positive
        } else if text == "half" {
            self = .half
        } else if let level = number(after: "at-least:").flatMap({ UInt8($0) }), level > 0 {
            self = .atLeast(level)
        } else if let list = number(after: "values:")?.split(separator: "+", omittingEmptySubsequences: false) {
            let values = list.map { $0.hasPrefix("#") ? $0.count == 7 ? UInt32($0.dropFirst(), radix: 16) : nil : UInt32($0) }
            guard !values.isEmpty, !values.contains(nil) else { return nil }
            self = .values(values.compactMap { $0 })
        } else {
            return nil
        }
    }

    /// What `init(parsing:)` reads.
    public var text: String {
        switch self {
        case .positive: "positive"
        case .half: "half"
        case .atLeast(let level): "at-least:\(level)"
        case .values(let values): "values:" + values.map(String.init).joined(separator: "+")
        }
    }

    /// What may be written, for help and errors.
    public static let summary = "positive (> 0), half (of the range), at-least:N (N in 1...255) or values:N (several: values:1+3)"
}
