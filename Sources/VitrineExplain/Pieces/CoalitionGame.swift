import VitrineImage
import VitrineModel

/// The network's answer to sets of patches: a game whose players are patches, the others taken away by a rule.
struct CoalitionGame {
    let players: Int
    private let answer: Answer
    private let removal: PatchRemoval
    private let probe: Probe

    init(_ subject: Subject, _ probe: Probe, removal: RemovalRule, value: AnswerKind = .logit) throws {
        players = subject.grid.count
        answer = try probe.answer(value)
        self.removal = try subject.removal(removal)
        self.probe = probe
    }

    /// The answer to each set of patches (ascending), in order.
    func values(of coalitions: some Sequence<[Int]>, _ body: (Int, Double) throws -> Void) throws {
        try probe.logits(keeping: coalitions, by: removal) { i, logits in try body(i, Double(answer.value(logits: logits))) }
    }

    func values(of coalitions: [[Int]]) throws -> [Double] {
        var found: [Double] = []
        try values(of: coalitions) { found.append($1) }
        return found
    }

    /// The answers to nothing and to all patches.
    func ends() throws -> (empty: Double, full: Double) {
        let ends = try values(of: [[], Array(0..<players)])
        return (ends[0], ends[1])
    }
}
