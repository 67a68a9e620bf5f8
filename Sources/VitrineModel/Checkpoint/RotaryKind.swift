import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A manner of turning queries and keys by position, before the width of a head is known.
public struct RotaryKind: Sendable, Equatable, CustomStringConvertible {
    var pairing = RotaryPositions.Pairing.neighbours
    var coordinates = RotaryPositions.Coordinates.index
    /// The k-th of d/4 frequencies is `base^(-4k/d)`, of centred coordinates `2 pi base^(-4k/d)`. Nil: learnt.
    var base: Double?
    var columnsFirst = false
    /// Positions do not turn anything.
    var isNone = false

    /// Learnt positions alone.
    static let none = RotaryKind(isNone: true)
    /// DINOv3, with periods from 1 to 100.
    static let dinov3 = dinov3(base: 100)
    static func dinov3(base: Double) -> RotaryKind { RotaryKind(pairing: .halves, coordinates: .centred, base: base) }
    /// EVA-02 and its heirs, whose images are seen as if they had this grid.
    static func eva(_ reference: PatchGrid) -> RotaryKind { RotaryKind(coordinates: .scaled(to: reference), base: 10000) }
    /// RoPE-ViT with fixed frequencies.
    static let axial = RotaryKind(base: 100, columnsFirst: true)
    /// RoPE-ViT with learnt ones.
    static let mixed = RotaryKind(base: nil, columnsFirst: true)

    /// What can be said in text.
    static let texts = "none|dinov3|eva:ROWSxCOLUMNS|axial|mixed"

    /// Reads `texts`; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "none": self = .none
        case "dinov3": self = .dinov3
        case "axial": self = .axial
        case "mixed": self = .mixed
        default:
            guard text.hasPrefix("eva:"), let grid = PatchGrid(String(text.dropFirst("eva:".count))) else { return nil }
            self = .eva(grid)
        }
    }

    private init(
        pairing: RotaryPositions.Pairing = .neighbours, coordinates: RotaryPositions.Coordinates = .index, base: Double? = nil,
        columnsFirst: Bool = false, isNone: Bool = false
    ) {
        self.pairing = pairing
        self.coordinates = coordinates
        self.base = base
        self.columnsFirst = columnsFirst
        self.isNone = isNone
    }

    /// For heads of this width, a multiple of 4.
    ///
    /// - Parameter periods: as a file has them, in the place of computed ones.
    func positions(headWidth d: Int, periods: [Float]? = nil) -> RotaryPositions? {
        guard !isNone else { return nil }
        let turn = coordinates == .centred ? 2 * Double.pi : 1
        let frequencies: RotaryPositions.Frequencies =
            if let periods {
                .axial(periods.map { Float(2 * Double.pi / Double($0)) })
            } else if let base {
                .axial((0..<d / 4).map { Float(turn * pow(base, -4 * Double($0) / Double(d))) })
            } else {
                .learned
            }
        return RotaryPositions(pairing: pairing, coordinates: coordinates, frequencies: frequencies, columnsFirst: columnsFirst)
    }

    public var description: String {
        if isNone { return "none" }
        return (positions(headWidth: 4)?.words ?? "") + (base.map { $0 == 100 || $0 == 10000 ? "" : ", base \($0)" } ?? "")
    }
}

extension RotaryPositions {
    /// In the words of `LoadSetting.rotary`, as far as they go.
    var words: String {
        switch (coordinates, frequencies) {
        case (.centred, _): "dinov3"
        case (.scaled(let grid), _): "eva:\(grid)"
        case (.index, .axial): "axial"
        case (.index, .learned): "mixed"
        }
    }
}
