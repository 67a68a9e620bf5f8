import VitrineImage

/// The preprocessing that a published model is used with, by the model's name: for files without a configuration beside them.
///
/// Only what a package or a page of the model's authors says is here; `source` names it.
public struct PreprocessPreset: Sendable {
    /// How an image of any size becomes a square.
    enum Shape: Sendable {
        /// The whole image, proportions not kept.
        case squash
        /// The shorter side is this many pixels, and a square is cut from the centre.
        case shorter(Int)
        /// The shorter side is the network's divided by this share (timm's `crop_pct`), and a square is cut from the centre.
        case share(Double)
    }

    public let name: String
    let shape: Shape
    /// The network's side in pixels; nil: that of the model's own positions.
    let size: Int?
    let normalisation: Normalisation
    let filter: ResizeFilter
    /// Who says so.
    public let source: String

    /// For a model whose own images have this side.
    ///
    /// - Throws: `PreprocessError.badSize` for a side that no preprocessing has.
    public func preprocess(side own: Int) throws(PreprocessError) -> Preprocess {
        let side = size ?? own
        let shorter: Int? =
            switch shape {
            case .squash: nil
            case .shorter(let pixels): pixels
            case .share(let share): Int((Double(side) / share).rounded(.down))
            }
        for value in [side, shorter ?? side] where !Preprocess.sides.contains(value) {
            throw .badSize(text: "preset:\(name)", size: "\(value)")
        }
        return Preprocess(
            geometry: shorter == nil ? .resize : .resizeShorterCrop, sizes: [shorter, side].compactMap(\.self),
            normalisation: normalisation,
            filter: filter)
    }

    /// - Throws: `PreprocessError.unknownPreset`, listing those that there are.
    public static func named(_ name: String) throws(PreprocessError) -> PreprocessPreset {
        guard let found = all.first(where: { $0.name == name }) else { throw .unknownPreset(name: name) }
        return found
    }

    private init(
        _ name: String, _ shape: Shape, size: Int? = nil, _ normalisation: Normalisation, filter: ResizeFilter = .bicubic, _ source: String
    ) {
        (self.name, self.shape, self.size, self.normalisation, self.filter, self.source) = (
            name, shape, size, normalisation, filter, source
        )
    }

    private static func own(_ mean: [Float], _ deviation: [Float]) -> Normalisation {
        func widened(_ values: [Float]) -> [Float] { values.count == 1 ? [Float](repeating: values[0], count: 3) : values }
        guard let found = Normalisation(mean: widened(mean), deviation: widened(deviation)) else {
            preconditionFailure("a preset's mean and deviation are numbers")
        }
        return found
    }

    private static func timm(_ name: String) -> String { "timm 1.0.31, \(name)" }

    /// All presets, in the order of their names.
    public static let all: [PreprocessPreset] = [
        PreprocessPreset("beit", .share(0.9), .half, timm("beit_base_patch16_224")),
        PreprocessPreset("beitv2", .share(0.9), .imagenet, timm("beitv2_base_patch16_224")),
        PreprocessPreset("biomedclip", .shorter(224), size: 224, .clip, "open_clip_config.json of BiomedCLIP, open_clip 3.3"),
        PreprocessPreset("clip", .share(1), .clip, "transformers 5.24, CLIPImageProcessor; open_clip 3.3"),
        PreprocessPreset("conch", .shorter(448), size: 448, .clip, "mahmoodlab/CONCH, open_clip_custom/transform.py and factory.py"),
        PreprocessPreset("deit", .share(0.9), .imagenet, timm("deit_base_patch16_224")),
        PreprocessPreset("deit3", .share(0.9), .imagenet, timm("deit3_base_patch16_224")),
        PreprocessPreset("dino", .share(0.9), .imagenet, timm("vit_base_patch16_224.dino")),
        PreprocessPreset("dinov2", .share(1), .imagenet, timm("vit_base_patch14_dinov2.lvd142m")),
        PreprocessPreset("dinov3", .share(1), size: 256, .imagenet, timm("vit_base_patch16_dinov3.lvd1689m")),
        PreprocessPreset(
            "dinov3-sat", .share(1), size: 256, own([0.43, 0.411, 0.296], [0.213, 0.156, 0.143]), timm("vit_large_patch16_dinov3.sat493m")),
        PreprocessPreset(
            "eva-x", .shorter(256), size: 224, own([0.49185243], [0.28509309]), "hustvl/EVA-X, classification/utils/datasets.py"),
        PreprocessPreset("eva02", .squash, .clip, timm("eva02_base_patch14_448.mim_in22k_ft_in22k_in1k")),
        PreprocessPreset("eva02-clip", .share(0.9), .clip, timm("eva02_base_patch16_clip_224.merged2b")),
        PreprocessPreset("gigapath", .shorter(256), size: 224, .imagenet, "prov-gigapath/prov-gigapath, README.md"),
        PreprocessPreset("ijepa", .share(0.9), .imagenet, timm("vit_huge_patch14_gap_224.in22k_ijepa")),
        PreprocessPreset("mae", .shorter(256), size: 224, .imagenet, "facebookresearch/mae, util/datasets.py"),
        PreprocessPreset("medsiglip", .squash, size: 448, .half, "preprocessor_config.json of google/medsiglip-448"),
        PreprocessPreset("rad-dino", .shorter(518), size: 518, own([0.5307], [0.2583]), "preprocessor_config.json of microsoft/rad-dino"),
        PreprocessPreset("retfound", .shorter(256), size: 224, .imagenet, "rmaphoh/RETFound_MAE, util/datasets.py"),
        PreprocessPreset("rope-vit", .share(0.9), .imagenet, timm("vit_base_patch16_rope_224.naver_in1k")),
        PreprocessPreset("siglip", .squash, .half, "transformers 5.24, SiglipImageProcessor"),
        PreprocessPreset("uni", .shorter(224), size: 224, .imagenet, filter: .bilinear, "mahmoodlab/UNI, README.md"),
        PreprocessPreset("uni2-h", .shorter(224), size: 224, .imagenet, filter: .bilinear, "mahmoodlab/UNI, README.md"),
        PreprocessPreset("vit", .share(0.9), .half, timm("vit_base_patch16_224.augreg_in21k_ft_in1k")),
    ]
}
