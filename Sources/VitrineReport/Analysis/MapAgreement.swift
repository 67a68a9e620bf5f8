import VitrineImage
import VitrineStore

/// How alike the maps of two methods are, image by image: Pearson correlation of the maps as they are displayed and scored.
public struct MapAgreement: Sendable, Equatable {
    public var modelID: Int
    public var firstMethod: Int
    public var secondMethod: Int
    /// By image, in the order of the plan; images on which a map is constant are left out.
    public var correlations: [Double]

    public var mean: Double { correlations.isEmpty ? .nan : correlations.reduce(0, +) / Double(correlations.count) }
    public var negative: Int { correlations.count { $0 < 0 } }

    /// Correlations are taken of at most this many images per model: the first of the plan.
    static let limit = 500

    init?(_ model: Int, _ first: Int, _ second: Int, samples: [Int], store: Store) throws(StoreError) {
        (modelID, firstMethod, secondMethod, correlations) = (model, first, second, [])
        for sample in samples.prefix(Self.limit) {
            guard let a = try store.map(model: model, method: first, sample: sample),
                let b = try store.map(model: model, method: second, sample: sample), a.height == b.height, a.width == b.width,
                let value = Correlation.pearson(a.displayed(), b.displayed())
            else { continue }
            correlations.append(value)
        }
        if correlations.isEmpty { return nil }
    }
}

/// How far maps move under noise of half a grey level, which nobody can see.
public struct StabilityAnalysis: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    public var images: Int
    public var draws: Int
    /// Mean over images of the mean correlation with the undisturbed map.
    public var pearsonMean: Double
    /// The worst draw of the worst image.
    public var pearsonMinimum: Double
    /// Images with a draw that correlates less than 0.9 with the undisturbed map.
    public var unstable: Int

    static let threshold = 0.9

    static func all(_ records: [StabilityRecord]) -> [StabilityAnalysis] {
        var result: [StabilityAnalysis] = []
        var at = 0
        while at < records.count {
            let first = records[at]
            let end = records[at...].firstIndex { $0.modelID != first.modelID || $0.methodID != first.methodID } ?? records.count
            let group = records[at..<end]
            let means = group.compactMap(\.pearsonMean)
            let minima = group.compactMap(\.pearsonMinimum)
            if !means.isEmpty, let worst = minima.min() {
                result.append(
                    StabilityAnalysis(
                        modelID: first.modelID, methodID: first.methodID, images: means.count, draws: first.draws,
                        pearsonMean: means.reduce(0, +) / Double(means.count), pearsonMinimum: worst,
                        unstable: minima.count { $0 < threshold }))
            }
            at = end
        }
        return result
    }
}

/// The sign of the study's eigen projection: chosen by the LAPACK build, not by the image.
public struct SignAnalysis: Sendable, Equatable {
    public var modelID: Int
    public var methodID: Int
    /// Per image: of the six variants, how many have the sign that the correlation with plain Grad-CAM documents.
    public var agreeing: [Int]

    /// Images on which all six agree.
    public var whole: Int { agreeing.count { $0 == 6 } }
    public var share: Double { Double(agreeing.reduce(0, +)) / Double(6 * max(agreeing.count, 1)) }

    static func all(_ notes: [NoteRecord]) -> [SignAnalysis] {
        var result: [SignAnalysis] = []
        for note in notes {
            guard let value = note.values.first else { continue }
            if result.last?.modelID != note.modelID || result.last?.methodID != note.methodID {
                result.append(SignAnalysis(modelID: note.modelID, methodID: note.methodID, agreeing: []))
            }
            result[result.count - 1].agreeing.append(Int(value))
        }
        return result
    }
}
