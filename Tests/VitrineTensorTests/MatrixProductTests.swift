import Foundation
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

    /// The last two sizes are more than one block of the kernel: in terms and columns, and in rows.
    @Test(arguments: [(1, 1, 1), (2, 3, 5), (7, 8, 9), (31, 33, 17), (1, 257, 3), (65, 1, 31), (15, 520, 300), (1020, 3, 40)])
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
                // Up to 520 roundings of partial sums of some tens, about 6e-6 together: eight times that, and alpha; a wrong term is of order 1.
                expectClose(c.values, expected, relative: 1e-6, absolute: 1e-4)
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

/// An element's bits must depend on its row and its column alone, or batches, threads and pieces would differ from the whole.
@Suite struct ProductReproducibilityTests {
    private let rows = 61
    private let inner = 801
    private let columns = 103

    @Test func rowsAndColumnsDoNotDependOnTheRest() {
        for (aTransposed, bTransposed) in [(false, true), (true, false)] {
            let a = Tensor(aTransposed ? [inner, rows] : [rows, inner], normal(rows * inner, "ra"))
            let b = Tensor(bTransposed ? [columns, inner] : [inner, columns], normal(inner * columns, "rb"))
            let left = aTransposed ? a.matrix.transposed : a.matrix
            let right = bTransposed ? b.matrix.transposed : b.matrix
            var whole = Tensor([rows, columns])
            multiply(left, right, into: &whole)
            for (row, height) in [(0, 1), (3, 5), (13, 14), (40, 21), (0, 61)] {
                for (column, width) in [(0, 1), (1, 31), (16, 17), (31, 72), (0, 103)] {
                    var part = Tensor([height, width])
                    let rowsOfA = left.transposed.columns(row..<row + height).transposed
                    multiply(rowsOfA, right.columns(column..<column + width), into: &part)
                    var expected = Tensor([height, width])
                    for i in 0..<height {
                        expected.replace(from: i * width, with: whole[row + i][column..<column + width])
                    }
                    #expect(bits(part) == bits(expected), "rows \(row)+\(height), columns \(column)+\(width)")
                }
            }
        }
    }

    @Test func threadsChangeNoBit() {
        let x = Tensor([rows, inner], normal(rows * inner, "tx"))
        let weight = Tensor([columns, inner], normal(columns * inner, "tw"))
        let bias = Tensor([columns], normal(columns, "tb"))
        var one = Tensor([rows, columns])
        multiplyRows(x, weight.matrix.transposed, bias: bias, into: &one)
        for threads in [2, 3, 7] {
            var many = Tensor([rows, columns])
            multiplyRows(x, weight.matrix.transposed, bias: bias, into: &many, threads: threads)
            #expect(bits(many) == bits(one), "\(threads) threads")
        }
        // The bias is added once, whatever the number of blocks that the sum is cut into.
        for (i, j) in [(0, 0), (60, 102), (17, 32)] {
            let sum = (0..<inner).reduce(Double(bias[at: j])) { $0 + Double(x[at: i, $1]) * Double(weight[at: j, $1]) }
            #expect(abs(Double(one[at: i, j]) - sum) < 1e-4)
        }
    }
}

/// Every path of the machine code that this processor has, against the definition in Double.
@Suite struct ProductPathTests {
    private static var paths: [CInt] { ["baseline", "avx2", "avx512"].firstIndex(of: CPU.path).map { (0...$0).map { CInt($0) } }! }

