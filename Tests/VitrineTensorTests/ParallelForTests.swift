import Synchronization
import Testing
import VitrineTensor

@Suite struct ParallelForTests {
    private struct Failed: Error, Equatable { let index: Int }

    @Test(arguments: [1, 2, 4, 50]) func everyIndexOnceOnAKnownWorker(workers: Int) throws {
        let seen = Mutex([Int](repeating: 0, count: 37))
        let outside = Mutex(0)
        try parallelFor(37, workers: workers) { worker, index in
            seen.withLock { $0[index] += 1 }
            if worker < 0 || worker >= workers { outside.withLock { $0 += 1 } }
        }
        #expect(seen.withLock { $0 } == [Int](repeating: 1, count: 37))
        #expect(outside.withLock { $0 } == 0)
    }

    /// Indices are handed out in order, so whichever worker fails first, the lowest failing index has run too.
    @Test(arguments: [1, 2, 4]) func theLowestFailureIsReported(workers: Int) {
        for _ in 0..<20 {
            #expect(throws: Failed(index: 5)) {
                try parallelFor(100, workers: workers) { _, index in if index == 5 || index >= 7 { throw Failed(index: index) } }
            }
        }
    }

    @Test func nothingToDo() throws {
        try parallelFor(0, workers: 3) { _, _ in Issue.record("called for no index") }
    }

    @Test func kernelsAndProductsGiveTheSameBitsOnAnyWorkerCount() throws {
        let x = Tensor([23, 16, 40], normal(23 * 640, "px"))
        let w = Tensor([40, 40], normal(1600, "pw"))
        func run(_ workers: Int) throws -> [[UInt32]] {
            let results = Mutex([[UInt32]](repeating: [], count: 23))
            try parallelFor(23, workers: workers) { _, index in
                var y = Tensor([16, 40])
                multiply(x[index].matrix, w.matrix.transposed, into: &y)
                softmaxRows(&y, scale: 0.2)
                let values = bits(y)
                results.withLock { $0[index] = values }
            }
            return results.withLock { $0 }
        }
        let one = try run(1)
        #expect(try run(2) == one)
        #expect(try run(4) == one)
    }
}
