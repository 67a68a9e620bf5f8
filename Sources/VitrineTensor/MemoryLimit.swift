/// Memory that this process may use, by what the system says: the machine's, a batch job's (cgroup), and `ulimit -v`.
public enum MemoryLimit {
    /// Bytes; the smallest of the limits. Nil where the system tells none.
    public static let bytes: Int? = [machine, job, addressSpace].compactMap { $0 }.min()

    private static var machine: Int? {
        let line = FileSystem.head("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        return line?.split(separator: " ").dropLast().last.flatMap { Int($0) }.map { $0 * 1024 }
    }

    /// Of the control groups of versions 2 and 1; those above set limits too.
    private static var job: Int? {
        guard let groups = FileSystem.head("/proc/self/cgroup") else { return nil }
        var limits: [Int] = []
        for line in groups.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let (root, file): (String, String)
            switch fields[1] {
            case "": (root, file) = ("/sys/fs/cgroup", "memory.max")
            case "memory": (root, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            default: continue
            }
            var parts = fields[2].split(separator: "/")
            while true {
                let folder = ([root] + parts.map(String.init)).joined(separator: "/")
                if let limit = FileSystem.head("\(folder)/\(file)")?.split(separator: "\n").first.flatMap({ Int($0) }) {
                    limits.append(limit)
                }
                if parts.isEmpty { break }
                parts.removeLast()
            }
        }
        return limits.min()
    }

    private static var addressSpace: Int? {
        let line = FileSystem.head("/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix("Max address space") }
        return line?.dropFirst("Max address space".count).split(separator: " ").first.flatMap { Int($0) }
    }
}
