import Dispatch
import Synchronization

/// Calls `body(worker, index)` for every index below `count`, on `workers` threads.
///
/// Indices are taken from a shared counter, so uneven work balances; results must be written by index and must not
/// depend on the worker. The first error (by index) is rethrown after all workers stopped; later indices may then not have run.
public func parallelFor(
    _ count: Int, workers: Int, _ body: @Sendable (_ worker: Int, _ index: Int) throws -> Void
) throws {
    guard workers > 1 && count > 1 else {
        for i in 0..<count { try body(0, i) }
        return
    }
    let next = Atomic<Int>(0)
    let failure = Mutex<(index: Int, error: any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: min(workers, count)) { worker in
        while true {
            let i = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard i < count else { return }
            do { try body(worker, i) } catch {
                failure.withLock { first in
                    if first == nil || i < first!.index { first = (i, error) }
                }
                next.store(count, ordering: .relaxed)
                return
            }
        }
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
}

/// Cuts `0..<count` into one piece per thread and runs them side by side, on this thread alone if there is only one.
///
/// - Parameter unit: pieces start at its multiples.
func share(_ count: Int, among threads: Int, unit: Int = 1, _ body: @Sendable (Range<Int>) -> Void) {
    let size = max(unit, ((count + threads - 1) / threads + unit - 1) / unit * unit)
    let pieces = (count + size - 1) / size
    guard pieces > 1 else { return body(0..<count) }
    HelperThreads.run(pieces, threads: threads) { i in body(i * size..<min(count, (i + 1) * size)) }
}

/// Memory that several threads write, each in places of its own.
///
/// SAFETY: whoever makes one sees to it that no two threads touch the same float and that the memory outlives them.
@safe struct SharedFloats: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Float>
}
