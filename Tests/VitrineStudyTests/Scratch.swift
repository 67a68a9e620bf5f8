import Foundation
import VitrineImage
import VitrineModel
import VitrineStore
import VitrineStudy
import VitrineTensor
import VitrineTrain

/// A folder that goes when the test ends.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("vitrine-study-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }

    /// A grey picture of noise with a bright square where the mask is.
    func writeImage(_ name: String, square: PixelRectangle? = nil, side: Int = 40) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        var random = Philox(seed: 5, name: name)
        var image = Image(width: side, height: side, channels: 3)
        for i in image.pixels.indices { image.pixels[i] = UInt8(random.below(120)) }
        if let square {
            for y in square.top..<square.top + square.height {
                for x in square.left..<square.left + square.width { image.pixels[3 * (y * side + x)] = 250 }
            }
        }
        try image.write(png: file(name))
    }

    func writeMask(_ name: String, _ square: PixelRectangle?, side: Int = 40) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        var image = Image(width: side, height: side, channels: 1)
        if let square {
            for y in square.top..<square.top + square.height {
                for x in square.left..<square.left + square.width { image.pixels[y * side + x] = 255 }
            }
        }
        try image.write(png: file(name))
    }

    /// A model with random weights: width 24, depth 2, patches of 8, two classes.
    func writeModel(_ name: String, seed: UInt64, classes: Int = 2) throws {
        try makeFolder((name as NSString).deletingLastPathComponent)
        let configuration = ViTConfiguration(
            patchSize: 8, width: 24, depth: 2, heads: 3, hidden: 48, classes: classes, positionGrid: PatchGrid(rows: 4, columns: 4))
        let model = VisionTransformer.scratch(configuration, seed: seed)
        let json = String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self)
        try Safetensors.write(model.timmTensors(), metadata: [VisionTransformer.configurationKey: json], to: file(name))
    }

    /// Where the lesion of the i-th picture is.
    static func square(_ i: Int) -> PixelRectangle {
        PixelRectangle(top: 2 + 3 * i % 20, left: 4 + 7 * i % 19, width: 8 + i % 5, height: 6 + i % 7)
    }

    /// A CSV data set with `count` positives of `count / 2` patients, and half as many negatives.
    func writeTable(_ name: String, count: Int) throws {
        var lines = ["image,label,patient,mask"]
        for i in 0..<count {
            try writeImage("\(name)/images/p\(i).png", square: Self.square(i))
            try writeMask("\(name)/masks/p\(i).png", Self.square(i))
            lines.append("images/p\(i).png,1,patient\(i / 2),masks/p\(i).png")
        }
        for i in 0..<count / 2 {
            try writeImage("\(name)/images/n\(i).png")
            lines.append("images/n\(i).png,0,healthy\(i),")
        }
        try write(lines.joined(separator: "\n") + "\n", to: "\(name)/labels.csv")
    }

    /// A study over one table and two models.
    func writeStudy(_ more: String = "") throws -> String {
        try write(
            """
            title: Test
            methods: [attention, gradcam, chefer-stable, random-patch, centre, mask-prior]
            metrics: [pointing-game, iou@20]
            permutations: 20
            control-grid: 4
            datasets:
              table: {kind: csv, path: table, preprocess: "resize:32"}
            models:
              - pattern: weights/{dataset}_{init}.safetensors
                init: [a, b]
            output: results
            \(more)
            """, to: "study.yaml")
        return file("study.yaml")
    }

    func plan(_ overrides: [String] = []) throws -> StudyPlan {
        try StudyPlan(StudyFile.read(file("study.yaml"), overrides: overrides), path: file("study.yaml"))
    }

    /// Runs a study, or its shard, and closes its store.
    @discardableResult
    func run(
        _ plan: StudyPlan, into folder: String = "results", shard: StudyShard = .whole, workers: Int = 2,
        shouldStop: @escaping @Sendable () -> Bool = { false }, changed: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> String {
        let store = try StudyRunner.openStore(plan, folder: file(folder), shard: shard)
        defer { try? store.close() }
        var runner = StudyRunner(plan: plan, store: store)
        runner.shard = shard
        runner.workers = workers
        runner.shouldStop = shouldStop
        runner.changed = changed
        try runner.run()
        return store.path
    }
}
