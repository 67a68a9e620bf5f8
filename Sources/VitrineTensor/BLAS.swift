import COpenBLAS

/// The linear-algebra library behind singular values and products in Float64, on one thread. Products in Float32 are Vitrine's own (`multiply`).
public enum BLAS {
    /// Runs once, before its first use.
    private static let ready: Void = { openblas_set_num_threads(1) }()

    static func prepare() { ready }

    /// The CPU kernel family OpenBLAS chose, such as "Zen" or "SkylakeX".
    public static var coreName: String {
        prepare()
        // SAFETY: OpenBLAS returns a constant C string.
        return unsafe String(cString: openblas_get_corename())
    }

    /// OpenBLAS's version and build options, such as "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Zen MAX_THREADS=64".
    ///
    /// Asked for once: OpenBLAS composes the text in a buffer that all threads share.
    public static let configuration: String = {
        prepare()
        // SAFETY: OpenBLAS returns a C string that stays in place.
        return unsafe String(cString: openblas_get_config())
    }()

    /// OpenBLAS's version, such as "0.3.21"; empty if the configuration does not name one.
    public static var version: String {
        let words = configuration.split(separator: " ")
        return words.count > 1 && words[0] == "OpenBLAS" ? String(words[1]) : ""
    }

    /// Threads that one call uses.
    public static var threads: Int {
        prepare()
        return Int(openblas_get_num_threads())
    }
}
