/// A colour of the screen, 8 bits per channel.
public struct Color: Sendable, Equatable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    public static let white = Color(255, 255, 255)
    public static let black = Color(0, 0, 0)
    public static let red = Color(230, 30, 30)
    public static let grey = Color(128, 128, 128)
}

/// How a value between 0 and 1 becomes a colour: 256 colours each, as matplotlib has them.
///
/// viridis, magma, inferno and plasma: N. Smith and S. van der Walt, CC0 (https://bids.github.io/colormap); turbo:
/// A. Mikhailov, Google 2019; jet: for comparison with figures of the literature, its lightness misleads.
public enum ColorMap: String, Sendable, CaseIterable, Codable {
    case viridis, magma, inferno, plasma, turbo, jet

    /// Equal steps of value look like equal steps of colour.
    public var isPerceptuallyUniform: Bool { self != .turbo && self != .jet }

    /// The colour of a value, as matplotlib looks it up: `floor(256 value)`, clamped to 0...255; NaN gives the lowest colour.
    public func color(at value: Float) -> Color { table[Self.index(of: value)] }

    /// The 256 colours, from low to high.
    public var table: [Color] { Self.tables[self]! }

    static func index(of value: Float) -> Int { value > 0 ? Int(min(value * 256, 255)) : 0 }

    private static let tables: [ColorMap: [Color]] = {
        let digits: [ColorMap: String] = [
            .viridis: ColorMapTables.viridis, .magma: ColorMapTables.magma, .inferno: ColorMapTables.inferno,
            .plasma: ColorMapTables.plasma, .turbo: ColorMapTables.turbo, .jet: ColorMapTables.jet,
        ]
        return digits.mapValues { text in
            let nibbles = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue.map { UInt8($0) } }
            precondition(nibbles.count == 6 * 256, "a colour map has 256 colours of six digits")
            return (0..<256).map { i in
                let n = nibbles[6 * i..<6 * i + 6].map { $0 }
                return Color(n[0] << 4 | n[1], n[2] << 4 | n[3], n[4] << 4 | n[5])
            }
        }
    }()
}
