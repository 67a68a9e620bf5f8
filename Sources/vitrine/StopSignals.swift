import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Remembers that the process was asked to end: by a batch system before a job's time is over (SIGTERM, SIGUSR1), by Ctrl-C (SIGINT), or by
/// a terminal that was closed (SIGHUP).
///
/// The run then ends by itself, after a checkpoint. A second Ctrl-C ends the process at once.
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
        let ignored = Self.ignored
        sources = Mutex(
            // What the process was started to ignore stays ignored: SIGHUP under nohup, SIGINT in the background of a script.
            [SIGTERM, SIGUSR1, SIGINT, SIGHUP].filter { !ignored.contains($0) }.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
                source.setEventHandler {
                    let isFirst = !flag.isSet.exchange(true, ordering: .relaxed)
                    guard number == SIGINT else { return }
                    if !isFirst { _exit(128 + SIGINT) }
                    if isInteractive { complain("stopping after a checkpoint; Ctrl-C again ends at once") }
                }
                source.resume()
                return source
            })
    }

    var isStopped: Bool { flag.isSet.load(ordering: .relaxed) }

    /// The signals this process ignores, by the mask that the system shows.
    private static var ignored: Set<Int32> {
        guard let data = FileManager.default.contents(atPath: "/proc/self/status"),
            let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first(where: { $0.hasPrefix("SigIgn:") }),
            let mask = line.split(whereSeparator: \.isWhitespace).last.flatMap({ UInt64($0, radix: 16) })
        else { return [] }
        return Set((1...64).filter { mask >> UInt64($0 - 1) & 1 == 1 }.map(Int32.init))
    }
}
