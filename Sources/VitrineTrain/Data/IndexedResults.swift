import Synchronization

/// What parallel workers hand back, by index.
final class IndexedResults<Value: Sendable>: Sendable {
    private let values = Mutex<[Int: Value]>([:])

    func store(_ value: Value, at index: Int) { values.withLock { $0[index] = value } }

    /// In the order of the indices.
    var sorted: [(index: Int, value: Value)] { values.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } } }
}
