/// Whose annotation is whose, by the names that an annotation source gives to images.
///
/// The last components must agree but for their endings. Of several candidates the one wins that shares most folders with the image,
/// then the one with the same ending. A folder that the source names and that holds other images of the data set keeps its annotation
/// from them: `benign/1.png` is not the annotation of `malignant/1.png`. What is still undecided is refused.
struct NameMatch {
    private struct Entry {
        let position: Int
        let folders: [String]
        let last: String
    }

    private let names: [String]
    private var byStem: [String: [Entry]] = [:]

    init(_ names: [String]) {
        self.names = names
        for (position, name) in names.enumerated() {
            var parts = Self.components(name)
            guard let last = parts.popLast() else { continue }
            byStem[stem(last), default: []].append(Entry(position: position, folders: parts, last: last))
        }
    }

    /// Components of a path; `\` separates them too, as in files written under Windows.
    static func components(_ path: String) -> [String] {
        path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).filter { $0 != "." }.map(String.init)
    }

    /// How well a name fits an image; larger is better.
    private struct Fit: Comparable {
        let common: Int
        let isExact: Bool
        /// Folders of the name that the image's path does not have.
        let foreign: Int

        static func < (a: Fit, b: Fit) -> Bool {
            if a.common != b.common { return a.common < b.common }
            if a.isExact != b.isExact { return b.isExact }
            return a.foreign > b.foreign
        }
    }

    /// The position of each image's annotation; nil where there is none.
    ///
    /// - Parameter isPreferred: of images that fit an annotation equally well, those that it belongs to, if there is one.
    /// - Throws: `DataError.ambiguous` when two annotations fit an image, or two images an annotation, equally well.
    func positions(of images: [String], isPreferred: (Int) -> Bool = { _ in false }) throws(DataError) -> [Int?] {
        let parts = images.map(Self.components)
        // Folders by their distance from the file.
        var known: [Set<String>] = []
        for part in parts {
            for (depth, folder) in part.dropLast().reversed().enumerated() {
                if depth == known.count { known.append([]) }
                known[depth].insert(folder)
            }
        }
        var claims: [Int: [(image: Int, fit: Fit)]] = [:]
        for (i, part) in parts.enumerated() {
            guard let last = part.last else { continue }
            var best: (fit: Fit, positions: [Int])?
            for entry in byStem[stem(last)] ?? [] {
                let own = Array(part.dropLast().reversed())
                let other = Array(entry.folders.reversed())
                var common = 0
                while common < own.count, common < other.count, own[common] == other[common] { common += 1 }
                if common < other.count, common < own.count, known[common].contains(other[common]) { continue }
                let fit = Fit(common: common, isExact: entry.last == last, foreign: other.count - common)
                if let found = best, found.fit == fit {
                    best?.positions.append(entry.position)
                } else if best.map({ $0.fit < fit }) ?? true {
                    best = (fit, [entry.position])
                }
            }
            guard let best else { continue }
            guard best.positions.count == 1 else {
                throw .ambiguous(first: names[best.positions[0]], second: names[best.positions[1]], image: images[i])
            }
            claims[best.positions[0], default: []].append((i, best.fit))
        }
        var result = [Int?](repeating: nil, count: images.count)
        for (position, all) in claims.sorted(by: { $0.key < $1.key }) {
            let top = all.map(\.fit).max()
            var winners = all.filter { $0.fit == top }.map(\.image)
            if winners.count > 1 {
                let preferred = winners.filter(isPreferred)
                if !preferred.isEmpty { winners = preferred }
            }
            guard winners.count == 1 else {
                throw .sharedAnnotation(annotation: names[position], first: images[winners[0]], second: images[winners[1]])
            }
            result[winners[0]] = position
        }
        return result
    }
}
