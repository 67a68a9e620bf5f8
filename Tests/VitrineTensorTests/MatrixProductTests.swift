import Testing

@testable import VitrineTensor

@Suite struct MatrixProductTests {
    /// alpha A B + beta C in Double; NaN in C counts for nothing when beta is 0.
    private func naive(
        _ a: (Int, Int) -> Float, _ b: (Int, Int) -> Float, _ c: (Int, Int) -> Float, rows: Int, inner: Int, columns: Int, alpha: Double,
        beta: Double
    ) -> [Double] {
        (0..<(rows * columns)).map { n in
            let (i, j) = (n / columns, n % columns)
            let product = (0..<inner).reduce(0.0) { $0 + Double(a(i, $1)) * Double(b($1, j)) }
            return alpha * product + (beta == 0 ? 0 : beta * Double(c(i, j)))
        }
    }

    @Test(arguments: [(1, 1, 1), (2, 3, 5), (7, 8, 9), (31, 33, 17), (1, 257, 3), (65, 1, 31)])
    func transposesAndFactors(rows: Int, inner: Int, columns: Int) {
        for (aTransposed, bTransposed) in [(false, false), (false, true), (true, false), (true, true)] {
            for (alpha, beta): (Float, Float) in [(1, 0), (0.5, 1), (-2, 0.25)] {
                let a = Tensor(aTransposed ? [inner, rows] : [rows, inner], normal(rows * inner, "ma"))
                let b = Tensor(bTransposed ? [columns, inner] : [inner, columns], normal(inner * columns, "mb"))
                let start = Tensor(
                    [rows, columns], beta == 0 ? [Float](repeating: .nan, count: rows * columns) : normal(rows * columns, "mc"))
                var c = start
                multiply(
                    aTransposed ? a.matrix.transposed : a.matrix, bTransposed ? b.matrix.transposed : b.matrix, into: &c, alpha: alpha,
                    beta: beta)
                let expected = naive(
                    { aTransposed ? a[at: $1, $0] : a[at: $0, $1] }, { bTransposed ? b[at: $1, $0] : b[at: $0, $1] },
                    { start[at: $0, $1] }, rows: rows, inner: inner, columns: columns, alpha: Double(alpha), beta: Double(beta))
                // Up to 257 products of order 1.
                expectClose(c.values, expected, relative: 1e-6, absolute: 1e-5)
            }
        }
    }

    /// One head's Q Kᵀ out of a [tokens, 3 * heads * d] tensor, written into the middle of a larger one.
    @Test func windows() {
        let (tokens, heads, d) = (5, 3, 4)
        let qkv = Tensor([tokens, 3 * heads * d], normal(tokens * 3 * heads * d, "qkv"))
        let head = 1
        func part(_ k: Int) -> Matrix {
            qkv.matrix(MatrixWindow(start: (k * heads + head) * d, rows: tokens, columns: d, stride: 3 * heads * d))
        }
        var scores = Tensor([heads, tokens, tokens + 2], [Float](repeating: 9, count: heads * tokens * (tokens + 2)))
        multiply(
            part(0), part(1).transposed, into: &scores,
            window: MatrixWindow(start: tokens * (tokens + 2) + 1, rows: tokens, columns: tokens, stride: tokens + 2))
        for h in 0..<heads {
            for i in 0..<tokens {
                for j in 0..<(tokens + 2) {
                    var expected = 9.0
                    if h == head && j >= 1 && j <= tokens {
                        expected = (0..<d).reduce(0.0) {
                            $0 + Double(qkv[at: i, head * d + $1]) * Double(qkv[at: j - 1, (heads + head) * d + $1])
                        }
                    }
                    #expect(abs(Double(scores[at: h, i, j]) - expected) < 1e-6)
                }
            }
        }
    }

    @Test func sizesThatDisagreeTrap() async {
        await #expect(processExitsWith: .failure) {
            var c = Tensor([2, 2])
            multiply(Tensor([2, 3]).matrix, Tensor([2, 2]).matrix, into: &c)
        }
        await #expect(processExitsWith: .failure) {
            _ = Tensor([2, 3]).matrix(MatrixWindow(start: 1, rows: 2, columns: 3, stride: 3))
        }
    }
}

@Suite struct BLASTests {
    @Test func selfTestPassesAndTheLibraryNamesItself() throws {
        try BLAS.selfTest()
        try BLAS.selfTest()
        #expect(!BLAS.coreName.isEmpty)
        #expect(BLAS.configuration.contains("OpenBLAS"))
        #expect(BLAS.version.split(separator: ".").count >= 2)
        #expect(BLAS.threads == 1)
    }

    /// A product that forgets beta, one that is off in a single element, one that ignores a transpose of a square: all are caught.
    @Test func wrongProductsAreCaught() {
        #expect(throws: BLAS.SelfTestFailure.self) {
            try BLAS.compareWithDefinition { a, b, c, alpha, _ in multiply(a, b, into: &c, alpha: alpha, beta: 0) }
        }
        let failure = #expect(throws: BLAS.SelfTestFailure.self) {
            try BLAS.compareWithDefinition { a, b, c, alpha, beta in
                multiply(a, b, into: &c, alpha: alpha, beta: beta)
                if c.count > 100 { c.withMutableSpan { $0[77] += 1 } }
            }
        }
        #expect(failure?.coreName == BLAS.coreName)
        #expect(failure?.product == "17x33x65" && failure?.row == 1 && failure?.column == 12)
        #expect("\(failure!)".contains("product 17x33x65 gives"))
    }
}
