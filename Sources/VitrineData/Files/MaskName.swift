/// File names of masks that stand beside their images: `x_mask.png`, and `x_mask_1.png`, `x_mask_2.png` for further lesions of the same
/// image, as the breast ultrasound set BUSI names them (Al-Dhabyani et al. 2020, https://doi.org/10.1016/j.dib.2019.104863).
struct MaskName {
    /// The stem of the image.
    let image: String
    /// Behind the mark: nil for the first mask.
    let number: Int?

    /// Nil for a stem that names no mask; case does not matter.
    init?(stem: String) {
        var rest = stem[...]
        var number: Int?
        if let mark = rest.lastIndex(of: "_"), let value = Int(rest[rest.index(after: mark)...]), value >= 0, !rest.hasSuffix("+") {
            (rest, number) = (rest[..<mark], value)
        }
        guard let ending = Self.endings.first(where: { rest.lowercased().hasSuffix($0) }), rest.count > ending.count else { return nil }
        image = String(rest.dropLast(ending.count))
        self.number = number
    }

    private static let endings = ["_mask", "-mask", "_segmentation"]
}

extension MaskName {
    /// Sorts the images of a data set from the masks that stand beside them.
    ///
    /// A numbered mask without its image keeps its place among the images, since `with_mask_1` may be a picture of its own.
    ///
    /// - Returns: images; masks whose image stands beside them; masks without an image.
    static func sorted(_ names: [String]) -> (images: [String], masks: [String], orphans: [String]) {
        let stems = Set(names.map { (parentFolder($0) + "/" + stem($0)).lowercased() })
        var (images, masks, orphans): ([String], [String], [String]) = ([], [], [])
        for name in names {
            guard let mask = MaskName(stem: stem(name)) else {
                images.append(name)
                continue
            }
            if stems.contains((parentFolder(name) + "/" + mask.image).lowercased()) {
                masks.append(name)
            } else if mask.number == nil {
                orphans.append(name)
            } else {
                images.append(name)
            }
        }
        return (images, masks, orphans)
    }
}
