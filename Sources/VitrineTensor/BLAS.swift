import COpenBLAS

/// The linear-algebra library underneath: set to one thread per call, since Vitrine's workers are the parallelism.
public enum BLAS {
    /// Runs once, before the first product.
    private static let ready: Void = { openblas_set_num_threads(1) }()

    static func prepare() { ready }

    /// The CPU kernel family OpenBLAS chose, such as "Zen" or "SkylakeX".
    public static var coreName: String {
        prepare()
        // SAFETY: OpenBLAS returns a constant C string.
        return unsafe String(cString: openblas_get_corename())
    }

    /// OpenBLAS's version and build options.
    public static var configuration: String {
        prepare()
        // SAFETY: as for `coreName`.
        return unsafe String(cString: openblas_get_config())
    }
}
