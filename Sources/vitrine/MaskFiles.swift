import Synchronization
import VitrineData
import VitrineEvaluate
import VitrineImage

/// The masks that maps are scored against, each with the mean of the others.
final class MaskFiles: Sendable {
    let folder: String
    let files: StemFiles
    private let rule: MaskRule
    private let geometry: Preprocess?
    /// Sums of all masks at a size, by `HEIGHTxWIDTH`.
    private let sums = Mutex<[String: [Float]]>([:])

    init(_ folder: String, rule: MaskRule, geometry: Preprocess?) throws {
        self.folder = folder
        self.rule = rule
        self.geometry = geometry
        files = try StemFiles(folder, endings: Evaluate.maskEndings, what: "masks")
    }

    /// The mask of a file for a map of this size; one of another size goes through the images' geometry.
    ///
    /// - Parameter withOthers: also the mean of the other masks, brought to the size with nearest neighbours.
    func mask(_ file: String, height: Int, width: Int, withOthers: Bool) throws -> (mask: ScoredMask, notes: [String]) {
        let (own, notes) = try read(file, height, width)
        guard withOthers, files.all.count > 1, own.height == height, own.width == width else { return (ScoredMask(own), notes) }
        let key = "\(height)x\(width)"
        let sum: [Float]
        if let known = sums.withLock({ $0[key] }) {
            sum = known
        } else {
            var total = [Float](repeating: 0, count: height * width)
            for file in files.all {
                let mask = try read(file, height, width).mask.resized(width: width, height: height)
                for i in total.indices where mask.bits[i] { total[i] += 1 }
            }
            sum = total
            sums.withLock { $0[key] = total }
        }
        let others = Float(files.all.count - 1)
        return (ScoredMask(own, others: sum.indices.map { (sum[$0] - (own.bits[$0] ? 1 : 0)) / others }), notes)
    }

    private func read(_ file: String, _ height: Int, _ width: Int) throws -> (mask: Mask, notes: [String]) {
        let read = try MaskFile(contentsOf: file, rule: rule, limits: .scored)
        guard let geometry, read.mask.height != height || read.mask.width != width else { return (read.mask, read.notes) }
        return (try geometry.apply(to: read.mask), read.notes)
    }
}
