import VitrineTensor

/// What a result depends on besides its inputs: versions and the arithmetic of this machine.
public struct Provenance: Sendable, Codable, Equatable {
    /// Version of Vitrine.
    public var vitrine: String
    /// Which clones of the C kernels run: "avx512", "avx2" or "baseline".
    public var cpuPath: String
    /// The kernel family OpenBLAS chose.
    public var blasCore: String
    /// OpenBLAS's version and build options.
    public var blas: String
    /// SHA-256 of the files read, by role or path.
    public var files: [String: String]
    /// The options of the run, as given.
    public var options: [String: String]

    public init(files: [String: String], options: [String: String]) {
        vitrine = Self.version
        cpuPath = CPU.path
        blasCore = BLAS.coreName
        blas = BLAS.configuration
        self.files = files
        self.options = options
    }

    public static let version = "0.1.0"
}
