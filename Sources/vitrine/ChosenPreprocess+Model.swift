import VitrineData
import VitrineModel

extension ChosenPreprocess {
    /// How images are prepared for a loaded model: as the user says, by a preset, or as the file or one beside it says.
    ///
    /// - Throws: `PreprocessError`; a configuration that is not understood, or one that disagrees with the preset.
    init(for loaded: LoadedModel, given: String?, preset: String?) throws(PreprocessError) {
        let (grid, patch) = (loaded.model.configuration.positionGrid, loaded.model.configuration.patchSize)
        try self.init(
            given: given, preset: preset, stored: loaded.report.metadata[Preprocess.metadataKey],
            published: loaded.report.preparations.map { ($0.path, $0.text) }, height: grid.rows * patch, width: grid.columns * patch)
    }
}

extension ChosenPreprocess.Source: CustomStringConvertible {
    public var description: String {
        switch self {
        case .given: "--preprocess"
        case .stored: "the checkpoint"
        case .published(let path): path
        case .preset(let name, let source): "preset \(name): \(source)"
        case .assumed: "assumed"
        }
    }
}
