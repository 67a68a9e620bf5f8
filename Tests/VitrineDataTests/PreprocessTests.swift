import Foundation
import Testing
import VitrineImage
import VitrineTensor

@testable import VitrineData

/// One row of Tests/Fixtures/data/preprocessing.json.
struct PreprocessCase: Decodable, CustomTestStringConvertible {
    let width, height, channels: Int
    let seed: UInt32
    let preprocess: String
    let shape: [Int]
    let hash, maskHash: String

    var testDescription: String { "\(preprocess) of \(width)x\(height)x\(channels)" }

    struct File: Decodable { let cases: [PreprocessCase] }
    static let all: [PreprocessCase] = (try? DataFixtures.decode(File.self, "preprocessing.json"))?.cases ?? []
}

@Suite struct PreprocessTests {
    @Test func fixturesArePresent() { #expect(PreprocessCase.all.count == 90) }

    /// Bit for bit what torchvision's Resize/CenterCrop, ToTensor and Normalize give, for the image and for the mask beside it.
    @Test(arguments: PreprocessCase.all) func equalsTorchvision(_ expected: PreprocessCase) throws {
        let image = Image(
            width: expected.width, height: expected.height, channels: expected.channels,
            pixels: DataFixtures.randomBytes(expected.width * expected.height * expected.channels, seed: expected.seed))
        let preprocess = try Preprocess(parsing: expected.preprocess)
        let tensor = try preprocess(image)
        #expect(tensor.shape.dimensions == expected.shape)
        #expect(DataFixtures.hash(DataFixtures.bytes(of: tensor.values)) == expected.hash)

        let bits = DataFixtures.randomBytes(expected.width * expected.height, seed: expected.seed + 1).map { $0 >= 128 }
        let mask = try preprocess.apply(to: Mask(width: expected.width, height: expected.height, bits: bits))
        #expect([mask.height, mask.width] == Array(expected.shape.dropFirst()))
        #expect(DataFixtures.hash(mask.bits.map { $0 ? 1 : 0 }) == expected.maskHash)
        #expect(preprocess.description == expected.preprocess)
    }

    /// A square planted in an image comes out where its mask comes out, by every geometry.
    @Test(arguments: ["resize:224", "center-crop:224", "resize-shorter-crop:256,224", "none"])
    func imageAndMaskLineUp(_ text: String) throws {
        var image = Image(width: 317, height: 263, channels: 1)
        var mask = Mask(width: 317, height: 263, bits: [Bool](repeating: false, count: 317 * 263))
        for y in 90..<171 {
            for x in 120..<193 {
                image.pixels[y * 317 + x] = 255
                mask[row: y, column: x] = true
            }
        }
        let input = try PreprocessedImage(image, preprocess: Preprocess(parsing: text + ":none"))
        let aligned = try input.align(mask)
        #expect(aligned.width == input.image.width && aligned.height == input.image.height && aligned.count > 1000)
        var disagreements = 0
        for i in 0..<aligned.bits.count {
            // Above half of the grey range the antialiased square covers most of the pixel: that is where the nearest pixel lies too.
            if (input.image.pixels[3 * i] > 127) != aligned.bits[i] { disagreements += 1 }
        }
        // Antialiasing and nearest sampling may differ by the phase of the edge: at most one pixel along the outline, on one side each.
        let outline = 2 * (81 + 73)
        #expect(disagreements <= outline / 2, "\(disagreements) of \(aligned.count) pixels")
        if text == "none" || text.hasPrefix("center") { #expect(disagreements == 0) }
    }

    @Test func masksAtTheNetworksSizeAreTakenAsTheyAre() throws {
        let input = try PreprocessedImage(Image(width: 50, height: 40, channels: 3), preprocess: .resize(28))
        var mask = Mask(width: 28, height: 28, bits: [Bool](repeating: false, count: 784))
        mask[row: 3, column: 5] = true
        #expect(try input.align(mask) == mask)
        let odd = Mask(width: 40, height: 50, bits: [Bool](repeating: false, count: 2000))
        #expect(throws: PreprocessError.maskSize(path: "m.png", mask: [40, 50], image: [50, 40], network: [28, 28])) {
            try input.align(odd, source: "m.png")
        }
    }

    @Test func displayImageInvertsTheNormalisation() throws {
        for normalisation in Normalisation.all {
            var image = Image(width: 16, height: 16, channels: 3)
            for i in 0..<768 { image.pixels[i] = UInt8(i % 256) }
            let preprocess = Preprocess.none(normalisation: normalisation)
            #expect(preprocess.displayImage(from: try preprocess(image)) == image)
        }
        let outside = Tensor([3, 1, 2], [9, -9, .nan, 0, .infinity, -.infinity])
        #expect(Preprocess.none(normalisation: .half).displayImage(from: outside).pixels == [255, 0, 255, 0, 128, 0])
    }

    @Test func greyLevelIsTheStepBetweenNeighbouringBytes() throws {
        let preprocess = Preprocess.none()
        let tensor = try preprocess(Image(width: 2, height: 1, channels: 1, pixels: [100, 101]))
        for c in 0..<3 {
            // Two roundings of numbers of order 1 in Float32.
            #expect(abs(tensor[at: c, 0, 1] - tensor[at: c, 0, 0] - preprocess.greyLevel[c]) < 3e-7)
        }
    }

    @Test func textForm() throws {
        #expect(try Preprocess(parsing: "resize", defaultSize: 224).description == "resize:224:imagenet")
        #expect(try Preprocess(parsing: "resize-shorter-crop", defaultSize: 224).description == "resize-shorter-crop:256,224:imagenet")
        #expect(try Preprocess(parsing: "center-crop:half", defaultSize: 98).description == "center-crop:98:half")
        #expect(try Preprocess(parsing: "none").description == "none:imagenet")
        #expect(try Preprocess(parsing: "resize:14:none:bicubic") == .resize(14, normalisation: .none, filter: .bicubic))
        for preprocess in [
            Preprocess.resize(28), .centerCrop(9, normalisation: .half), .none(), .resizeShorterCrop(shorterSide: 32, size: 28),
        ] {
            #expect(try Preprocess(parsing: preprocess.description) == preprocess)
            #expect(try JSONDecoder().decode([Preprocess].self, from: JSONEncoder().encode([preprocess])) == [preprocess])
        }
    }

    @Test(arguments: [
        (
            "squeeze",
            "preprocessing 'squeeze': 'squeeze' is none of resize, center-crop, resize-shorter-crop, resize-crop, resize-rectangle, none"
        ),
        ("resize", "preprocessing 'resize' needs a size, such as 'resize:224'"),
        ("resize-shorter-crop", "preprocessing 'resize-shorter-crop' needs two sizes, such as 'resize-shorter-crop:256,224'"),
        ("resize:0", "preprocessing 'resize:0': size '0' is no whole number in 1...16384"),
        ("resize:-3", "preprocessing 'resize:-3': size '-3' is no whole number in 1...16384"),
        ("resize:2x", "preprocessing 'resize:2x': size '2x' is no whole number in 1...16384"),
        (
            "resize:99999999999999999999",
            "preprocessing 'resize:99999999999999999999': size '99999999999999999999' is no whole number in 1...16384"
        ),
        ("resize:32,28", "preprocessing 'resize:32,28' takes 1 size, 2 given"),
        ("none:28", "preprocessing 'none:28' takes 0 sizes, 1 given"),
        (
            "resize:28:imagnet",
            "preprocessing 'resize:28:imagnet': 'imagnet' is no size, no normalisation (imagenet, half, clip, none, or MEAN/DEVIATION) and no filter (nearest, box, bilinear, bicubic, lanczos)"
        ),
        (
            "resize:28:half:bilinear:x",
            "preprocessing 'resize:28:half:bilinear:x' has too many parts; write name:size:normalisation:filter, such as resize:224:imagenet:bilinear"
        ),
    ])
    func badText(_ text: String, _ message: String) throws {
        let error = #expect(throws: PreprocessError.self) { try Preprocess(parsing: text) }
        #expect(error?.description == message)
    }

    @Test func unreasonableSizesAreRefused() throws {
        let strip = Image(width: 1, height: 20_000, channels: 1)
        #expect(throws: PreprocessError.tooLarge(preprocess: "resize-shorter-crop:256,224:imagenet", width: 1, height: 20_000)) {
            try Preprocess.resizeShorterCrop(shorterSide: 256, size: 224)(strip)
        }
    }

