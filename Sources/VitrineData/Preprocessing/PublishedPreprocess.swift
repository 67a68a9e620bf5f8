import Foundation
import VitrineImage

/// The preprocessing that another library wrote beside a checkpoint.
extension Preprocess {
    /// Reads `preprocessor_config.json` of Hugging Face, timm's `pretrained_cfg` in `config.json`, or `open_clip_config.json`.
    ///
    /// - Returns: nil for a JSON that says nothing of images.
    /// - Throws: `PreprocessError.unsupported` for steps that are not done here; nothing of them is left out in silence.
    public static func published(_ text: [UInt8], source: String) throws(PreprocessError) -> Preprocess? {
        guard let root = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any] else { return nil }
        if let own = root["image_processor"] as? [String: Any] { return try huggingFace(Fields(own, source)) }
        if root["image_mean"] != nil || root["image_processor_type"] != nil || root["feature_extractor_type"] != nil {
            return try huggingFace(Fields(root, source))
        }
        if let own = root["pretrained_cfg"] as? [String: Any] { return try timm(Fields(own, source)) }
        if let own = root["preprocess_cfg"] as? [String: Any] {
            let tower = (root["model_cfg"] as? [String: Any])?["vision_cfg"] as? [String: Any]
            return try openCLIP(Fields(own, source), size: own["size"] ?? tower?["image_size"])
        }
        if root["architecture"] != nil, root["input_size"] != nil { return try timm(Fields(root, source)) }
        return nil
    }

    /// Members of a JSON object by name.
    private struct Fields {
        let members: [String: Any]
        let source: String

        init(_ members: [String: Any], _ source: String) {
            self.members = members
            self.source = source
        }

        func number(_ name: String) -> Double? { (members[name] as? NSNumber)?.doubleValue }
        func integer(_ name: String) -> Int? { number(name).flatMap { Int(exactly: $0) } }
        func text(_ name: String) -> String? { members[name] as? String }
        func flag(_ name: String, _ standard: Bool) -> Bool { (members[name] as? NSNumber)?.boolValue ?? standard }
        func numbers(_ name: String) -> [Double]? { (members[name] as? [NSNumber])?.map(\.doubleValue) }
        func unsupported(_ what: String) -> PreprocessError { .unsupported(source: source, what: what) }

        func side(_ value: Int?, _ what: String) throws(PreprocessError) -> Int {
            guard let value, Preprocess.sides.contains(value) else { throw unsupported(what) }
            return value
        }

        func normalisation(_ mean: [Double], _ deviation: [Double]) throws(PreprocessError) -> Normalisation {
            let widened = [mean, deviation].map { $0.count == 1 ? [Double](repeating: $0[0], count: 3) : $0 }
            guard let found = Normalisation(mean: widened[0].map { Float($0) }, deviation: widened[1].map { Float($0) }) else {
                throw unsupported("a mean of \(mean.count) and a deviation of \(deviation.count) channels")
            }
            return found
        }
    }

    /// The steps of `transformers`' image processors: resize, crop, rescale, normalise.
    private static func huggingFace(_ fields: Fields) throws(PreprocessError) -> Preprocess {
        for name in ["do_pad", "do_convert_grayscale", "do_thumbnail", "do_align_long_axis", "do_flip_channel_order"]
        where fields.flag(name, false) { throw fields.unsupported(name) }
        if fields.number("crop_pct") != nil { throw fields.unsupported("crop_pct") }
        let kind = fields.text("image_processor_type") ?? fields.text("feature_extractor_type") ?? ""
        let filter = try filter(fields)
        let normalisation = try rescaled(fields)
        let crop = fields.flag("do_center_crop", false) ? try side(fields, "crop_size", fields.members["crop_size"]) : nil
        func made(_ geometry: PreprocessGeometry, _ sizes: [Int]) -> Preprocess {
            Preprocess(geometry: geometry, sizes: sizes, normalisation: normalisation, filter: filter)
        }
        guard fields.flag("do_resize", true) else { return crop.map { made(.centerCrop, [$0]) } ?? made(.none, []) }
        if let size = fields.members["size"] as? [String: Any] {
            let inner = Fields(size, fields.source)
            if let height = inner.integer("height"), let width = inner.integer("width") {
                let (height, width) = (try fields.side(height, "size"), try fields.side(width, "size"))
                if let crop {
                    guard height == width else { throw fields.unsupported("a crop from a rectangle") }
                    return made(.resizeCrop, [height, crop])
                }
                return height == width ? made(.resize, [height]) : made(.resizeRectangle, [height, width])
            }
            guard let shorter = inner.integer("shortest_edge"), size.count == 1 else {
                throw fields.unsupported("size \(size.keys.sorted().joined(separator: ", "))")
            }
            guard let crop else { throw fields.unsupported("a size by the shorter edge without a crop") }
            return made(.resizeShorterCrop, [try fields.side(shorter, "size"), crop])
        }
        // Before transformers 4.22 a size was one number: the shorter edge for CLIP and its like, both sides for all others.
        let side = try fields.side(fields.integer("size"), "size")
        guard let crop else { return made(.resize, [side]) }
        return made(kind.contains("CLIP") || kind.contains("Bit") ? .resizeShorterCrop : .resizeCrop, [side, crop])
    }

    private static func side(_ fields: Fields, _ name: String, _ value: Any?) throws(PreprocessError) -> Int {
        if let both = value as? [String: Any] {
            let inner = Fields(both, fields.source)
            guard let height = inner.integer("height"), height == inner.integer("width") else {
                throw fields.unsupported("\(name) that is no square")
            }
            return try fields.side(height, name)
        }
        return try fields.side(fields.integer(name), name)
    }

    private static func filter(_ fields: Fields) throws(PreprocessError) -> ResizeFilter {
        guard fields.flag("do_resize", true) else { return .bilinear }
        let known: [Int: ResizeFilter] = [0: .nearest, 1: .lanczos, 2: .bilinear, 3: .bicubic, 4: .box]
        guard let code = fields.integer("resample"), let filter = known[code] else {
            throw fields.unsupported("resample \(fields.integer("resample").map(String.init) ?? "missing")")
        }
        return filter
    }

    /// `(x * factor - mean) / deviation`, on the scale where 255 is 1.
    private static func rescaled(_ fields: Fields) throws(PreprocessError) -> Normalisation {
        let factor = fields.flag("do_rescale", true) ? fields.number("rescale_factor") ?? 1 / 255 : 1
        guard factor > 0, factor.isFinite, !fields.flag("rescale_offset", false) else {
            throw fields.unsupported("rescale_factor \(factor)")
        }
        var (mean, deviation) = ([0.0, 0, 0], [1.0, 1, 1])
        if fields.flag("do_normalize", true) {
            guard let ownMean = fields.numbers("image_mean"), let ownDeviation = fields.numbers("image_std") else {
                throw fields.unsupported("do_normalize without image_mean and image_std")
            }
            (mean, deviation) = (ownMean, ownDeviation)
        }
        // The usual factor leaves mean and deviation as they are written, bit for bit.
        guard abs(factor * 255 - 1) > 1e-9 else { return try fields.normalisation(mean, deviation) }
        return try fields.normalisation(mean.map { $0 / (255 * factor) }, deviation.map { $0 / (255 * factor) })
    }

    /// open_clip's `image_transform` for evaluation; what a configuration leaves out is as in its `PreprocessCfg`.
    private static func openCLIP(_ fields: Fields, size: Any?) throws(PreprocessError) -> Preprocess {
        let sides = (size as? [NSNumber])?.map(\.intValue) ?? (size as? NSNumber).map { [$0.intValue, $0.intValue] } ?? [224, 224]
        guard sides.count == 2 else { throw fields.unsupported("a size of \(sides.count) numbers") }
        let (height, width) = (try fields.side(sides[0], "size"), try fields.side(sides[1], "size"))
        let name = fields.text("interpolation") ?? "bicubic"
        guard let filter = ResizeFilter(rawValue: name) else { throw fields.unsupported("interpolation '\(name)'") }
        let clip = Normalisation.clip
        let normalisation = try fields.normalisation(
            fields.numbers("mean") ?? clip.mean.map(Double.init), fields.numbers("std") ?? clip.deviation.map(Double.init))
        func made(_ geometry: PreprocessGeometry, _ sizes: [Int]) -> Preprocess {
            Preprocess(geometry: geometry, sizes: sizes, normalisation: normalisation, filter: filter)
        }
        switch fields.text("resize_mode") ?? "shortest" {
        case "squash": return height == width ? made(.resize, [height]) : made(.resizeRectangle, [height, width])
        case "shortest":
            guard height == width else { throw fields.unsupported("a size of \(height)x\(width) by the shorter side") }
            return made(.resizeShorterCrop, [height, height])
        case let mode: throw fields.unsupported("resize_mode '\(mode)'")
        }
    }

    /// timm's `create_transform` for evaluation.
    private static func timm(_ fields: Fields) throws(PreprocessError) -> Preprocess? {
        guard let size = fields.numbers("input_size"), let mean = fields.numbers("mean"), let deviation = fields.numbers("std") else {
            return nil
        }
        guard size.count == 3 else { throw fields.unsupported("input_size \(size)") }
        let side = try fields.side(Int(exactly: size[1]), "input_size")
        let width = try fields.side(Int(exactly: size[2]), "input_size")
        let name = fields.text("interpolation") ?? "bilinear"
        guard let filter = ResizeFilter(rawValue: name) else { throw fields.unsupported("interpolation '\(name)'") }
        let share = fields.number("crop_pct") ?? 0.875
        guard share > 0, share <= 1 else { throw fields.unsupported("crop_pct \(share)") }
        let scaled = try fields.side(Int((Double(side) / share).rounded(.down)), "crop_pct")
        let normalisation = try fields.normalisation(mean, deviation)
        let mode = fields.text("crop_mode") ?? "center"
        guard side == width else {
            // A crop would have to keep the ratio of the frame, which no geometry here does.
            guard mode == "squash", scaled == side, Int((Double(width) / share).rounded(.down)) == width else {
                throw fields.unsupported("input_size \(side) x \(width) with crop_mode '\(mode)' and crop_pct \(share)")
            }
            return Preprocess(geometry: .resizeRectangle, sizes: [side, width], normalisation: normalisation, filter: filter)
        }
        switch mode {
        case "center":
            return Preprocess(geometry: .resizeShorterCrop, sizes: [scaled, side], normalisation: normalisation, filter: filter)
        case "squash":
            return scaled == side
                ? Preprocess(geometry: .resize, sizes: [side], normalisation: normalisation, filter: filter)
                : Preprocess(geometry: .resizeCrop, sizes: [scaled, side], normalisation: normalisation, filter: filter)
        default: throw fields.unsupported("crop_mode '\(mode)'")
        }
    }
}

