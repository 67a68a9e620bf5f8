import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStudy
import VitrineTensor

/// The images behind a folder of maps under one model, to be asked about.
struct MapWitnesses {
    let preprocess: Preprocess
    private let images: NamedFiles
    private let model: VisionTransformer
    private let networks: RandomisedNetworks
    private let target: TargetChoice
    private let modelPath: String
    /// By the text of a method's own target.
    private let ownTargets: [String: TargetChoice]
    private let seed: UInt64
    private let methodSeed: UInt64

    /// - Parameters:
    ///   - target: an index or a name of a class, or `predicted`; absent: what the folder of maps names.
    init(
        model loaded: LoadedModel, images folder: String, target: String?, preprocess: String?, preset: String?, maps: MapFolder,
        seed: UInt64
    ) throws {
        let path = loaded.report.path
        guard loaded.model.head != nil else { throw CommandFailure("\(path): has no classifier head, so that it has no answer to ask for") }
        images = try NamedFiles(
            folder, endings: Set(ImageCodec.fileExtensions).union(["npy"]), what: "image", names: maps.files.map(\.name))
        model = loaded.model
        networks = RandomisedNetworks(loaded.model, seed: seed)
        self.seed = seed
        methodSeed = try maps.explained?.common("seed").flatMap { UInt64($0) } ?? seed
        let given = try preprocess ?? (preset == nil ? maps.explained?.common("preprocess") : nil)
        self.preprocess = try ChosenPreprocess(for: loaded, given: given, preset: preset).preprocess
        modelPath = path
        let explained = try maps.explained?.common("target")
        let expression = try maps.explained?.common("target-expression")
        if let target, let was = expression ?? explained, was != target {
            complain("\(maps.explained?.folder ?? ""): the maps explain '\(was)', and metrics ask about '\(target)' (--target)")
        }
        self.target = try ExplainTarget(target ?? explained ?? "predicted", loaded, expression: target == nil ? expression : nil).choice
        var ownTargets: [String: TargetChoice] = [:]
        for text in Set(maps.files.compactMap { Self.ownTarget($0, maps) }) { ownTargets[text] = try ExplainTarget(text, loaded).choice }
        self.ownTargets = ownTargets
    }

    /// Options of the runs behind the maps that say how their checkpoint was read, where the command line does not.
    static func settings(_ maps: MapFolder) throws -> [LoadSetting: String] {
        var settings: [LoadSetting: String] = [:]
        for setting in LoadSetting.allCases { settings[setting] = try maps.explained?.common(setting.rawValue) }
        return settings
    }

    /// Complains where the model does not say of an image what it said when the map was made.
    func check(_ map: FileCollection.File, _ line: ResultLine?, _ questioned: QuestionedImage, _ now: [Float]) throws {
        guard let then = line?.logits, !then.isEmpty, then.allSatisfy(\.isFinite) else { return }
        let scale = max(1, then.map(abs).max() ?? 1)
        // Kinds of processors differ by 1e-5; another network, image or way to read it by far more.
        guard then.count == now.count, zip(then, now).allSatisfy({ abs($0 - $1) < 1e-3 * scale }) else {
            func text(_ logits: [Float]) -> String {
                "[" + logits.prefix(3).map { Words.logit($0) }.joined(separator: ", ") + (logits.count > 3 ? ", ..." : "") + "]"
            }
            throw CommandFailure(
                "\(map.path): was made where the model answered \(text(then)), and \(modelPath) answers \(text(now)) for "
                    + "\(questioned.name); give the checkpoint, its options and the images that the maps were made with")
        }
    }

    /// What a map's method names itself: `gradcam:target=1`.
    private static func ownTarget(_ map: FileCollection.File, _ maps: MapFolder) -> String? {
        maps.line(map).flatMap { try? ConfiguredMethod($0.method) }?.targetText
    }

    /// The image behind a map, under the class that the map explains.
    func image(of map: FileCollection.File, in maps: MapFolder, _ watch: Watch) -> Result<QuestionedImage, any Error> {
        Result {
            let name = maps.line(map)?.imageName ?? map.name
            guard let file = try images.file(name) else {
                throw CommandFailure("\(map.path): there is no image of this name in \(images.folder)")
            }
            let prepared = try PreprocessedImage(contentsOf: file.path, preprocess: preprocess)
            let scale = preprocess.scale
            let image = PreparedImage(
                name: file.name, pixels: prepared.tensor, target: Self.ownTarget(map, maps).flatMap { ownTargets[$0] } ?? target,
                scale: scale)
            return try QuestionedImage(
                image, scale: scale, model: model, networks: networks, seed: seed, methodSeed: methodSeed, workspace: Workspace(),
                watch: watch)
        }
    }

    /// What maps of one image share.
    func key(_ map: FileCollection.File, in maps: MapFolder) -> String {
        ((try? images.file(maps.line(map)?.imageName ?? map.name))?.path ?? map.path) + " " + (Self.ownTarget(map, maps) ?? "")
    }
}
