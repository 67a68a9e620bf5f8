import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Seconds since the last lap.
struct Stopwatch {
    enum Clock {
        /// Of the wall.
        case wall
        /// Processor time of this process: what else the machine does does not count.
        case processor

        fileprivate var nanoseconds: UInt64 {
            switch self {
            case .wall: DispatchTime.now().uptimeNanoseconds
            // Microseconds: POSIX fixes CLOCKS_PER_SEC.
            case .processor: UInt64(max(0, clock())) * 1000
            }
        }
    }

    private let kind: Clock
    private var last: UInt64

    init(_ kind: Clock = .wall) {
        self.kind = kind
        last = kind.nanoseconds
    }

    mutating func lap() -> Double {
        let now = kind.nanoseconds
        defer { last = now }
        return Double(now - last) / 1e9
    }
}