    @Test func arraysAreTakenAsPreprocessed() throws {
        let folder = try DataFixtures.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("x.npy").path
        let values = (0..<3 * 4 * 5).map { Float($0) / 30 - 1 }
        try NPY.write(values, shape: [3, 4, 5], to: path)
        let input = try PreprocessedImage(contentsOf: path, preprocess: .resize(28))
        #expect(input.wasPreprocessed && input.tensor.shape == [3, 4, 5] && input.tensor.values == values)
        #expect(input.image.width == 5 && input.image.height == 4)
        let mask = Mask(width: 5, height: 4, bits: [Bool](repeating: true, count: 20))
        #expect(try input.align(mask) == mask)

        try NPY.write([Float](repeating: 0, count: 20), shape: [1, 4, 5], to: path)
        #expect(throws: PreprocessError.notPreprocessed(path: path, shape: [1, 4, 5])) {
            try PreprocessedImage(contentsOf: path, preprocess: .resize(28))
        }
        try NPY.write([Float](repeating: 0, count: 59) + [.nan], shape: [3, 4, 5], to: path)
        #expect(throws: PreprocessError.notFinite(path: path, index: 59)) {
            try PreprocessedImage(contentsOf: path, preprocess: .resize(28))
        }
    }

    @Test func registryNamesAreUniqueAndDocumented() {
        #expect(Set(PreprocessGeometry.all.map(\.name)).count == PreprocessGeometry.all.count)
        #expect(PreprocessGeometry.all.allSatisfy { !$0.summary.isEmpty })
        #expect(Set(Normalisation.all.map(\.name)).count == Normalisation.all.count)
    }
}