    /// Sizes around tiles, panels and blocks of terms (384): a product per path, each with transposes, magnitudes and factors.
    @Test(arguments: [(1, 1, 1), (14, 384, 32), (15, 385, 33), (29, 769, 47), (5, 2, 200), (1010, 3, 5)])
    func pathsAgreeWithTheDefinition(rows: Int, inner: Int, columns: Int) {
        for path in Self.paths {
            for (aTransposed, bTransposed, isAbsolute) in [
                (false, false, false), (true, false, true), (false, true, true), (true, true, false),
            ] {
                let a = Tensor(aTransposed ? [inner, rows] : [rows, inner], normal(rows * inner, "pa"))
                let b = Tensor(bTransposed ? [columns, inner] : [inner, columns], normal(inner * columns, "pb"))
                var c = Tensor([rows, columns], normal(rows * columns, "pc"))
                let start = c
                var left = aTransposed ? a.matrix.transposed : a.matrix
                var right = bTransposed ? b.matrix.transposed : b.matrix
                if isAbsolute { (left, right) = (left.magnitudes, right.magnitudes) }
                multiply(left, right, into: &c, alpha: -0.5, beta: 2, path: path)
                let (av, bv, sv) = (a.values, b.values, start.values)
                let expected = (0..<rows * columns).map { n in
                    let (i, j) = (n / columns, n % columns)
                    let sum = (0..<inner).reduce(0.0) { total, k in
                        let x = Double(aTransposed ? av[k * rows + i] : av[i * inner + k])
                        let y = Double(bTransposed ? bv[j * inner + k] : bv[k * columns + j])
                        return total + (isAbsolute ? abs(x * y) : x * y)
                    }
                    return -0.5 * sum + 2 * Double(sv[n])
                }
                // Up to 769 terms of order 1, summed one after the other: 769 * 2^-24 of a sum of up to 500.
                expectClose(c.values, expected, relative: 5e-5, absolute: 1e-4)
            }
        }
    }

    /// NaN and infinities of a factor reach the elements that they belong to, and no others.
    @Test func nonFiniteValuesStayInTheirRow() {
        for path in Self.paths {
            var values = normal(40 * 20, "na")
            values[7 * 20 + 3] = .nan
            values[9 * 20 + 5] = .infinity
            let a = Tensor([40, 20], values)
            let b = Tensor([20, 35], [Float](repeating: 1, count: 700))
            var c = Tensor([40, 35], [Float](repeating: .nan, count: 1400))
            multiply(a.matrix, b.matrix, into: &c, path: path)
            for i in 0..<40 {
                for j in 0..<35 {
                    let value = c[at: i, j]
                    #expect(i == 7 ? value.isNaN : i == 9 ? value == .infinity : value.isFinite)
                }
            }
        }
    }
}

/// A product that takes the positive or the negative values of its second factor, by the sign of a third matrix.
@Suite struct ChoosingProductTests {
    private static var paths: [CInt] { ["baseline", "avx2", "avx512"].firstIndex(of: CPU.path).map { (0...$0).map { CInt($0) } }! }

    /// Sizes around groups of 7 rows, tiles of 14, vectors of 4, 8 and 16 columns, blocks of 128 columns, slices of 32 terms and blocks
    /// of 256. Zeros of either sign, NaN and infinities stand in all three matrices.
    @Test(arguments: [(1, 1, 1), (7, 32, 16), (8, 33, 17), (14, 31, 128), (15, 300, 131), (29, 257, 290), (1010, 5, 7)])
    func equalsTwoProductsBitForBit(rows: Int, inner: Int, columns: Int) {
        func awkward(_ count: Int, _ name: String) -> [Float] {
            var values = normal(count, name)
            for (i, value) in [0, -0.0, Float.nan, .infinity, -.infinity].enumerated() where 11 * i + 3 < count {
                values[11 * i + 3] = value
            }
            return values
        }
        let x = Tensor([rows, inner], awkward(rows * inner, "cx"))
        let m = Tensor([inner, columns], awkward(inner * columns, "cm"))
        let chooser = Tensor([rows, columns], awkward(rows * columns, "cc"))
        for path in Self.paths {
            let transposed = Tensor(
                [columns, inner], (0..<columns * inner).map { m[at: $0 % inner, $0 / inner] })
            let factors: [(String, Matrix)] = [
                ("plain", m.matrix), ("transposed", transposed.matrix.transposed), ("packed", m.matrix.packed(path: path)),
                ("packed transposed", transposed.matrix.transposed.packed(path: path)),
                ("transposed from packed", transposed.matrix.packed(path: path).transposed),
            ]
            var (above, below) = (Tensor([rows, columns]), Tensor([rows, columns]))
            multiply(x.matrix, m.matrix.positives, into: &above, path: path)
            multiply(x.matrix, m.matrix.negatives, into: &below, path: path)
            let expected = (0..<rows * columns).map { i in (chooser.values[i] > 0 ? above : below).values[i] }
            for (name, factor) in factors {
                for threads in [1, 3] {
                    var found = Tensor([rows, columns], [Float](repeating: .nan, count: rows * columns))
                    multiplyRows(x.matrix, factor, bias: nil, chooser: chooser, into: &found, threads: threads, path: path)
                    #expect(same(found.values, expected), "\(name), path \(path), \(threads) threads")
                }
            }
        }
    }

