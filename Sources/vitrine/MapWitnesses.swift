import VitrineData
import VitrineEvaluate
import VitrineExplain
import VitrineImage
import VitrineModel
import VitrineStudy
import VitrineTensor

/// The images behind a folder of maps under one model, to be asked about.
struct MapWitnesses: Sendable {
    let images: StemFiles
    let preprocess: Preprocess
    private let folder: String
    private let model: VisionTransformer
    private let networks: RandomisedNetworks
    private let target: TargetChoice
    private let seed: UInt64
    private let methodSeed: UInt64

    static let imageEndings: Set<String> = ["png", "jpg", "jpeg", "tif", "tiff", "npy", "dcm"]

    /// - Parameters:
    ///   - target: an index or a name of a class, or `predicted`; absent: what the folder of maps names.
    init(
        model loaded: LoadedModel, images folder: String, target: String?, preprocess: String?, explained: ExplainedFolder?, seed: UInt64
    ) throws {
        let path = loaded.report.path
        guard loaded.model.head != nil else { throw CommandFailure("\(path): has no classifier head, so that it has no answer to ask for") }
        self.folder = folder
        images = try StemFiles(folder, endings: Self.imageEndings, what: "images")
        model = loaded.model
        networks = RandomisedNetworks(loaded.model, seed: seed)
        self.seed = seed
        methodSeed = explained?.seed ?? seed
        let (grid, patch) = (loaded.model.configuration.positionGrid, loaded.model.configuration.patchSize)
        self.preprocess = try ChosenPreprocess(
            given: preprocess ?? explained?.preprocess, stored: loaded.report.metadata[Preprocess.metadataKey],
            published: loaded.report.preparations.map { ($0.path, $0.text) }, height: grid.rows * patch, width: grid.columns * patch
        ).preprocess
        self.target = try TargetChoice(argument: target ?? explained?.target ?? "predicted", of: loaded)
    }

    /// The image of an item of maps.
    func image(of item: String) -> Result<QuestionedImage, any Error> {
        Result {
            guard let file = images.file(of: item) else { throw CommandFailure("there is no image of this name in \(folder)") }
            let prepared = try PreprocessedImage(contentsOf: file, preprocess: preprocess)
            let scale = preprocess.scale
            let image = PreparedImage(name: images.stem(of: item) ?? item, pixels: prepared.tensor, target: target, scale: scale)
            return try QuestionedImage(
                image, scale: scale, model: model, networks: networks, seed: seed, methodSeed: methodSeed, workspace: Workspace())
        }
    }
}
