import Testing
import VitrineTensor

@Suite struct DoubleMatrixTests {
    private func matrix(_ rows: Int, _ columns: Int, _ name: String) -> DoubleMatrix {
        let values = normal(rows * columns, name)
        return DoubleMatrix(rows: rows, columns: columns) { i, row in
            for j in 0..<row.count { row[j] = Double(values[i * columns + j]) * 1.000_000_1 }
        }
    }

    /// Below, at and above the width of a piece, on one thread and on two.
    @Test(arguments: [1, 5, 128, 131, 300])
    func productEqualsTheDefinition(n: Int) {
        let (a, b, c) = (matrix(7, 33, "left"), matrix(33, n, "right"), matrix(n, 33, "transposed"))
        let bias = (0..<n).map { Double($0) / 7 }
        for threads in [1, 2] {
            let product = a.times(b, bias: bias, threads: threads)
            let other = a.times(c, transposed: true, threads: threads)
            #expect(product.rows == 7 && product.columns == n)
            for i in 0..<7 {
                for j in 0..<n {
                    let first = (0..<33).reduce(bias[j]) { $0 + a[i, $1] * b[$1, j] }
                    let second = (0..<33).reduce(0) { $0 + a[i, $1] * c[j, $1] }
                    // Some 33 roundings of 1e-16 of terms of order 1.
                    #expect(abs(product[i, j] - first) < 1e-13 && abs(other[i, j] - second) < 1e-13)
                }
            }
            #expect(product.values == a.times(b, bias: bias).values)
        }
    }

    @Test func slicesAndRounding() {
        let tensor = Tensor([2, 3, 2], (0..<12).map { Float($0) / 3 })
        let all = DoubleMatrix(tensor)
        #expect(all.rows == 6 && all.columns == 2)
        #expect(all.slice(rows: 2..<4).values == [4, 5, 6, 7].map { Double(Float($0) / 3) })
        #expect(all.slice(columns: 1..<2).values == [1, 3, 5, 7, 9, 11].map { Double(Float($0) / 3) })
        var back = Tensor([12])
        round([all.slice(rows: 0..<3), all.slice(rows: 3..<6)], into: &back)
        #expect(back.values == tensor.values)
    }

    @Test func emptyProducts() {
        let none = DoubleMatrix(rows: 2, columns: 0) { _, _ in }
        #expect(none.times(none, transposed: true, bias: [1, 2]).values == [1, 2, 1, 2])
    }
}
