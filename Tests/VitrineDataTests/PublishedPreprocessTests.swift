import Foundation
import Testing
import VitrineData
import VitrineImage

/// What timm and Hugging Face write beside a checkpoint about the preparation of images.
@Suite struct PublishedPreprocessTests {
    private func read(_ json: String) throws -> String? { try Preprocess.published(Array(json.utf8), source: "file.json")?.description }

    /// Mean and deviation of one half, not ImageNet's.
    @Test func huggingFacesViT() throws {
        let json = """
            {"do_normalize": true, "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
             "image_processor_type": "ViTImageProcessor", "resample": 2, "rescale_factor": 0.00392156862745098,
             "size": {"height": 32, "width": 32}}
            """
        #expect(try read(json) == "resize:32:half")
    }

    @Test func otherProcessors() throws {
        let imagenet = #""image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]"#
        #expect(
            try read(
                #"{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}, "do_center_crop": true, "resample": 3, "#
                    + #""crop_size": {"height": 224, "width": 224}, \#(imagenet)}"#) == "resize-shorter-crop:256,224:imagenet:bicubic")
        #expect(
            try read(
                #"{"image_processor_type": "DeiTImageProcessor", "size": {"height": 256, "width": 256}, "do_center_crop": true, "#
                    + #""resample": 3, "crop_size": {"height": 224, "width": 224}, \#(imagenet)}"#)
                == "resize-crop:256,224:imagenet:bicubic")
        #expect(
            try read(
                #"{"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "do_center_crop": true, "crop_size": 224, "resample": 3, "#
                    + #""image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}"#)
                == "resize-shorter-crop:224,224:clip:bicubic")
        #expect(
            try read(#"{"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 40}, "resample": 2, \#(imagenet)}"#)
                == "resize-rectangle:24,40:imagenet")
        // Numbers on the scale of bytes.
        #expect(
            try read(
                #"{"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 24}, "resample": 2, "do_rescale": false, "#
                    + #""image_mean": [127.5, 127.5, 127.5], "image_std": [127.5, 127.5, 127.5]}"#) == "resize:24:half")
        #expect(try read(#"{"hidden_size": 3}"#) == nil && read("[]") == nil && read("{") == nil)
    }

    @Test func timmsConfiguration() throws {
        func config(_ more: String) -> String {
            #"{"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"input_size": [3, 224, 224], "mean": [0.5, 0.5, 0.5], "#
                + #""std": [0.5, 0.5, 0.5]\#(more)}}"#
        }
        #expect(try read(config(#", "interpolation": "bicubic", "crop_pct": 0.9"#)) == "resize-shorter-crop:248,224:half:bicubic")
        #expect(try read(config(#", "interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "squash""#)) == "resize:224:half:bicubic")
        #expect(try read(config(#", "interpolation": "bilinear""#)) == "resize-shorter-crop:256,224:half")
        #expect(throws: PreprocessError.self) { try read(config(#", "crop_mode": "border""#)) }
        // A frame that is no square: stretched as it is, and refused where it would be cropped.
        func wide(_ more: String) -> String {
            #"{"architecture": "vit", "input_size": [3, 24, 40], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]\#(more)}"#
        }
        #expect(try read(wide(#", "crop_pct": 1.0, "crop_mode": "squash""#)) == "resize-rectangle:24,40:half")
        for more in [#", "crop_pct": 1.0"#, #", "crop_pct": 0.9, "crop_mode": "squash""#, #", "crop_mode": "center""#] {
            do {
                _ = try read(wide(more))
                Issue.record("\(more)")
            } catch { #expect("\(error)".contains("input_size 24 x 40"), "\(error)") }
        }
    }

    @Test func whatIsNotDoneIsRefused() {
        let rest = #""image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]"#
        for json in [
            #"{"size": {"longest_edge": 224}, "resample": 2, \#(rest)}"#, #"{"size": {"shortest_edge": 224}, "resample": 2, \#(rest)}"#,
            #"{"size": {"height": 8, "width": 8}, "resample": 5, \#(rest)}"#, #"{"size": {"height": 8, "width": 8}, \#(rest)}"#,
            #"{"size": {"height": 8, "width": 8}, "resample": 2, "image_mean": [0.5], "image_std": [0]}"#,
            #"{"size": {"height": 8, "width": 8}, "resample": 2, "crop_pct": 0.9, \#(rest)}"#,
            #"{"size": {"height": 8, "width": 8}, "resample": 2, "do_pad": true, \#(rest)}"#,
        ] { #expect(throws: PreprocessError.self, "\(json)") { try read(json) } }
    }

    @Test func anyMeanAndDeviation() throws {
        let text = "resize:518:0.5307/0.2583:bicubic"
        let own = try Preprocess(parsing: text)
        #expect(own.description == text && own.normalisation.mean == [0.5307, 0.5307, 0.5307])
        let three = try Preprocess(parsing: "none:0.1,0.2,0.3/0.4,0.5,0.6")
        #expect(three.normalisation.deviation == [0.4, 0.5, 0.6] && three.description == "none:0.1,0.2,0.3/0.4,0.5,0.6")
        #expect(try Preprocess(parsing: "resize:32:0.5/0.5").description == "resize:32:half")
        for bad in ["resize:32:0.5", "resize:32:0.5/0", "resize:32:0.5/-1", "resize:32:nan/1", "resize:32:1,2/1", "resize:32:a/b"] {
            #expect(throws: PreprocessError.self, "\(bad)") { try Preprocess(parsing: bad) }
        }
    }

    @Test func theUserComesFirstAndNobodyIsSaid() throws {
        let file = (
            path: "config.json",
            text: Array(#"{"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "size": {"height": 8, "width": 8}, "resample": 2}"#.utf8)
        )
        func chosen(_ given: String?, _ stored: String?, _ files: [(path: String, text: [UInt8])]) throws -> ChosenPreprocess {
            try ChosenPreprocess(given: given, stored: stored, published: files, height: 24, width: 40)
        }
        #expect(try chosen("resize:9", "resize:10", [file]).source == .given)
        #expect(try chosen(nil, "resize:10", [file]).source == .stored)
        #expect(try chosen(nil, nil, [file]).source == .published(path: "config.json"))
        let assumed = try chosen(nil, nil, [])
        #expect(assumed.source == .assumed && assumed.preprocess.description == "resize-rectangle:24,40:imagenet")
    }
}
