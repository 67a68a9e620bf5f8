import CVitrineKernels

/// The machine code that the kernels run.
public enum CPU {
    /// The path the loader chose for this processor: "avx512" (x86-64-v4), "avx2" (x86-64-v3) or "baseline".
    ///
    /// Results of different paths differ in the last bits.
    public static var path: String {
        switch vk_cpu_path() {
        case 2: "avx512"
        case 1: "avx2"
        default: "baseline"
        }
    }
}
