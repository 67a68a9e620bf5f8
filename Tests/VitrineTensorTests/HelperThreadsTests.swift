import Synchronization
import Testing

@testable import VitrineTensor

struct HelperThreadsTests {
    /// Every index once and none after the return, whatever the number of pieces and threads.
    @Test(arguments: [1, 2, 3, 8, 64])
    func everyPieceIsDoneOnce(threads: Int) {
        for pieces in [0, 1, 2, 3, 17, 200] {
            let counts = Mutex([Int](repeating: 0, count: pieces))
            HelperThreads.run(pieces, threads: threads) { i in counts.withLock { $0[i] += 1 } }
            #expect(counts.withLock { $0 } == [Int](repeating: 1, count: pieces))
        }
    }

    /// Callers on several threads share the helpers; whoever gets none works alone. A lost wake-up would hang, a lost piece miscount.
    @Test func callersAtOnce() throws {
        let total = Atomic(0)
        let sink = Atomic<UInt64>(0)
        try parallelFor(8, workers: 8) { _, caller in
            for round in 0..<2_000 {
                HelperThreads.run(caller + 2, threads: 3) { i in
                    // Work of different length, so that callers and helpers end in any order.
                    var x = UInt64(round &+ i)
                    for _ in 0..<(i * 37 % 200) { x = x &* 6_364_136_223_846_793_005 &+ 1 }
                    sink.wrappingAdd(x, ordering: .relaxed)
                    total.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(total.load(ordering: .relaxed) == 2_000 * (2...9).reduce(0, +))
    }

    @Test func piecesMayAskForHelpThemselves() {
        let total = Atomic(0)
        HelperThreads.run(4, threads: 2) { _ in
            HelperThreads.run(5, threads: 3) { _ in total.add(1, ordering: .relaxed) }
        }
        #expect(total.load(ordering: .relaxed) == 20)
    }

    /// A sleeping helper is woken, or its caller does the work: there is a pause longer than its patience before each call.
    @Test func sleepersWake() async throws {
        let total = Atomic(0)
        for _ in 0..<20 {
            try await Task.sleep(for: .milliseconds(2))
            HelperThreads.run(2, threads: 2) { _ in total.add(1, ordering: .relaxed) }
        }
        #expect(total.load(ordering: .relaxed) == 40)
    }
}
