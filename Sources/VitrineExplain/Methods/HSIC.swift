import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Dependence of the answer on each cell, by the Hilbert-Schmidt independence criterion (Novello et al. 2022, https://arxiv.org/abs/2206.06219).
///
/// `samples` binary masks over `grid` x `grid` cells, each column a Latin hypercube (as many cells on as off); `score_k = tr(H K_k H L) / N`, K the equality of
/// column k, L a Gaussian kernel of the answers whose width is their median magnitude, H the centring. Says how much, not in which direction.
/// The standard error beside it: `Jackknife`. `tolerance`: `Sampling`.
struct HSIC: Explainer {
    static let methods = [
        Method(
            "hsic", "dependence of the answer on each cell", "Novello et al. 2022, arXiv:2206.06219", family: .perturbation,
            options: "samples=500, grid=8, \(RemovalRule.option()), value=logit|probability, \(Sampling.option), seed=0"
        ) { options throws(MethodError) in try HSIC(&options) }
    ]

    var sampling: Sampling
    private var samples: Int { sampling.most }
    var side: Int
    var removal: RemovalRule
    var value: AnswerKind
    var seed: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        sampling = try Sampling(&options, most: try options.takeCount("samples", default: 500))
        side = try options.takeCount("grid", default: 8)
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
        let cells = CellGrid(side, over: subject.grid)
        // One random order per cell: its first half is on.
        let isOn = (0..<cells.cells).map { cell -> [Bool] in
            var random = subject.random("hsic/\(seed)", cell)
            var on = [Bool](repeating: false, count: samples)
            for i in random.permutation(samples).prefix(samples / 2) { on[i] = true }
            return on
        }
        var answers: [Double] = []
        /// Scores from every `step`-th draw.
        func scores(from first: Int, step: Int) -> [Double] { scores(Array(stride(from: first, to: answers.count, by: step))) }
        func scores(_ taken: [Int]) -> [Double] {
            Self.scores(isOn.map { column in taken.map { column[$0] } }, taken.map { answers[$0] })
        }
        let notes = try sampling.run { range in
            let coalitions = range.lazy.map { i in (0..<subject.grid.count).filter { isOn[cells.cell[$0]][i] } }
            try game.values(of: coalitions) { answers.append($1) }
        } halves: {
            (scores(from: 0, step: 2).map { Float($0) }, scores(from: 1, step: 2).map { Float($0) })
        }
        // A score grows with the number of draws.
        let errors = Jackknife.errors(draws: answers.count) { taken in
            taken.isEmpty ? nil : scores(taken).map { $0 * Double(answers.count) / Double(taken.count) }
        }
        return MethodResult(
            subject.patchMap(cells.spread(scores(from: 0, step: 1)), .relevance), notes: notes,
            error: errors.map { subject.patchMap(cells.spread($0.map(Double.init)), .relevance) })
    }

    /// HSIC of each binary column with the answers.
    static func scores(_ columns: [[Bool]], _ answers: [Double]) -> [Double] {
        let n = answers.count
        let magnitude = answers.map(abs).sorted()[n / 2]
        let width = magnitude > 0 ? magnitude : 1
        var kernel = [Double](repeating: 0, count: n * n)
        for i in 0..<n {
            for j in 0..<n {
                let d = (answers[i] - answers[j]) / width
                kernel[i * n + j] = exp(-d * d / 2)
            }
        }
        // H L H, so that K need not be centred.
        let rowMeans = (0..<n).map { i in kernel[i * n..<(i + 1) * n].reduce(0, +) / Double(n) }
        let mean = rowMeans.reduce(0, +) / Double(n)
        return columns.map { column in
            var total = 0.0
            for i in 0..<n {
                for j in 0..<n where column[i] == column[j] { total += kernel[i * n + j] - rowMeans[i] - rowMeans[j] + mean }
            }
            return max(0, total / Double(n))
        }
    }
}
