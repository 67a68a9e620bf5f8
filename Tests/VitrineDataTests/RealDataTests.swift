import Foundation
import Testing
import VitrineImage

@testable import VitrineData

/// Published data beside the package, as it lies there; skipped where it is absent.
@Suite struct RealDataTests {
    private func path(_ name: String) -> String { DataFixtures.shared.appendingPathComponent(name).path }

    @Test(.enabled(if: DataFixtures.hasShared("lgg_mri"), "needs ../shared/data/lgg_mri")) func lggMRI() throws {
        let contents = try Datasets.open(Datasets.kind(of: path("lgg_mri")), path: path("lgg_mri")).contents()
        let samples = contents.samples
        #expect(contents.classNames == ["0", "1"] && samples.count == 270 && Set(samples.compactMap(\.patient)).count == 45)
        #expect(samples.count { $0.label == 1 } == 135 && samples.count { $0.annotation != nil } == 135)
        for sample in samples.filter({ $0.annotation != nil }) {
            let input = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .resize(224))
            let mask = try #require(try input.mask(of: sample))
            #expect(mask.width == 224 && mask.height == 224 && !mask.isEmpty)
        }
        let folds = try Splits.folds(samples, count: 5, seed: 0)
        for fold in 0..<5 {
            let labels = zip(samples, folds).filter { $1 == fold }.map { $0.0.label ?? 0 }
            // 54 images, 27 of each label, by whole patients of six.
            #expect(abs(labels.count - 54) <= 6 && abs(labels.reduce(0, +) - 27) <= 6)
        }
        let tiff = try Datasets.open("pairs", path: path("lgg_mri/tiff")).samples()
        #expect(tiff.count == 6)
        for sample in tiff {
            let input = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .resize(224))
            #expect(try input.mask(of: sample)?.isEmpty == false)
        }
    }

    @Test(.enabled(if: DataFixtures.hasShared("fracatlas"), "needs ../shared/data/fracatlas")) func fracAtlas() throws {
        let table = try Datasets.open("csv", path: path("fracatlas/labels.csv")).samples()
        #expect(table.count == 320 && table.count { $0.label == 1 } == 160)
        let polygons = try Datasets.open(
            "csv", path: path("fracatlas"),
            options: ["annotations": path("fracatlas/annotations_coco.json"), "annotation-format": "coco"]
        ).samples()
        var overlaps: [Double] = []
        for (drawn, sample) in zip(table, polygons) where sample.label == 1 {
            let input = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .none())
            let mask = try #require(try input.mask(of: sample))
            let published = try #require(try input.mask(of: drawn))
            let both = zip(mask.bits, published.bits).count { $0 && $1 }
            overlaps.append(Double(both) / Double(zip(mask.bits, published.bits).count { $0 || $1 }))
        }
        // The masks were drawn with the outline's pixels inside; the lesions are tiny, so that the outline is a tenth of them.
        #expect(
            overlaps.count == 160 && overlaps.min()! > 0.75 && overlaps.reduce(0, +) / 160 > 0.9,
            "\(overlaps.min()!) \(overlaps.reduce(0, +) / 160)")
    }

    @Test(.enabled(if: DataFixtures.hasShared("kvasir_seg"), "needs ../shared/data/kvasir_seg")) func kvasirSEG() throws {
        let name = Datasets.kind(of: path("kvasir_seg"))
        let samples = try Datasets.open(name, path: path("kvasir_seg"), options: ["mask-rule": "half"]).samples()
        #expect(samples.count == 40)
        for sample in samples {
            let input = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: .centerCrop(224))
            #expect(try input.mask(of: sample)?.width == 224)
        }
    }

    /// Image and mask through the same geometry stay on top of each other: a picture that is white where the lesion is, and black elsewhere,
    /// goes through the image's path; where it is white afterwards, the mask must be set, but for pixels on the lesion's rim.
    @Test(
        .enabled(if: DataFixtures.hasShared("kvasir_seg"), "needs ../shared/data"), arguments: ["lgg_mri", "fracatlas", "kvasir_seg"],
        [Preprocess.resize(224), .centerCrop(224), .resizeShorterCrop(shorterSide: 256, size: 224)])
    func masksLieOnTheirImages(_ name: String, _ preprocess: Preprocess) throws {
        var options: [String: String] = ["mask-rule": "half"]
        if name == "fracatlas" {
            options = ["annotations": path("fracatlas/annotations_coco.json"), "annotation-format": "coco"]
        }
        let samples = try Datasets.open(Datasets.kind(of: path(name)), path: path(name), options: options).samples()
        let lesions = samples.filter { $0.annotation?.regions.isEmpty == false }
        #expect(lesions.count >= 40)
        for sample in stride(from: 0, to: lesions.count, by: 8).map({ lesions[$0] }) {
            let input = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: preprocess)
            let mask = try #require(try input.mask(of: sample))
            #expect(mask.width == input.image.width && mask.height == input.image.height)
            let stored = try #require(sample.annotation).mask(width: input.storedWidth, height: input.storedHeight, source: sample.id)
            let picture = Image(width: stored.width, height: stored.height, channels: 1, pixels: stored.bits.map { $0 ? 255 : 0 })
            let white = try preprocess.prepared(picture).converted(toChannels: 1)
            for y in 0..<mask.height {
                for x in 0..<mask.width where mask[row: y, column: x] != (white.pixels[y * mask.width + x] >= 128) {
                    let around = (max(0, y - 1)...min(mask.height - 1, y + 1)).flatMap { v in
                        (max(0, x - 1)...min(mask.width - 1, x + 1)).map { white.pixels[v * mask.width + $0] }
                    }
                    #expect(around.max()! > 0 && around.min()! < 255, "\(sample.id) at \(x), \(y)")
                }
            }
        }
    }

    @Test(
        .enabled(if: DataFixtures.hasShared("expert_masks"), "needs ../shared/data/expert_masks"),
        arguments: ["cpchild", "duke", "kvasir", "mura"])
    func expertMasks(_ name: String) throws {
        let samples = try Datasets.open("masks", path: path("expert_masks/" + name)).samples()
        #expect(samples.count == 50)
        let masks = try samples.map { try $0.annotation!.mask(width: 224, height: 224, source: $0.id) }
        #expect(masks.allSatisfy { $0.width == 224 && $0.height == 224 })
        #expect(masks.count(where: \.isEmpty) == (name == "mura" ? 2 : 0))
        #expect(masks.count { $0.area == 1 } == (name == "kvasir" ? 1 : 0))
        // Mean areas of the study's masks.
        let mean = masks.reduce(0) { $0 + $1.area } / 50
        let published = ["cpchild": 0.43, "duke": 0.019, "kvasir": 0.59, "mura": 0.13][name]!
        #expect(abs(mean - published) <= (name == "duke" ? 0.0005 : 0.005), "\(mean)")
    }
}
