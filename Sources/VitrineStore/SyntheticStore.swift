import GRDB
import VitrineTensor

/// Makes stores of any size with scores from a random generator, for tests and measurements of what reads stores.
///
/// Each method has a mean of its own, each image a difficulty; patients have two images. The same settings give the same content.
package struct SyntheticStore: Sendable {
    package var images = 20_000
    package var models = 1
    package var methods = 3
    package var metrics = 10
    package var seed: UInt64 = 0
    /// Side of the maps that are stored; 0 stores none.
    package var mapSide = 0

    package init() {}

    package func write(to path: String) throws -> Store {
        let store = try Store.create(path, plan: plan)
        let block = 500
        for start in stride(from: 0, to: images, by: block) {
            try store.database.write { db in
                for image in start..<min(start + block, images) { try insert(image, into: db) }
            }
        }
        try store.change { try StoreSeals.rewrite($0.db) }
        return store
    }

    private var plan: StorePlan {
        let metricNames = (["pointing-game"] + (1...max(metrics, 2)).map { "iou@\(5 * $0)" }).prefix(metrics)
        let protocols = ["study", "corrected"]
        return StorePlan(
            study: [
                StudyKey.resolved: "title: \"Synthetic\"\n", StudyKey.fingerprint: "", StudyKey.title: "Synthetic",
                StudyKey.seed: "\(seed)",
            ],
            datasets: [
                DatasetRecord(
                    id: 0, name: "synthetic", kind: "csv", title: "Synthetic", citation: "random numbers", path: "synthetic",
                    hasImages: true,
                    classNames: ["healthy", "lesion"], positiveLabel: 1, positiveClass: "lesion")
            ],
            samples: (0..<images).map { i in
                SampleRecord(
                    id: i, datasetID: 0, name: "image\(i).png", role: .score, label: 1, patient: "patient\(i / 2)", split: "test",
                    imagePath: "synthetic/image\(i).png", maskPath: "synthetic/mask\(i).png")
            },
            models: (0...models).map { m in
                ModelRecord(
                    id: m, datasetID: 0, name: m == 0 ? "none" : "model\(m)", kind: m == 0 ? .none : .checkpoint,
                    path: m == 0 ? "" : "model\(m).pth")
            },
            methods: (0...methods).map { m in
                MethodRecord(
                    id: m, name: m == methods ? "centre" : "method\(m)", identifier: m == methods ? "centre" : "method\(m)",
                    summary: "random numbers", citation: "none", isControl: m == methods, isClassSpecific: m != methods)
            },
            metrics: metricNames.enumerated().flatMap { k, name in
                protocols.enumerated().map { p, rules in
                    MetricRecord(id: 2 * k + p, name: name, protocolName: rules, summary: "random numbers", citation: "none")
                }
            })
    }

    private func insert(_ image: Int, into db: Database) throws {
        var random = Philox(seed: seed, name: "synthetic", index: UInt64(image))
        let area = 0.02 + 0.3 * random.uniform()
        let difficulty = random.uniform()
        try db.cachedStatement(sql: "INSERT INTO image VALUES (?, ?, 256, 256, '[]')").execute(arguments: [image, "0"])
        try db.cachedStatement(sql: "INSERT INTO mask VALUES (?, '0', 256, 256, ?, 1, 0, 2, 0, 0, NULL, '[]')").execute(arguments: [
            image, area,
        ])
        for model in 0...models {
            try db.cachedStatement(sql: "INSERT INTO unit VALUES (?, ?, 'scored', ?, 1, 224, 224, NULL, NULL)").execute(arguments: [
                model, image, area,
            ])
            if model > 0 {
                let probability = Float(0.2 + 0.8 * random.uniform())
                try db.cachedStatement(sql: "INSERT INTO prediction VALUES (?, ?, 'logit 1', ?, ?, ?)").execute(arguments: [
                    model, image, probability > 0.5 ? 1 : 0, StoreBlob.data([Float(0), 2 * probability - 1]),
                    StoreBlob.data([1 - probability, probability]),
                ])
            }
            for method in model == 0 ? methods...methods : 0...(methods - 1) {
                try insertMap(model, method, image, &random, into: db)
                let mean = 0.2 + 0.4 * Double(method) / Double(methods)
                for metric in 0..<2 * metrics {
                    let quality = min(1, max(0, mean + 0.5 * (difficulty - 0.5) + 0.3 * (random.uniform() - 0.5)))
                    // Metric 0 and 1 are the pointing game: a hit or none.
                    let value = metric < 2 ? (random.uniform() < quality ? 1 : 0) : quality
                    try db.cachedStatement(sql: "INSERT INTO score VALUES (?, ?, ?, ?, ?, ?, 1, 'ok', 'exact', 0, NULL, NULL, NULL)")
                        .execute(
                            arguments: [
                                model, method, metric, image, value, area,
                            ])
                }
            }
        }
    }

    private func insertMap(_ model: Int, _ method: Int, _ image: Int, _ random: inout Philox, into db: Database) throws {
        let side = model == 0 ? 0 : mapSide
        let values = side > 0 ? StoreBlob.data((0..<side * side).map { _ in Float(random.uniform()) }) : nil
        let grid = max(side, 1)
        try db.cachedStatement(
            sql: "INSERT INTO map VALUES (?, ?, ?, 0, 0, 0, 0, 0, 1, ?, ?, 224, 224, 0, 'none', 'bilinear', 'minMax', ?, NULL, NULL, NULL)"
        ).execute(arguments: [model, method, image, grid, grid, values])
    }
}
