import Foundation
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineStudy

/// The scores of one map, or why there are none.
struct MapScores: Sendable {
    /// The map's path below its folder, without `.npy`: names its permutations.
    let item: String
    var image: String
    /// What the map's name adds to the image's: the method, for maps of `vitrine explain`.
    var method = ""
    /// One per metric; empty where there is none.
    var scores: [Score] = []
    var maskArea: Double?
    private(set) var maskFile = ""
    /// What may be wrong with the mask.
    private(set) var maskNotes: [String] = []
    /// Scored from its grid of patches, as in a study.
    var isNative = false
    /// Some values are negative, in a map whose sign nobody explained.
    var isSigned = false
    var remark: String?
    /// The word in the column `status` where there are no scores.
    var status = ""
    var problem: Problem?
    /// Somebody stopped the work in the middle of this map.
    private(set) var isStopped = false

    struct Problem: Sendable {
        enum Kind: Sendable { case noMask, emptyMask, other }
        var kind: Kind
        var line: String
    }

    var isControl: Bool { Method.named(String(method.prefix { $0 != ":" }))?.isControl ?? false }

    /// - Parameters:
    ///   - masks: absent where no metric needs one.
    ///   - questioned: the image under the model, absent where no metric asks.
    init(
        _ file: FileCollection.File, of folder: MapFolder, on masks: MaskFolder?,
        _ questioned: Result<QuestionedImage, any Error>?, _ evaluator: Evaluator
    ) {
        item = file.name
        image = file.name
        if let line = folder.line(file) { (image, method) = (line.imageName, line.method) }
        do {
            let maskFile = try masks?.file(folder.line(file)?.imageName ?? item)
            if masks != nil && maskFile == nil {
                fail("no-mask", .noMask, "\(file.path): there is no mask of this name")
                return
            }
            if folder.line(file) == nil, let stem = try maskFile.map({ PathText.name($0.name) }) ?? questioned?.get().name {
                method = String(PathText.name(item).dropFirst(PathText.name(stem).count).drop { $0 == "." })
                if !method.isEmpty { image = String(item.dropLast(method.count + 1)) }
            }
            let map = try folder.map(file)
            var mask: ScoredMask?
            if let masks, let maskFile {
                let read = try masks.read(maskFile)
                (self.maskFile, maskNotes) = (maskFile.path, read.notes)
                let own = try masks.mask(read.mask, maskFile, for: map)
                mask = ScoredMask(own, others: evaluator.needsOtherMasks ? try masks.others(than: own, for: map) : nil)
            }
            let scored: ScoredMap
            switch map.content {
            case .native(let heatMap):
                scored = ScoredMap(heatMap)
                isNative = true
            case .displayed(let values, let height, let width):
                scored = ScoredMap(pixels: values, height: height, width: width)
                isSigned = values.contains { $0 < 0 }
            }
            remark = map.remark
            let witness = try questioned.map { try $0.get().witness(of: Self.asked(folder.line(file))) }
            scores = try evaluator.scores(of: scored, on: mask, witness: witness, item: item)
            maskArea = mask?.area
            if let mask, mask.isEmpty { problem = Problem(kind: .emptyMask, line: "\(self.maskFile): the mask is empty") }
            if scores.contains(where: { $0.status == .nonFiniteMap }) {
                problem = Problem(kind: .other, line: "\(file.path): the map holds NaN or infinity and has no score")
            }
        } catch is ExplanationStopped {
            isStopped = true
        } catch let error as MaskMismatch {
            fail("size-mismatch", .other, "\(error)")
        } catch {
            // What the model or a metric says of a map does not know its file; a sentence of the command's own does.
            let line = "\(error)"
            let isNamed = error is CommandFailure || line.contains(file.path) || !maskFile.isEmpty && line.contains(maskFile)
            fail("unreadable", .other, isNamed ? line : "\(file.path): \(line)")
        }
    }

    /// The method that can be asked again; one that this version does not know can still be scored.
    private static func asked(_ line: ResultLine?) -> ConfiguredMethod? { line.flatMap { try? ConfiguredMethod($0.method) } }

    private mutating func fail(_ status: String, _ kind: Problem.Kind, _ line: String) {
        self.status = status
        problem = Problem(kind: kind, line: line)
    }

    /// The problems of a run: those of one kind that thousands of maps may share in one line, others one by one.
    static func problems(_ all: [MapScores], maskFolder: String) -> [String] {
        var lines: [String] = []
        let noMask = all.filter { $0.problem?.kind == .noMask }
        if noMask.count == 1, let line = noMask[0].problem?.line { lines.append("\(line) in \(maskFolder)") }
        if noMask.count > 1 {
            lines.append(
                "\(noMask.count) maps have no mask of their name in \(maskFolder): \(Words.some(noMask.map(\.item)))")
        }
        var seen = Set<String>()
        let empty = all.filter { $0.problem?.kind == .emptyMask }.compactMap { $0.problem?.line }.filter { seen.insert($0).inserted }
        if empty.count > 5 {
            lines.append("\(empty.count) masks are empty: " + Words.some(empty.map { String($0.split(separator: ":")[0]) }))
        } else {
            lines += empty
        }
        return lines + all.filter { $0.problem?.kind == .other }.compactMap { $0.problem?.line }.filter { seen.insert($0).inserted }
    }

    /// What was taken, where a reader might expect something else.
    static func notes(_ all: [MapScores]) -> [String] {
        var lines: [String] = []
        let displayed = all.filter { !$0.isNative && !$0.scores.isEmpty }
        for (remark, maps) in Dictionary(grouping: displayed, by: \.remark).sorted(by: { ($0.key ?? "") < ($1.key ?? "") }) {
            lines.append(
                "note: \(Words.count(maps.count, "map is", "maps are")) scored as displayed, and chance exchanges pixels: "
                    + (remark ?? "maps of another tool hold no grid of patches"))
        }
        let signed = displayed.count(where: \.isSigned)
        if signed > 0 {
            lines.append(
                "note: \(Words.count(signed, "map holds", "maps hold")) negative values, which count as less than nothing: take magnitudes first if they mean evidence"
            )
        }
        return lines
    }
}
