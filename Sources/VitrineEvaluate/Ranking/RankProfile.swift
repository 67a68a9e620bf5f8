/// How the lesion is spread over a map's ranks: for each class of tied pixels, from the highest value down, its pixels and
/// those of them that lie in the mask.
///
/// Every metric that looks at order alone is a function of it.
public struct RankProfile: Sendable, Equatable {
    /// Displayed value of each tie class.
    public var values: [Float]
    /// Pixels of each tie class.
    public var total: [Int]
    /// Lesion pixels of each tie class.
    public var inside: [Int]

    public init(values: [Float] = [], total: [Int] = [], inside: [Int] = []) {
        self.values = values
        self.total = total
        self.inside = inside
    }

    /// The same tie classes with the lesion in the highest ones: no arrangement of these values ranks it better.
    public var ideal: RankProfile {
        var left = inside.reduce(0, +)
        return RankProfile(
            values: values, total: total,
            inside: total.map { size in
                let taken = min(size, left)
                left -= taken
                return taken
            })
    }

    /// The `count` highest pixels: those certainly among them, and the tie class from which the rest is drawn.
    func top(_ count: Int) -> (certain: Int, certainInside: Int, tied: Int, tiedInside: Int, drawn: Int) {
        var certain = 0
        var certainInside = 0
        for (size, hits) in zip(total, inside) {
            if certain + size >= count { return (certain, certainInside, size, hits, count - certain) }
            certain += size
            certainInside += hits
        }
        return (certain, certainInside, 0, 0, 0)
    }
}
