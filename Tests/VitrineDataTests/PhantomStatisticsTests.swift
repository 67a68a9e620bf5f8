import Foundation
import Synchronization
import Testing
import VitrineData
import VitrineTensor

/// The planted lesion must not be readable off the brightness of the whole picture.
@Suite struct PhantomStatisticsTests {
    /// Five-fold cross-validated balanced accuracy of a logistic regression on mean, variance and 16-bin histogram.
    ///
    /// With 500 images the standard error at chance is 0.022, so 0.60 lies more than four above it. A positive of the conjunction shows two masses where a
    /// negative shows one at most, of which a histogram sees a little: 0.62.
    @Test(arguments: PhantomTask.allCases)
    func trivialStatisticsDoNotSeparateTheLabels(task: PhantomTask) throws {
        let set = try PhantomSet(task: task, count: 500, seed: 21)
        let rows = Mutex([[Double]](repeating: [], count: set.count))
        try parallelFor(set.count, workers: ProcessInfo.processInfo.activeProcessorCount) { _, i in
            let row = statistics(set.phantom(at: i).image.pixels)
            rows.withLock { $0[i] = row }
        }
        let accuracy = crossValidated(rows.withLock { $0 }, labels: (0..<set.count).map { min(set.label(of: $0), 1) }, folds: 5)
        #expect(accuracy <= (task == .conjunction ? 0.65 : 0.60), "\(task.rawValue): \(accuracy)")
    }

    @Test func theRegressionFindsWhatIsThere() {
        // A histogram whose last bin grows with the label: the check above can fail.
        let labels = (0..<200).map { $0 % 2 }
        let rows = (0..<200).map { i -> [Double] in
            var row = (0..<18).map { k in Double((i * 7919 + k * 104_729) % 1000) / 1000 }
            row[17] += Double(2 * labels[i])
            return row
        }
        #expect(crossValidated(rows, labels: labels, folds: 5) > 0.95)
    }

    /// Mean, variance and 16-bin histogram of the luminance.
    private func statistics(_ pixels: [UInt8]) -> [Double] {
        var bins = [Double](repeating: 0, count: 16)
        var sum = 0.0
        var squares = 0.0
        let count = Double(pixels.count / 3)
        for i in stride(from: 0, to: pixels.count, by: 3) {
            let grey = 0.299 * Double(pixels[i]) + 0.587 * Double(pixels[i + 1]) + 0.114 * Double(pixels[i + 2])
            bins[min(Int(grey / 16), 15)] += 1 / count
            sum += grey
            squares += grey * grey
        }
        return [sum / count, squares / count - (sum / count) * (sum / count)] + bins
    }

    private func crossValidated(_ rows: [[Double]], labels: [Int], folds: Int) -> Double {
        var hits = [0.0, 0.0]
        var totals = [0.0, 0.0]
        for fold in 0..<folds {
            // Blocks of two keep both labels in every fold.
            let held = rows.indices.filter { ($0 / 2) % folds == fold }
            let kept = rows.indices.filter { ($0 / 2) % folds != fold }
            let model = LogisticRegression(kept.map { rows[$0] }, kept.map { labels[$0] })
            for i in held {
                totals[labels[i]] += 1
                if (model.logit(rows[i]) > 0) == (labels[i] == 1) { hits[labels[i]] += 1 }
            }
        }
        return (hits[0] / totals[0] + hits[1] / totals[1]) / 2
    }
}

/// Logistic regression on standardised features by Newton's method, with a ridge of 1 per feature on the summed loss as scikit-learn's C = 1.
private struct LogisticRegression {
    let mean: [Double]
    let scale: [Double]
    var weights: [Double]

    init(_ rows: [[Double]], _ labels: [Int]) {
        let n = Double(rows.count)
        let d = rows[0].count
        let mean = (0..<d).map { k in rows.reduce(0) { $0 + $1[k] } / n }
        let scale = (0..<d).map { k in
            max((rows.reduce(0) { $0 + ($1[k] - mean[k]) * ($1[k] - mean[k]) } / n).squareRoot(), 1e-9)
        }
        self.mean = mean
        self.scale = scale
        weights = [Double](repeating: 0, count: d + 1)
        let inputs = rows.map { row in (0..<d).map { (row[$0] - mean[$0]) / scale[$0] } + [1] }
        for _ in 0..<25 {
            var gradient = [Double](repeating: 0, count: d + 1)
            var hessian = [[Double]](repeating: [Double](repeating: 0, count: d + 1), count: d + 1)
            for k in 0..<d {
                gradient[k] = weights[k]
                hessian[k][k] = 1
            }
            for (x, label) in zip(inputs, labels) {
                let p = 1 / (1 + exp(-zip(x, weights).reduce(0) { $0 + $1.0 * $1.1 }))
                for a in 0...d {
                    gradient[a] += (p - Double(label)) * x[a]
                    for b in 0...a { hessian[a][b] += p * (1 - p) * x[a] * x[b] }
                }
            }
            for a in 0...d { for b in 0..<a { hessian[b][a] = hessian[a][b] } }
            let step = Self.solve(hessian, gradient)
            for a in 0...d { weights[a] -= step[a] }
        }
    }

    func logit(_ row: [Double]) -> Double {
        var sum = weights[row.count]
        for k in 0..<row.count { sum += weights[k] * (row[k] - mean[k]) / scale[k] }
        return sum
    }

    /// Gaussian elimination; the ridge keeps the matrix positive definite.
    private static func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var a = matrix
        var b = right
        let n = b.count
        for i in 0..<n {
            for j in i + 1..<n {
                let f = a[j][i] / a[i][i]
                for k in i..<n { a[j][k] -= f * a[i][k] }
                b[j] -= f * b[i]
            }
        }
        for i in stride(from: n - 1, through: 0, by: -1) {
            for k in i + 1..<n { b[i] -= a[i][k] * b[k] }
            b[i] /= a[i][i]
        }
        return b
    }
}
