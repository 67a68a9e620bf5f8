import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Remembers that SIGTERM or SIGUSR1 came, as batch systems send before a job's time is over.
final class StopSignals: Sendable {
    private let flag: Flag
    private let sources: Mutex<[any DispatchSourceSignal]>

    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
    }

    init() {
        let flag = Flag()
        self.flag = flag
        // A queue of its own: the shared ones may have no thread left while workers compute.
        let queue = DispatchQueue(label: "vitrine.signals")
        sources = Mutex(
            [SIGTERM, SIGUSR1].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler { flag.isSet.store(true, ordering: .relaxed) }
                source.resume()
                return source
            })
    }

    var isStopped: Bool { flag.isSet.load(ordering: .relaxed) }
}
