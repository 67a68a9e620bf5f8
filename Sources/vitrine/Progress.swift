import Dispatch
import Synchronization

/// Progress of a run on standard error: a bar with the remaining time on a terminal, a plain line now and then otherwise.
final class Progress: Sendable {
    private let total: Int
    private let unit: String
    private let isQuiet: Bool
    private let start = DispatchTime.now()
    private let state = Mutex<(done: Int, lastShown: UInt64)>((0, 0))

    init(total: Int, unit: String, isQuiet: Bool) {
        self.total = total
        self.unit = unit
        self.isQuiet = isQuiet
    }

    /// Counts finished items; shows at most ten updates a second on a terminal and one every ten seconds elsewhere.
    func advance(by n: Int = 1) {
        guard !isQuiet else { return }
        let elapsed = DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds
        state.withLock { state in
            state.done += n
            let interval: UInt64 = isInteractive ? 100_000_000 : 10_000_000_000
            guard state.done == total || elapsed - state.lastShown >= interval else { return }
            state.lastShown = elapsed
            let seconds = Double(elapsed) / 1e9
            let rate = Double(state.done) / max(seconds, 1e-9)
            let left = Double(total - state.done) / max(rate, 1e-9)
            let text = "\(state.done)/\(total) \(unit), \(Self.format(rate)) per second, \(Self.duration(left)) left"
            if isInteractive {
                let filled = total == 0 ? 30 : 30 * state.done / total
                let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
                writeToStandardError("\r\u{1B}[K[\(bar)] \(text)" + (state.done == total ? "\n" : ""))
            } else {
                complain(text)
            }
        }
    }

    /// Takes the bar off the terminal, before other lines are written there.
    func clear() {
        guard !isQuiet && isInteractive else { return }
        state.withLock { _ in writeToStandardError("\r\u{1B}[K") }
    }

    private static func format(_ rate: Double) -> String {
        rate >= 10 ? String(Int(rate.rounded())) : String((rate * 100).rounded() / 100)
    }

    static func duration(_ seconds: Double) -> String {
        let s = Int(seconds.rounded())
        return s < 60 ? "\(s) s" : s < 3600 ? "\(s / 60) min \(s % 60) s" : "\(s / 3600) h \(s % 3600 / 60) min"
    }
}
