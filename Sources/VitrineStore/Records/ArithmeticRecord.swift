/// The arithmetic that results came from; one row per kind of machine that took part.
public struct ArithmeticRecord: Sendable, Equatable {
    public var vitrine: String
    public var cpuPath: String
    public var blasCore: String
    public var blas: String

    package init(
        vitrine: String, cpuPath: String, blasCore: String, blas: String
    ) {
        self.vitrine = vitrine
        self.cpuPath = cpuPath
        self.blasCore = blasCore
        self.blas = blas
    }
}
