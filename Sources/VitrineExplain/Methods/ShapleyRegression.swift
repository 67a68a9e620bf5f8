import VitrineImage
import VitrineModel
import VitrineTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Shapley values of the patches by weighted least squares on sampled coalitions, each drawn with its complement; their sum is exactly
/// y(all) - y(none).
///
/// `kernel-shap` (Lundberg & Lee 2017, https://arxiv.org/abs/1705.07874) draws sizes with probability proportional to 1/(s (n - s)), which puts most draws
/// on almost empty and almost whole images; `leverage-shap` (Musco & Witter 2024, https://arxiv.org/abs/2410.01917) draws them uniformly and
/// weighs rows by 1/(s (n - s)). Where `samples` suffice for all coalitions they are all taken, and the values are exact. Standard errors, by
/// leaving out a tenth of the pairs at a time, stand beside the map. `samples` shortened passes; `tolerance`: `Sampling`.
struct ShapleyRegression: Explainer {
    enum Sizes { case kernel, uniform }

    static let methods: [Method] = [
        ("kernel-shap", Sizes.kernel, "Shapley values by regression, kernel sampling", "Lundberg & Lee 2017, arXiv:1705.07874"),
        ("leverage-shap", .uniform, "Shapley values by regression, leverage sampling", "Musco & Witter 2024, arXiv:2410.01917"),
    ].map { name, sizes, summary, citation in
        Method(
            name, summary, citation, family: .perturbation,
            options: "samples=1000, \(RemovalRule.option()), value=logit|probability, \(Sampling.option), seed=0"
        ) { options throws(MethodError) in try ShapleyRegression(&options, sizes) }
    }

    var sizes: Sizes
    var sampling: Sampling
    private var samples: Int { sampling.most }
    var removal: RemovalRule
    var value: AnswerKind
    var seed: Int

    init(_ options: inout MethodOptions, _ sizes: Sizes) throws(MethodError) {
        self.sizes = sizes
        // Each draw brings its complement.
        sampling = try Sampling(&options, most: (try options.takeCount("samples", default: 1000) + 1) / 2 * 2)
        removal = try options.takeWord("removal", default: .drop)
        value = try options.takeWord("value", default: .logit)
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(samples) * (removal == .drop ? 0.5 : 1) + 2)
    }

    private static let groups = 10

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let game = try CoalitionGame(subject, probe, removal: removal, value: value)
        let n = game.players
        let (empty, full) = try game.ends()
        guard n > 1 else { return MethodResult(subject.patchMap([Float(full - empty)], .relevance)) }
        let isExact = n < 40 && (1 << n) - 2 <= samples
        var parts = [LeastSquares](repeating: LeastSquares(unknowns: n), count: Self.groups)
        let count = isExact ? (1 << n) - 2 : samples
        func coalition(_ i: Int) -> [Int] { isExact ? Self.subset(i + 1, n) : drawn(i, subject, n) }
        func draw(_ range: Range<Int>) throws {
            try game.values(of: range.lazy.map(coalition)) { k, value in
                let i = range.lowerBound + k
                let chosen = coalition(i)
                // Both of a pair fall into one group, so that leaving a group out keeps pairs whole.
                parts[i / 2 % Self.groups].add(chosen, y: value - empty, weight: weight(size: chosen.count, n, isExact: isExact))
            }
        }
        var notes: [String: [Double]] = [:]
        if isExact {
            try draw(0..<count)
        } else {
            notes = try sampling.run(draw) {
                let halves = [0, 1].compactMap { half -> [Double]? in
                    var equations = LeastSquares(unknowns: n)
                    for group in stride(from: half, to: Self.groups, by: 2) { equations.add(parts[group]) }
                    return solve(equations, full - empty)
                }
                return halves.count == 2 ? (halves[0].map { Float($0) }, halves[1].map { Float($0) }) : nil
            }
        }
        var all = LeastSquares(unknowns: n)
        for part in parts { all.add(part) }
        guard let values = solve(all, full - empty) else {
            throw MethodFailure("\(all.rows) samples do not determine the values of \(n) patches; raise samples")
        }
        var error: HeatMap?
        if !isExact {
            let partial = parts.compactMap { part -> [Double]? in
                var rest = all
                rest.subtract(part)
                return solve(rest, full - empty)
            }
            if partial.count == Self.groups {
                let errors = (0..<n).map { i -> Float in
                    let mean = partial.reduce(0) { $0 + $1[i] } / Double(Self.groups)
                    let squares = partial.reduce(0) { $0 + ($1[i] - mean) * ($1[i] - mean) }
                    return Float((squares * Double(Self.groups - 1) / Double(Self.groups)).squareRoot())
                }
                error = subject.patchMap(errors, .relevance)
            }
        }
        notes["efficiency-gap"] = [abs(values.reduce(0, +) - (full - empty))]
        return MethodResult(subject.patchMap(values.map { Float($0) }, .relevance), notes: notes, error: error)
    }

    private func solve(_ equations: LeastSquares, _ total: Double) -> [Double]? {
        // Fewer than three rows per unknown may leave the equations nearly singular.
        equations.solution(sum: total, ridge: equations.rows < 3 * equations.unknowns ? 1e-3 : 0)
    }

    /// What a row of this size counts, given how it was drawn.
    private func weight(size s: Int, _ n: Int, isExact: Bool) -> Double {
        let kernel = 1 / Double(s * (n - s))
        // All coalitions of a size share the size's weight.
        if isExact { return kernel * exp(lgamma(Double(s + 1)) + lgamma(Double(n - s + 1)) - lgamma(Double(n + 1))) }
        return sizes == .kernel ? 1 : kernel
    }

    /// The `i`-th draw: even ones are drawn, odd ones are their complements.
    private func drawn(_ i: Int, _ subject: Subject, _ n: Int) -> [Int] {
        var random = subject.random("shapley/\(sizes)/\(seed)", i / 2)
        let size: Int
        switch sizes {
        case .uniform: size = 1 + random.below(n - 1)
        case .kernel:
            // 1/(s (n - s)) = (1/s + 1/(n - s)) / n: by the running sum.
            let total = (1..<n).reduce(0.0) { $0 + 1 / Double($1 * (n - $1)) }
            var rest = random.uniform() * total
            var s = 1
            while s < n - 1 {
                rest -= 1 / Double(s * (n - s))
                if rest < 0 { break }
                s += 1
            }
            size = s
        }
        let order = random.permutation(n)
        return (i % 2 == 0 ? order.prefix(size) : order.suffix(n - size)).sorted()
    }

    private static func subset(_ bits: Int, _ n: Int) -> [Int] { (0..<n).filter { bits >> $0 & 1 == 1 } }
}
