import Synchronization
import VitrineTensor

/// The results of `body(part, parts)` in order of `part`, computed on `workers` threads.
func orderedParallel<Part: Sendable>(_ parts: Int, workers: Int, _ body: @Sendable (Int, Int) -> Part) -> [Part] {
    let results = Mutex([Part?](repeating: nil, count: parts))
    do {
        try parallelFor(parts, workers: workers) { _, part in
            let result = body(part, parts)
            results.withLock { $0[part] = result }
        }
    } catch {
        preconditionFailure("a body that cannot throw has thrown: \(error)")
    }
    return results.withLock { $0.map { $0! } }
}