/// The preprocessing that a model is used with, and who said so.
public struct ChosenPreprocess: Sendable, Equatable {
    public enum Source: Sendable, Equatable {
        /// The user.
        case given
        /// The checkpoint itself, trained by Vitrine.
        case stored
        /// A library's file beside the checkpoint.
        case published(path: String)
        /// A table of published models, by a name that the user gave, and who published it.
        case preset(String, source: String)
        /// Nobody: the whole image at the model's size, with ImageNet's mean and deviation.
        case assumed
    }

    public var preprocess: Preprocess
    public var source: Source

    /// - Parameters:
    ///   - given: as the user wrote it.
    ///   - preset: the name of a published model, whose preprocessing serves a file that says nothing itself.
    ///   - stored: of the checkpoint's metadata.
    ///   - published: path and text of files beside the checkpoint, the most specific first.
    ///   - height: of the images that the model was made for, in pixels; `width` likewise.
    /// - Throws: `PreprocessError.presetConflict` where the file says other than the preset.
    public init(
        given: String?, preset: String? = nil, stored: String?, published: [(path: String, text: [UInt8])], height: Int, width: Int
    ) throws(PreprocessError) {
        if let given {
            preprocess = try Preprocess(parsing: given, defaultSize: height)
            source = .given
            return
        }
        if let preset {
            let named = try PreprocessPreset.named(preset)
            let wanted = try named.preprocess(side: height)
            let own = try ChosenPreprocess(given: nil, stored: stored, published: published, height: height, width: width)
            if case .assumed = own.source {
                (preprocess, source) = (wanted, .preset(preset, source: named.source))
                return
            }
            guard own.preprocess == wanted else {
                let path = if case .published(let path) = own.source { path } else { "the checkpoint" }
                throw .presetConflict(preset: preset, says: wanted.description, path: path, own: own.preprocess.description)
            }
            self = own
            return
        }
        if let stored {
            preprocess = try Preprocess(parsing: stored, defaultSize: height)
            source = .stored
            return
        }
        for file in published {
            guard let found = try Preprocess.published(file.text, source: file.path) else { continue }
            preprocess = found
            source = .published(path: file.path)
            return
        }
        preprocess = try Preprocess(parsing: height == width ? "resize" : "resize-rectangle:\(height),\(width)", defaultSize: height)
        source = .assumed
    }
}
