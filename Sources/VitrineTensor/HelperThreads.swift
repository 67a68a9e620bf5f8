import CVitrineKernels
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Threads that help with the larger operations of a single pass.
///
/// A pass over one image has some hundred operations of a millisecond or less, with gaps of microseconds. A thread that slept in each gap
/// would wake too late, so a helper goes on looking for work for a moment before it sleeps. Callers never wait for one that has not begun:
/// they do its share themselves.
enum HelperThreads {
    private static let all = Mutex<[Helper]>([])
    private static let limit = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) - 1

    /// Runs `body` for every index below `pieces`, on this thread and up to `threads - 1` helpers that have nothing else to do.
    static func run(_ pieces: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            let job = Job(pieces: pieces, body: body)
            let helpers = claimed(min(threads, pieces) - 1, for: job)
            job.work()
            // Once they are dismissed nobody holds the job, and all its pieces are done.
            for helper in helpers { helper.dismiss(job) }
        }
    }

    private static func claimed(_ count: Int, for job: Job) -> [Helper] {
        all.withLock { all in
            var claimed: [Helper] = []
            for helper in all where claimed.count < count && helper.take(job) { claimed.append(helper) }
            while claimed.count < count && all.count < limit {
                let helper = Helper()
                all.append(helper)
                if helper.take(job) { claimed.append(helper) }
            }
            return claimed
        }
    }
}

/// Pieces of work that several threads take from one counter.
private final class Job: Sendable {
    private static let count = Atomic(0)
    /// From 1; tells jobs apart.
    let number = Job.count.wrappingAdd(1, ordering: .relaxed).newValue
    private let pieces: Int
    private let body: @Sendable (Int) -> Void
    private let next = Atomic(0)

    init(pieces: Int, body: @escaping @Sendable (Int) -> Void) {
        self.pieces = pieces
        self.body = body
    }

    func work() {
        while true {
            let i = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard i < pieces else { return }
            body(i)
        }
    }
}

/// One thread, which a caller claims for one job at a time.
private final class Helper: Sendable {
    private static let idle = 0
    /// A caller is giving or taking back a job.
    private static let claimed = 1
    /// A job is there and not begun, and a job is being done.
    private static func waiting(_ job: Job) -> Int { 2 * job.number }
    private static func working(_ job: Job) -> Int { 2 * job.number + 1 }
    /// Nanoseconds without work before the thread sleeps: some gaps of a pass, and little against the pass.
    private static let patience: UInt64 = 300_000

    private let state = Atomic(Helper.idle)
    private let job = Mutex<Job?>(nil)
    private let isAsleep = Atomic(false)
    private let alarm = DispatchSemaphore(value: 0)

    init() { DispatchQueue(label: "vitrine.helper", qos: .userInitiated).async { self.serve() } }

    /// Gives the thread a job, unless it has one.
    func take(_ new: Job) -> Bool {
        guard change(from: Helper.idle, to: Helper.claimed) else { return false }
        job.withLock { $0 = new }
        state.store(Helper.waiting(new), ordering: .sequentiallyConsistent)
        if isAsleep.exchange(false, ordering: .sequentiallyConsistent) { alarm.signal() }
        return true
    }

    /// Takes the job back if it is not begun, else waits for its end.
    func dismiss(_ job: Job) {
        if change(from: Helper.waiting(job), to: Helper.claimed) { return finish() }
        var looks = 0
        while state.load(ordering: .acquiring) == Helper.working(job) {
            looks += 1
            if looks % 4096 == 0 { sched_yield() } else { vk_pause() }
        }
    }

    private func finish() {
        job.withLock { $0 = nil }
        state.store(Helper.idle, ordering: .sequentiallyConsistent)
    }

    private func change(from old: Int, to new: Int) -> Bool {
        state.compareExchange(expected: old, desired: new, ordering: .sequentiallyConsistent).exchanged
    }

    private var hasWork: Bool {
        let now = state.load(ordering: .sequentiallyConsistent)
        return now > Helper.claimed && now % 2 == 0
    }

    private func serve() {
        while true {
            waitForWork()
            let now = state.load(ordering: .sequentiallyConsistent)
            guard now > Helper.claimed, now % 2 == 0, change(from: now, to: now + 1) else { continue }
            job.withLock { $0 }?.work()
            finish()
        }
    }

    private func waitForWork() {
        let start = DispatchTime.now().uptimeNanoseconds
        while DispatchTime.now().uptimeNanoseconds - start < Helper.patience {
            for _ in 0..<64 {
                if hasWork { return }
                vk_pause()
            }
        }
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        // Whoever takes the mark away, this thread or a caller, ends the sleep; a caller rings once for that.
        if hasWork && isAsleep.exchange(false, ordering: .sequentiallyConsistent) { return }
        alarm.wait()
    }
}
