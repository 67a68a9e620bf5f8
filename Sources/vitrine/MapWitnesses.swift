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
    /// By the text of a method's own target.
    private let ownTargets: [String: TargetChoice]
    private let seed: UInt64
    private let methodSeed: UInt64

    /// - Parameters:
    ///   - target: an index or a name of a class, or `predicted`; absent: what the folder of maps names.
    init(
        model loaded: LoadedModel, images folder: String, target: String?, preprocess: String?, maps: MapFolder, seed: UInt64
    ) throws {
        let path = loaded.report.path
        guard loaded.model.head != nil else { throw CommandFailure("\(path): has no classifier head, so that it has no answer to ask for") }
        images = try NamedFiles(
            folder, endings: Set(ImageCodec.fileExtensions).union(["npy"]), what: "image", names: maps.files.map(\.name))
        model = loaded.model
        networks = RandomisedNetworks(loaded.model, seed: seed)
        self.seed = seed
        methodSeed = try maps.explained?.common("seed").flatMap { UInt64($0) } ?? seed
        let (grid, patch) = (loaded.model.configuration.positionGrid, loaded.model.configuration.patchSize)
        self.preprocess = try ChosenPreprocess(
            given: preprocess ?? maps.explained?.common("preprocess"), stored: loaded.report.metadata[Preprocess.metadataKey],
            published: loaded.report.preparations.map { ($0.path, $0.text) }, height: grid.rows * patch, width: grid.columns * patch
        ).preprocess
        self.target = try ExplainTarget(target ?? maps.explained?.common("target") ?? "predicted", loaded).choice
        var ownTargets: [String: TargetChoice] = [:]
        for text in Set(maps.files.compactMap { Self.ownTarget($0, maps) }) { ownTargets[text] = try ExplainTarget(text, loaded).choice }
        self.ownTargets = ownTargets
    }

    /// What a map's method names itself: `gradcam:target=1`.
    private static func ownTarget(_ map: FileCollection.File, _ maps: MapFolder) -> String? {
        maps.line(map).flatMap { try? ConfiguredMethod($0.method) }?.targetText
    }

    /// The image behind a map, under the class that the map explains.
    func image(of map: FileCollection.File, in maps: MapFolder) -> Result<QuestionedImage, any Error> {
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
                image, scale: scale, model: model, networks: networks, seed: seed, methodSeed: methodSeed, workspace: Workspace())
        }
    }

    /// What maps of one image share.
    func key(_ map: FileCollection.File, in maps: MapFolder) -> String {
        ((try? images.file(maps.line(map)?.imageName ?? map.name))?.path ?? map.path) + " " + (Self.ownTarget(map, maps) ?? "")
    }
}
