import VitrineImage
import VitrineModel
import VitrineTensor

/// Total Sobol indices of cells that dim the image (Fel et al. 2021, https://arxiv.org/abs/2111.04138), Jansen's estimator.
///
/// Two sets of `samples` masks in [0, 1] per cell, Latin hypercubes A and B; C_k is A with column k of B: `ST_k = sum (f(A) - f(C_k))² / (2 N Var f(A))`. A
/// mask multiplies the normalised pixels of its cell, so 0 is the mean colour. `samples (grid² + 1)` passes. Says how much, not in which direction.
/// The standard error beside it: `Jackknife`. `tolerance`: `Sampling`, whose draws are rows: grid² + 1 passes each.
struct Sobol: Explainer {
    static let methods = [
        Method(
            "sobol", "total Sobol index of each cell", "Fel et al. 2021, arXiv:2111.04138", family: .perturbation,
            options: "samples=32, grid=7, value=logit|probability, \(Sampling.option), seed=0"
        ) { options throws(MethodError) in try Sobol(&options) }
    ]

    var sampling: Sampling
    private var samples: Int { sampling.most }
    var side: Int
    var value: AnswerKind
    var seed: Int

    init(_ options: inout MethodOptions) throws(MethodError) {
        sampling = try Sampling(
            &options, most: try options.takeCount("samples", default: 32, from: 2))
        side = try options.takeCount("grid", default: 7)
        value = try options.takeWord("value", default: .logit)
        seed = try options.takeSeed()
    }

    func needs(_ network: ViTConfiguration) -> Needs { Needs(needsClass: true) }

    func passes(_ network: ViTConfiguration, grid: PatchGrid) -> Passes {
        Passes(forward: Double(samples * (CellGrid(side, over: grid).cells + 1)))
    }

    func map(_ subject: Subject, _ probe: Probe) throws -> MethodResult {
        let answer = try probe.answer(value)
        let cells = CellGrid(side, over: subject.grid)
        let d = cells.cells
        /// Column of one set: a stratified draw in random order.
        func column(_ set: Int, _ cell: Int) -> [Float] {
            var random = subject.random("sobol/\(seed)/\(set)", cell)
            let order = random.permutation(samples)
            return order.map { (Float($0) + Float(random.uniform())) / Float(samples) }
        }
        let (a, b) = ((0..<d).map { column(0, $0) }, (0..<d).map { column(1, $0) })
        /// By row: the answers to A, then to C_0 ... C_(d-1).
        var rows: [[Double]] = []
        func indices(from first: Int, step: Int) -> [Double] { indices(Array(stride(from: first, to: rows.count, by: step))) }
        func indices(_ places: [Int]) -> [Double] {
            let taken = places.map { rows[$0] }
            return Self.indices((0...d).flatMap { k in taken.map { $0[k] } }, samples: taken.count, cells: d)
        }
        let notes = try sampling.run { range in
            let inputs = (0..<range.count * (d + 1)).lazy.map { k -> ChangedInput in
                let (row, changed) = (range.lowerBound + k / (d + 1), k % (d + 1) - 1)
                return .pixels(dimmed(subject, cells, (0..<d).map { $0 == changed ? b[$0][row] : a[$0][row] }))
            }
            try probe.logits(of: inputs) { k, logits in
                if k % (d + 1) == 0 { rows.append([]) }
                rows[rows.count - 1].append(Double(answer.value(logits: logits)))
            }
        } halves: {
            rows.count < 4 ? nil : (indices(from: 0, step: 2).map { Float($0) }, indices(from: 1, step: 2).map { Float($0) })
        }
        let errors = Jackknife.errors(draws: rows.count) { $0.count > 1 ? indices($0) : nil }
        return MethodResult(
            subject.patchMap(cells.spread(indices(from: 0, step: 1)), .relevance), notes: notes,
            error: errors.map { subject.patchMap(cells.spread($0.map(Double.init)), .relevance) })
    }

    /// Jansen's total indices from the answers to A and to every C_k.
    static func indices(_ answers: [Double], samples n: Int, cells: Int) -> [Double] {
        let mean = answers.prefix(n).reduce(0, +) / Double(n)
        let variance = answers.prefix(n).reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n - 1)
        return (0..<cells).map { k in
            let squares = (0..<n).reduce(0.0) { sum, i in
                let difference = answers[i] - answers[(k + 1) * n + i]
                return sum + difference * difference
            }
            return variance > 0 ? squares / (2 * Double(n) * variance) : 0
        }
    }

    private func dimmed(_ subject: Subject, _ cells: CellGrid, _ mask: [Float]) -> Tensor {
        let p = subject.network.patchSize
        let (height, width, columns) = (subject.height, subject.width, subject.grid.columns)
        var result = subject.image
        result.withMutableSpan { span in
            for i in 0..<span.count {
                let (y, x) = (i / width % height, i % width)
                span[i] *= mask[cells.cell[y / p * columns + x / p]]
            }
        }
        return result
    }
}
