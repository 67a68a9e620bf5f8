import VitrineImage
import VitrineModel
import VitrineTensor

/// Similarity of the patches' own features, after the last block and the final norm: class-agnostic pictures that people look at first.
///
/// `patch-similarity`: cosine of every patch with one, named by row and column from 0. `patch-pca`: the patches' place along a principal
/// component, centred; its sign: positive correlation with the distance from the mean patch.
struct PatchFeatures: Explainer {
    enum Kind {
        case similarity(row: Int, column: Int)
        case component(Int)
    }

    static let methods = [
        Method(
            "patch-similarity", "cosine of every patch's features with those of one patch", "Caron et al. 2021, arXiv:2104.14294",
            family: .decomposition, classSpecific: false, options: "patch=ROW.COLUMN"
        ) { options throws(MethodError) in
            let place = try options.take("patch", default: [0, 0], "ROW.COLUMN, counted from 0") { text -> [Int]? in
                let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
                return parts.count == 2 && parts.allSatisfy { ($0 ?? -1) >= 0 } ? parts.map { $0! } : nil
            }
            return PatchFeatures(kind: .similarity(row: place[0], column: place[1]))
        },
        Method(
            "patch-pca", "place of every patch along a principal component of the features", "Oquab et al. 2023, arXiv:2304.07193",
            family: .decomposition, classSpecific: false, options: "component=0"
        ) { options throws(MethodError) in
            PatchFeatures(kind: .component(try options.takeCount("component", default: 0, from: 0)))
        },
    ]

    var kind: Kind

    func needs(_ network: ViTConfiguration) -> Needs { Needs(TraceRequest(forward: [.tokens(network.depth)])) }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let features = probe.finalNorm(subject.patchRows(subject.values().value(.tokens(subject.depth))))
        switch kind {
        case .similarity(let row, let column):
            guard row < subject.grid.rows, column < subject.grid.columns else {
                throw MethodFailure("patch \(row).\(column), but the image has \(subject.grid) patches, counted from 0")
            }
            let own = features[row * subject.grid.columns + column]
            let map = (0..<subject.grid.count).map { i in
                Float(dot(own, features[i]) / (squaredNorm([own]) * squaredNorm([features[i]])).squareRoot())
            }
            return MethodResult(subject.patchMap(map, .relevance))
        case .component(let index):
            var x = CAM.centred(features)
            guard index < min(x.shape[0] - 1, x.shape[1]) else {
                throw MethodFailure("component \(index), but \(x.shape[0]) patches have \(min(x.shape[0] - 1, x.shape[1])), counted from 0")
            }
            var projection: [Float] = []
            for _ in 0...index {
                guard let vector = leadingRightSingularVector(x) else { throw MethodFailure("the singular values did not converge") }
                let v = Tensor([vector.count, 1], vector)
                var along = Tensor([x.shape[0], 1])
                multiply(x.matrix, v.matrix, into: &along)
                projection = along.values
                multiply(along.matrix, v.matrix.transposed, into: &x, alpha: -1, beta: 1)
            }
            let centred = CAM.centred(features)
            let distances = (0..<centred.shape[0]).map { Float(squaredNorm([centred[$0]]).squareRoot()) }
            let isDown = (Correlation.pearson(projection, distances) ?? 0) < 0
            return MethodResult(subject.patchMap(isDown ? projection.map { -$0 } : projection, .relevance))
        }
    }
}
