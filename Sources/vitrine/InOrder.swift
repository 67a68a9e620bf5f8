import Synchronization

/// Hands on what workers finish in any order, in the order of their indices; whatever is finished in order is handed on at once.
final class InOrder<Item: Sendable>: Sendable {
    private struct State {
        var next = 0
        var waiting: [Int: Item] = [:]
    }

    private let state = Mutex(State())
    private let handOn: @Sendable (Item) throws -> Void

    init(_ handOn: @escaping @Sendable (Item) throws -> Void) { self.handOn = handOn }

    /// Hands on, in order, what still waits for an item that will not come.
    func finish() throws {
        try state.withLock { state in
            for (_, item) in state.waiting.sorted(by: { $0.key < $1.key }) { try handOn(item) }
            state.waiting = [:]
        }
    }

    func give(_ item: Item, index: Int) throws {
        try state.withLock { state in
            state.waiting[index] = item
            while let ready = state.waiting.removeValue(forKey: state.next) {
                state.next += 1
                try handOn(ready)
            }
        }
    }
}
