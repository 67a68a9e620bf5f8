import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// LIME on patches (Ribeiro et al. 2016, https://arxiv.org/abs/1602.04938): a ridge regression of the answer on which patches are there.
///
/// Coalitions keep each patch with probability 1/2; a row weighs `exp(-D²/width²)` with `D = 1 - sqrt(kept/n)`; the intercept is free, the
/// coefficients carry `alpha` on the diagonal, as in scikit-learn's `Ridge`. Standard errors by leaving out a tenth of the rows at a time.
/// `tolerance`: `Sampling`.
struct LIME: Explainer {
    static let methods = [
        Method(
            "lime", "coefficients of a local ridge regression on patches", "Ribeiro et al. 2016, arXiv:1602.04938", family: .perturbation,
            options: "samples=1000, width=0.25, alpha=1, \(RemovalRule.option()), value=logit|probability, \(Sampling.option), seed=0"
        ) { options throws(MethodError) in try LIME(&options) }
    ]

    var sampling: Sampling
    private var samples: Int { sampling.most }
    var width: Double
    var alpha: Double
    var removal: RemovalRule
    var value: AnswerKind
    var seed: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        sampling = try Sampling(&options, most: try options.takeCount("samples", default: 1000))
        width = try options.takeNumber("width", default: 0.25, .positive)
        alpha = try options.takeNumber("alpha", default: 1, .positive)
        removal = try options.takeWord("removal", default: .drop)
        value = try options.takeWord("value", default: .logit)
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(samples) * (removal == .drop ? 0.5 : 1))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let game = try CoalitionGame(subject, probe, removal: removal, value: value)
        let n = game.players
        func coalition(_ i: Int) -> [Int] {
            var random = subject.coalitions(seed, i)
            return (0..<n).filter { _ in random.uniform() < 0.5 }
        }
        var rows: [(chosen: [Int], value: Double, weight: Double)] = []
        let notes = try sampling.run { range in
            try game.values(of: range.lazy.map(coalition)) { k, value in
                let chosen = coalition(range.lowerBound + k)
                let distance = 1 - (Double(chosen.count) / Double(n)).squareRoot()
                rows.append((chosen, value, exp(-distance * distance / (width * width))))
            }
        } halves: {
            let halves = [0, 1].compactMap { half in fitted(rows.enumerated().filter { $0.offset % 2 == half }.map(\.element), n) }
            return halves.count == 2 ? (halves[0].map { Float($0) }, halves[1].map { Float($0) }) : nil
        }
        guard let values = fitted(rows, n) else { throw MethodFailure("the weights of \(samples) samples vanish; raise width or samples") }
        let errors = Jackknife.errors(draws: rows.count) { taken in fitted(taken.map { rows[$0] }, n) }
        return MethodResult(
            subject.patchMap(values.map { Float($0) }, .relevance), notes: notes, error: errors.map { subject.patchMap($0, .relevance) })
    }

    /// Ridge with a free intercept: everything is centred by its weighted mean first.
    private func fitted(_ rows: [(chosen: [Int], value: Double, weight: Double)], _ n: Int) -> [Double]? {
        let total = rows.reduce(0) { $0 + $1.weight }
        guard total > 0 else { return nil }
        let mean = rows.reduce(0) { $0 + $1.weight * $1.value } / total
        var means = [Double](repeating: 0, count: n)
        for row in rows { for i in row.chosen { means[i] += row.weight / total } }
        var equations = LeastSquares(unknowns: n)
        for row in rows {
            var centred = means.map { -$0 }
            for i in row.chosen { centred[i] += 1 }
            equations.add(row: centred, y: row.value - mean, weight: row.weight)
        }
        return equations.solution(ridge: alpha)
    }
}
