import VitrineData
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineTensor

/// A phantom as a proven network sees it, with the pixels that each planted part changes.
struct TrustImage: Sendable {
    /// In its set.
    let index: Int
    let parts: Set<PhantomPart>
    /// The class that it is, and that the network calls it.
    let label: Int
    let input: PreparedImage
    /// Where the picture changes visibly when a part is left out, by part, at the network's size.
    let regions: [PhantomPart: Mask]
    /// Where it changes when all that makes the label is left out.
    let cause: Mask
    /// In tasks whose classes have lesions of their own: the picture with the lesions of all, and where each changes it.
    let both: Both?

    struct Both: Sendable {
        let pixels: Tensor
        /// Class and region, one per class with a lesion.
        let regions: [(label: Int, mask: Mask)]
    }

    /// Least change of a channel that is visible, of 255: a fifth of the sensor noise's reach.
    static let visible = 4

    /// Draws the image.
    ///
    /// - Returns: nil for an image that is not to be scored: a negative, one that does not show all causes that its task plants
    ///   together, and one on which the network does not prove what it uses, in the picture itself and in each counterfactual.
    init?(
        _ index: Int, of set: PhantomSet, _ task: TrustTask, _ preprocess: Preprocess,
        classify: @Sendable (_ worker: Int, _ images: [Image]) throws -> [Int], worker: Int
    ) throws {
        let parts = set.parts(of: index)
        guard let label = task.label(parts), label > 0 else { return nil }
        if task.phantom == .twoCauses, task.tag == nil, !parts.isSuperset(of: [.lesion, .secondLesion]) { return nil }
        let removals = CounterfactualCheck.removals(task, parts)
        let pictures = [set.phantom(at: index).image] + removals.map { set.phantom(at: index, without: $0).image }
        let said = try classify(worker, pictures)
        guard said[0] == label else { return nil }
        for (removed, said) in zip(removals, said.dropFirst()) where (task.label(parts.subtracting(removed)) != label) != (said != label) {
            return nil
        }
        let own = try preprocess.prepared(pictures[0])
        func region(_ removed: Set<PhantomPart>) throws -> Mask {
            let other: Image
            if let known = removals.firstIndex(of: removed) {
                other = pictures[known + 1]
            } else {
                other = set.phantom(at: index, without: removed).image
            }
            return Self.difference(own, try preprocess.prepared(other))
        }
        var regions: [PhantomPart: Mask] = [:]
        for part in parts.ordered { regions[part] = try region([part]) }
        let cause = try region(task.cause(of: parts))
        guard !cause.isEmpty else { return nil }
        self.index = index
        self.parts = parts
        self.label = label
        self.regions = regions
        self.cause = cause
        input = PreparedImage(
            name: "\(task.name)/\(index)", pixels: preprocess.tensor(fromPrepared: own), target: .fixed(.logit(label)),
            scale: preprocess.scale)
        both = task.isClassSpecific ? try Self.both(index, of: set, parts, preprocess) : nil
    }

    private static func both(_ index: Int, of set: PhantomSet, _ parts: Set<PhantomPart>, _ preprocess: Preprocess) throws -> Both {
        let lesions: [PhantomPart] = [.lesion, .secondLesion]
        let all = parts.union(lesions)
        let picture = try preprocess.prepared(set.phantom(at: index, showing: all).image)
        let regions = try lesions.enumerated().map { k, lesion in
            let other = try preprocess.prepared(set.phantom(at: index, showing: all.subtracting([lesion])).image)
            return (label: k + 1, mask: difference(picture, other))
        }
        return Both(pixels: preprocess.tensor(fromPrepared: picture), regions: regions)
    }

    /// Pixels in which two pictures differ visibly.
    static func difference(_ a: Image, _ b: Image) -> Mask {
        let channels = a.channels
        let (p, q) = (a.pixels, b.pixels)
        let bits = (0..<a.width * a.height).map { i in
            (channels * i..<channels * (i + 1)).contains { abs(Int(p[$0]) - Int(q[$0])) > visible }
        }
        return Mask(width: a.width, height: a.height, bits: bits)
    }
}
