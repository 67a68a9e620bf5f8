import Dispatch
import Foundation
import Synchronization
import VitrineTensor

/// Progress of a run on standard error: a bar with the remaining time on a terminal, a plain line now and then otherwise.
final class Progress: Sendable {
    private let total: Int
    private let unit: String
    private let isQuiet: Bool
    private let start = DispatchTime.now()
    private let state = Mutex<(done: Int, failed: Int, lastShown: UInt64)>((0, 0, 0))
    /// Whether a bar stands on the last line of the terminal. One for the process, as the terminal is.
    private static let barStands = Mutex(false)

    init(total: Int, unit: String, isQuiet: Bool) {
        self.total = total
        self.unit = unit
        self.isQuiet = isQuiet
    }

    /// Counts finished items; shows at most ten updates a second on a terminal, and elsewhere, in the log of a batch system say, a line
    /// every ten seconds at first and every two minutes later. Where all have failed, there is no progress to report at the end.
    func advance(by n: Int = 1, failed: Int = 0) {
        guard !isQuiet else { return }
        let elapsed = DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds
        state.withLock { state in
            state.done += n
            state.failed += failed
            let isDone = state.done == total
            guard state.failed < total else { return clear() }
            let interval = isInteractive ? 100_000_000 : Self.logInterval(elapsed)
            guard isDone || elapsed - state.lastShown >= interval else { return }
            state.lastShown = elapsed
            let text = Self.text(done: state.done, total: total, unit: unit, seconds: Double(elapsed) / 1e9)
            guard isInteractive else { return complain(text) }
            let line = Self.bar(done: state.done, total: total, text: text, columns: Self.columns)
            Self.barStands.withLock { stands in
                writeToStandardError("\r\u{1B}[K\(line)" + (isDone ? "\n" : ""))
                stands = !isDone
            }
        }
    }

    /// Takes the bar off the terminal; the next update draws it again.
    func clear() { Self.interrupted {} }

    /// Writes something else to the terminal, on a line of its own.
    static func interrupted<E: Error>(_ write: () throws(E) -> Void) throws(E) {
        let result: Result<Void, E> = barStands.withLock { stands in
            if stands { writeToStandardError("\r\u{1B}[K") }
            stands = false
            do throws(E) { return .success(try write()) } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Nanoseconds between two lines of a log.
    static func logInterval(_ elapsed: UInt64) -> UInt64 { min(120_000_000_000, max(10_000_000_000, elapsed / 10)) }

    static func text(done: Int, total: Int, unit: String, seconds: Double) -> String {
        let rate = Double(done) / max(seconds, 1e-9)
        let left = Double(total - done) / max(rate, 1e-9)
        return "\(done)/\(total) \(unit), \(format(rate)) per second, \(duration(left)) left"
    }

    /// A bar with its text, never wider than the terminal: a line that wraps cannot be written over.
    static func bar(done: Int, total: Int, text: String, columns: Int) -> String {
        let room = max(columns - 1, 0)
        let width = min(30, room - text.count - 3)
        guard width >= 5 else { return String(text.prefix(room)) }
        let filled = total == 0 ? width : width * done / total
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "] " + text
    }

    private static var columns: Int {
        StandardStreams.columns ?? ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? 80
    }

    private static func format(_ rate: Double) -> String {
        rate >= 10 ? String(Int(rate.rounded())) : String((rate * 100).rounded() / 100)
    }

    static func duration(_ seconds: Double) -> String {
        guard seconds < 1e9 else { return "a long time" }
        let s = Int(seconds.rounded())
        return s < 60 ? "\(s) s" : s < 3600 ? "\(s / 60) min \(s % 60) s" : "\(s / 3600) h \(s % 3600 / 60) min"
    }
}