    /// Equal bits, but that one NaN is as good as another.
    private func same(_ a: [Float], _ b: [Float]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) }
    }

    @Test func aFactorOfPartsTraps() async {
        await #expect(processExitsWith: .failure) {
            var y = Tensor([1, 1])
            multiplyRows(Tensor([1, 1]), Tensor([1, 1]).matrix.positives, choosingBy: Tensor([1, 1]), into: &y)
        }
    }
}

/// Packed weights and copied rows are the same numbers in another place: every product keeps every bit.
@Suite struct PackedProductTests {
    private static var paths: [CInt] { ["baseline", "avx2", "avx512"].firstIndex(of: CPU.path).map { (0...$0).map { CInt($0) } }! }

    /// Sizes around panels of 8, 16 and 32, blocks of 256 columns and of 256 terms.
    @Test(arguments: [(1, 1, 1), (14, 16, 32), (15, 33, 31), (3, 300, 290), (29, 257, 520), (1010, 5, 47)])
    func packedFactorsChangeNoBit(rows: Int, inner: Int, columns: Int) {
        let x = Tensor([rows, inner], normal(rows * inner, "px"))
        let weight = Tensor([columns, inner], normal(columns * inner, "pw"))
        let back = Tensor([rows, columns], normal(rows * columns, "pd"))
        for path in Self.paths {
            let packed = weight.matrix.transposed.packed(threads: 3, path: path)
            let parts: [(Matrix) -> Matrix] = [{ $0 }, { $0.magnitudes }, { $0.positives }, { $0.negatives }]
            for (i, part) in parts.enumerated() {
                for threads in [1, 3] {
                    var (expected, found) = (Tensor([rows, columns]), Tensor([rows, columns]))
                    multiply(x.matrix, part(weight.matrix.transposed), into: &expected, path: path)
                    multiply(x.matrix, part(packed), into: &found, threads: threads, path: path)
                    #expect(bits(found) == bits(expected), "x W^T, part \(i), path \(path), \(threads) threads")
                    (expected, found) = (Tensor([rows, inner]), Tensor([rows, inner]))
                    multiply(back.matrix, part(weight.matrix), into: &expected, path: path)
                    multiply(back.matrix, part(packed.transposed), into: &found, threads: threads, path: path)
                    #expect(bits(found) == bits(expected), "dy W, part \(i), path \(path), \(threads) threads")
                }
            }
            // Packed for another path: read like any other matrix.
            if path > 0 {
                var (expected, found) = (Tensor([rows, columns]), Tensor([rows, columns]))
                multiply(x.matrix, weight.matrix.transposed, into: &expected, path: 0)
                multiply(x.matrix, packed, into: &found, path: 0)
                #expect(bits(found) == bits(expected), "packed for path \(path), read by the plain one")
            }
        }
    }

