import Foundation
import Synchronization
import VitrineData
import VitrineModel
import VitrineTensor

/// A piece of a batch: the unit of work of one worker.
struct MicroBatch: Sendable {
    let samples: [Sample]
    /// What multiplies the sum of its images' losses: one over the batch's weight and over the batches of the step.
    let scale: Double
}

/// What the forward passes of a step left behind.
struct StepOutcome: Sendable {
    /// Sum of the undivided losses.
    var loss = 0.0
    /// Sum of the images' class weights.
    var weight = 0.0
    var images = 0
    var correct = 0

    mutating func add(_ other: StepOutcome) {
        loss += other.loss
        weight += other.weight
        images += other.images
        correct += other.correct
    }
}

/// Gradients of batches on several workers, equal to the last bit whatever their number.
///
/// A batch is cut into micro-batches whose size depends on the batch and the tokens of an image alone. Each worker computes one at a time into a
/// buffer of its own, and the buffers are added to the sum in the order of the micro-batches.
final class BatchGradient: Sendable {
    let workers: Int
    private let slots: [WorkerSlot]
    private let sum: Mutex<WeightGradients>
    private let turn = NSCondition()
    private let next = Mutex<(index: Int, failure: (any Error)?)>((0, nil))

    init(model: VisionTransformer, workers: Int) {
        self.workers = workers
        slots = (0..<workers).map { _ in WorkerSlot(model: model) }
        sum = Mutex(WeightGradients(like: model))
    }

    /// Images per micro-batch: equal pieces, in a number that is a power of two, so that as many cores are busy to the end.
    static func microBatchSize(images: Int, tokens: Int) -> Int {
        let most = VisionTransformer.imagesPerPass(tokens: tokens)
        var pieces = 1
        while pieces * most < images { pieces *= 2 }
        return max(1, (images + pieces - 1) / pieces)
    }

    /// Runs `body` for every micro-batch and adds up the gradients.
    ///
    /// - Parameters:
    ///   - fromLayer: gradients of lower layers are neither computed nor added.
    ///   - body: adds the gradient of a micro-batch to a buffer of zeros.
    func callAsFunction(
        _ batches: [MicroBatch], fromLayer: Int,
        body: @Sendable (MicroBatch, inout WeightGradients, Workspace) throws -> StepOutcome
    ) throws -> StepOutcome {
        sum.withLock { $0.clear() }
        next.withLock { $0 = (0, nil) }
        let outcomes = IndexedResults<StepOutcome>()
        try parallelFor(batches.count, workers: workers) { worker, i in
            do {
                try slots[worker].state.withLock { state in
                    outcomes.store(try body(batches[i], &state.gradients, state.workspace), at: i)
                    try waitForTurn(i)
                    sum.withLock { $0.add(state.gradients, fromLayer: fromLayer, threads: workers) }
                    state.gradients.clear()
                }
                pass(failure: nil)
            } catch {
                pass(failure: error)
                throw error
            }
        }
        var total = StepOutcome()
        for outcome in outcomes.sorted { total.add(outcome.value) }
        return total
    }

    /// Lends the sum of the last call.
    func withSum<R>(_ body: (WeightGradients) throws -> R) rethrows -> R { try sum.withLock { try body($0) } }

    private func waitForTurn(_ index: Int) throws {
        turn.lock()
        defer { turn.unlock() }
        while true {
            let (now, failure) = next.withLock { $0 }
            // The failure itself: the error of the lowest index is the one that callers see.
            if let failure { throw failure }
            if now == index { return }
            turn.wait()
        }
    }

    private func pass(failure: (any Error)?) {
        turn.lock()
        next.withLock { next in
            next.index += 1
            next.failure = next.failure ?? failure
        }
        turn.broadcast()
        turn.unlock()
    }
}

/// A worker's memory, used by one thread at a time.
private final class WorkerSlot: Sendable {
    struct State {
        var gradients: WeightGradients
        let workspace = Workspace()
    }

    let state: Mutex<State>

    init(model: VisionTransformer) { state = Mutex(State(gradients: WeightGradients(like: model))) }
}

/// Work given up because the run is asked to stop.
struct Interrupted: Error {}
