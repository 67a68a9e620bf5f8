import Foundation
import Testing
import VitrineTensor

@Suite struct CPUTests {
    private static let flags: Set<String> = {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        return Set(line.split(separator: " ").map(String.init))
    }()

    /// The operating system's list of features names the same path; a machine without such a list (not x86-64 Linux) is skipped.
    @Test(.enabled(if: !flags.isEmpty, "no x86 feature list in /proc/cpuinfo")) func pathFitsTheProcessor() {
        let v3: Set = ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]
        let v4 = v3.union(["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"])
        let expected = v4.isSubset(of: Self.flags) ? "avx512" : v3.isSubset(of: Self.flags) ? "avx2" : "baseline"
        #expect(CPU.path == expected)
    }
}
