import Dispatch
import Synchronization

/// A value that another thread works out meanwhile, such as the checksum of a file whose contents are in use already.
final class Background<Value: Sendable>: Sendable {
    private let group = DispatchGroup()
    private let result = Mutex<Value?>(nil)

    /// Begins at once.
    init(_ body: @escaping @Sendable () -> Value) {
        DispatchQueue.global().async(group: group) {
            let value = body()
            self.result.withLock { $0 = value }
        }
    }

    /// Returns when the value is there.
    func wait() { group.wait() }

    /// The value, as soon as it is there.
    var value: Value {
        wait()
        return result.withLock { $0! }
    }
}