    /// Rows of the first factor that lie whole pages apart are copied before they are read.
    @Test func rowsPagesApartChangeNoBit() {
        let (rows, columns) = (33, 40)
        for stride in [1024, 2048, 3072] {
            let values = normal(rows * 700, "pa")
            var (near, far) = (Tensor([rows, 700], values), Tensor([rows, stride]))
            for i in 0..<rows { far.replace(from: i * stride, with: near[i]) }
            let window = MatrixWindow(start: 0, rows: rows, columns: 700, stride: stride)
            let b = Tensor([700, columns], normal(700 * columns, "pb"))
            for path in Self.paths {
                var (expected, found) = (Tensor([rows, columns]), Tensor([rows, columns]))
                multiply(near.matrix, b.matrix, into: &expected, path: path)
                multiply(far.matrix(window), b.matrix, into: &found, path: path)
                #expect(bits(found) == bits(expected), "\(stride) floats apart, path \(path)")
            }
            near.fill(0)
        }
    }

    /// A weight in a file is packed after a few uses, by whichever thread comes first, and its file can still be read.
    @Test func weightsOfAFileArePackedOnce() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "vitrine-packed-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (outputs, inputs) = (70, 200)
        let values = normal(outputs * inputs, "file")
        let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
        try Data(bytes).write(to: URL(filePath: path))
        let weight = try MappedFile(path: path).tensor(byteOffset: 0, shape: [outputs, inputs])
        let x = Tensor([9, inputs], normal(9 * inputs, "fx"))
        var expected = Tensor([9, outputs])
        multiply(x.matrix, Tensor([outputs, inputs], values).matrix.transposed, into: &expected)
        let right = bits(expected)
        let packed = PackedWeight()
        #expect(packed.matrix(weight).panel == 0)
        for use in 1..<PackedWeight.patience { #expect(packed.transposed(weight).panel == 0, "use \(use)") }
        try parallelFor(8, workers: 4) { _, _ in
            var found = Tensor([9, outputs])
            multiply(x.matrix, packed.transposed(weight, threads: 2), into: &found)
            #expect(bits(found) == right)
        }
        #expect(packed.transposed(weight).panel > 0)
        #expect(packed.matrix(weight).panel > 0 && packed.matrix(weight).rows == outputs)
        #expect(weight.values == values)
    }

    @Test func weightsInMemoryOfTheirOwnStay() {
        let weight = Tensor([3, 4], normal(12, "own"))
        let packed = PackedWeight()
        for _ in 0..<2 * PackedWeight.patience { #expect(packed.transposed(weight).panel == 0) }
    }
}

@Suite struct SelfTestTests {
    @Test func selfTestPassesAndTheLibraryNamesItself() throws {
        try CPU.selfTest()
        try CPU.selfTest()
        #expect(!BLAS.coreName.isEmpty)
        #expect(BLAS.configuration.contains("OpenBLAS"))
        #expect(BLAS.version.split(separator: ".").count >= 2)
        #expect(BLAS.threads == 1)
    }

    /// A product that forgets beta, one that is off in a single element, one that ignores a transpose of a square: all are caught.
    @Test func wrongProductsAreCaught() {
        #expect(throws: CPU.SelfTestFailure.self) {
            try CPU.compareWithDefinition { a, b, c, alpha, _ in multiply(a, b, into: &c, alpha: alpha, beta: 0) }
        }
        let failure = #expect(throws: CPU.SelfTestFailure.self) {
            try CPU.compareWithDefinition { a, b, c, alpha, beta in
                multiply(a, b, into: &c, alpha: alpha, beta: beta)
                if c.count > 100 { c.withMutableSpan { $0[77] += 1 } }
            }
        }
        #expect(failure?.path == CPU.path)
        #expect(failure?.product == "17x33x65" && failure?.row == 1 && failure?.column == 12)
        #expect("\(failure!)".contains("row 1, column 12 of the product 17x33x65"))
    }
}
