import Foundation
import Testing
import VitrineImage

@testable import VitrineData

/// Published preprocessing by the name of a model.
@Suite struct PresetTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/data")

    /// As timm, transformers and open_clip publish them: `Scripts/fixtures/presets.py`.
    @Test func presetsAreWhatTheirPackagesPublish() throws {
        let data = try Data(contentsOf: Self.folder.appending(path: "presets.json"))
        let root = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        let published = try #require(root["published"] as? [String: Any])
        for (name, json) in published {
            let text = Array(try JSONSerialization.data(withJSONObject: json))
            let expected = try #require(try Preprocess.published(text, source: name))
            let side = try #require(expected.size)
            #expect(try PreprocessPreset.named(name).preprocess(side: side) == expected, "\(name)")
        }
        #expect(published.count >= 16)
    }

    /// As the authors' own code and files have them; the sources stand in the table.
    @Test(arguments: [
        ("rad-dino", "resize-shorter-crop:518,518:0.5307/0.2583:bicubic"), ("retfound", "resize-shorter-crop:256,224:imagenet:bicubic"),
        ("mae", "resize-shorter-crop:256,224:imagenet:bicubic"), ("uni", "resize-shorter-crop:224,224:imagenet"),
        ("conch", "resize-shorter-crop:448,448:clip:bicubic"), ("medsiglip", "resize:448:half:bicubic"),
        ("eva-x", "resize-shorter-crop:256,224:0.49185243/0.2850931:bicubic"),
        ("gigapath", "resize-shorter-crop:256,224:imagenet:bicubic"), ("biomedclip", "resize-shorter-crop:224,224:clip:bicubic"),
    ])
    func presetsOfTheAuthorsCode(_ name: String, _ text: String) throws {
        #expect(try PreprocessPreset.named(name).preprocess(side: 32).description == text)
    }

    @Test func namesAreUniqueAndSourcesAreThere() {
        let names = PreprocessPreset.all.map(\.name)
        #expect(Set(names).count == names.count && names == names.sorted())
        #expect(PreprocessPreset.all.allSatisfy { !$0.source.isEmpty })
    }

    /// The text form: with the preset's side, a model's, or one that is written.
    @Test func presetsHaveATextForm() throws {
        #expect(try Preprocess(parsing: "preset:rad-dino").description == "resize-shorter-crop:518,518:0.5307/0.2583:bicubic")
        #expect(try Preprocess(parsing: "preset:siglip", defaultSize: 384).description == "resize:384:half:bicubic")
        #expect(try Preprocess(parsing: "preset:siglip:256", defaultSize: 384).description == "resize:256:half:bicubic")
        for bad in ["preset:siglip", "preset:nothing", "preset:siglip:x", "preset:uni:448", "preset"] {
            #expect(throws: PreprocessError.self, "\(bad)") { try Preprocess(parsing: bad) }
        }
    }

    /// A preset that says other than the file's own configuration is refused, naming both.
    @Test func conflictsAreRefusedNamingBoth() throws {
        let file = (
            path: "config.json",
            text: Array(
                #"{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": {"height": 448, "width": 448}, "resample": 3}"#.utf8
            )
        )
        func chosen(_ preset: String?, stored: String? = nil, _ files: [(path: String, text: [UInt8])]) throws -> ChosenPreprocess {
            try ChosenPreprocess(given: nil, preset: preset, stored: stored, published: files, height: 224, width: 224)
        }
        let own = try chosen("medsiglip", [file])
        #expect(own.preprocess.description == "resize:448:half:bicubic" && own.source == .published(path: "config.json"))
        do {
            _ = try chosen("rad-dino", [file])
            Issue.record("two preprocessings, and one was taken")
        } catch {
            #expect("\(error)".contains("config.json") && "\(error)".contains("resize:448") && "\(error)".contains("0.5307"), "\(error)")
        }
        #expect(throws: PreprocessError.self) { try chosen("rad-dino", stored: "resize:224:imagenet", []) }
        guard case .preset("rad-dino", let source) = try chosen("rad-dino", []).source else {
            Issue.record("no preset")
            return
        }
        #expect(source.contains("microsoft/rad-dino"))
        #expect(throws: PreprocessError.self) { try chosen("rad_dino", []) }
    }

    /// `open_clip_config.json` says how images are prepared, and what it leaves out is open_clip's default.
    @Test func openClipsConfiguration() throws {
        func read(_ json: String) throws -> String? { try Preprocess.published(Array(json.utf8), source: "file.json")?.description }
        let model = #""model_cfg": {"vision_cfg": {"image_size": 224}}"#
        #expect(try read("{\(model), \"preprocess_cfg\": {}}") == "resize-shorter-crop:224,224:clip:bicubic")
        #expect(
            try read(
                #"{\#(model), "preprocess_cfg": {"size": [336, 336], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "#
                    + #""resize_mode": "squash", "interpolation": "bilinear"}}"#) == "resize:336:half")
        #expect(throws: PreprocessError.self) { try read("{\(model), \"preprocess_cfg\": {\"resize_mode\": \"longest\"}}") }
        #expect(throws: PreprocessError.self) { try read("{\(model), \"preprocess_cfg\": {\"interpolation\": \"random\"}}") }
    }
}

extension PresetTests {
    /// Squeezed or cut, bilinear or bicubic, six means and deviations: presets of models of one size differ in all of it.
    @Test func trap6PreprocessingDiffersAsMuchAsTheNetwork() throws {
        let texts = try ["retfound", "uni", "siglip", "clip", "eva-x", "deit"].map {
            try PreprocessPreset.named($0).preprocess(side: 224).description
        }
        #expect(Set(texts).count == texts.count, "\(texts)")
    }

    /// A grey picture is repeated in three channels, as RAD-DINO's processor does.
    @Test func trap7GreyIsRepeated() throws {
        let grey = Image(width: 4, height: 4, channels: 1, pixels: (0..<16).map { UInt8($0 * 16) })
        let tensor = try Preprocess(parsing: "none:0.5307/0.2583")(grey)
        let values = tensor.values
        #expect(
            tensor.shape == [3, 4, 4] && Array(values[0..<16]) == Array(values[16..<32]) && Array(values[0..<16]) == Array(values[32..<48]))
    }
}
