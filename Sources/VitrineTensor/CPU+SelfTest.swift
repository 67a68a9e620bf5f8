extension CPU {
    /// A product that came out wrong: the machine code for this processor cannot be trusted.
    public struct SelfTestFailure: Error, CustomStringConvertible, Equatable {
        public let path: String
        /// The product's sizes, `rows x inner x columns`, and which factors were transposed.
        public let product: String
        public let row: Int
        public let column: Int
        public let expected: Float
        public let found: Float

        public var description: String {
            "the kernels for \(path) give \(found) at row \(row), column \(column) of the product \(product) instead of \(expected); "
                + "this processor or its emulation computes wrongly: use another machine"
        }
    }

    /// Compares products of odd sizes with the definition; the first call does the work, a few milliseconds, later ones repeat its result.
    ///
    /// The factors are small integers, so that every sum is exact in Float32 and correct kernels agree to the last bit.
    ///
    /// - Throws: `SelfTestFailure` naming the path and the first wrong element.
    public static func selfTest() throws(SelfTestFailure) { try selfTestResult.get() }

    private static let selfTestResult: Result<Void, SelfTestFailure> = {
        do throws(SelfTestFailure) {
            try compareWithDefinition { a, b, c, alpha, beta in multiply(a, b, into: &c, alpha: alpha, beta: beta) }
            return .success(())
        } catch {
            return .failure(error)
        }
    }()

    /// The comparison behind `selfTest`, for any product `c = alpha a b + beta c`.
    static func compareWithDefinition(
        _ product: (_ a: Matrix, _ b: Matrix, _ c: inout Tensor, _ alpha: Float, _ beta: Float) -> Void
    ) throws(SelfTestFailure) {
        for (rows, inner, columns) in [(1, 1, 1), (3, 5, 7), (17, 33, 65), (67, 129, 31), (1, 257, 19), (131, 3, 9)] {
            for (aTransposed, bTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
                let a = integers(rows * inner, seed: 1)
                let b = integers(inner * columns, seed: 2)
                let start = integers(rows * columns, seed: 3)
                let aTensor = Tensor(aTransposed ? [inner, rows] : [rows, inner], a)
                let bTensor = Tensor(bTransposed ? [columns, inner] : [inner, columns], b)
                var c = Tensor([rows, columns], start)
                product(
                    aTransposed ? aTensor.matrix.transposed : aTensor.matrix, bTransposed ? bTensor.matrix.transposed : bTensor.matrix,
                    &c, 2, -1)
                let found = c.values
                for i in 0..<rows {
                    for j in 0..<columns {
                        var sum: Float = 0
                        for k in 0..<inner {
                            sum +=
                                (aTransposed ? a[k * rows + i] : a[i * inner + k]) * (bTransposed ? b[j * inner + k] : b[k * columns + j])
                        }
                        let expected = 2 * sum - start[i * columns + j]
                        if found[i * columns + j] != expected {
                            throw SelfTestFailure(
                                path: path,
                                product:
                                    "\(rows)x\(inner)x\(columns)\(aTransposed ? " A transposed" : "")\(bTransposed ? " B transposed" : "")",
                                row: i, column: j, expected: expected, found: found[i * columns + j])
                        }
                    }
                }
            }
        }
    }

    /// Integers from -8 to 8 without a pattern that a wrong index would survive.
    private static func integers(_ count: Int, seed: UInt32) -> [Float] {
        var state = seed &* 2_654_435_769
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int(state >> 16) % 17 - 8)
        }
    }
}
