import VitrineImage

/// The metrics written pixel by pixel from their definitions, without sites, ranks or tables: slow, and what the tests
/// compare with.
struct PlainMetrics {
    let values: [Float]
    let mask: Mask

    private var n: Int { values.count }
    private var m: Int { mask.count }

    var pointingGameAny: Double {
        let high = values.max()!
        return values.indices.contains { values[$0] == high && mask.bits[$0] } ? 1 : 0
    }

    var pointingGameFirst: Double { mask.bits[values.firstIndex(of: values.max()!)!] ? 1 : 0 }

    var pointingGameExpected: Double {
        let tied = values.indices.filter { values[$0] == values.max()! }
        return Double(tied.count { mask.bits[$0] }) / Double(tied.count)
    }

    func selected(_ percentage: Double) -> [Bool] {
        let threshold = values.sorted(by: >)[Int(Double(n) * percentage / 100)]
        return values.map { $0 >= threshold }
    }

    func iou(_ region: [Bool]) -> Double {
        let both = values.indices.count { region[$0] && mask.bits[$0] }
        return Double(both) / Double(values.indices.count { region[$0] || mask.bits[$0] })
    }

    func rectangle(_ region: [Bool]) -> [Bool] {
        let on = values.indices.filter { region[$0] }
        let rows = on.map { $0 / mask.width }
        let columns = on.map { $0 % mask.width }
        return values.indices.map {
            (rows.min()!...rows.max()!).contains($0 / mask.width)
                && (columns.min()!...columns.max()!).contains($0 % mask.width)
        }
    }

    /// Labels by repeated relaxation: every pixel takes the smallest label among itself and its neighbours.
    func largestComponent(_ region: [Bool]) -> [Bool] {
        var label = values.indices.map { region[$0] ? $0 : -1 }
        var changed = true
        while changed {
            changed = false
            for i in values.indices where label[i] >= 0 {
                var neighbours: [Int] = []
                if i % mask.width > 0 { neighbours.append(i - 1) }
                if i % mask.width < mask.width - 1 { neighbours.append(i + 1) }
                if i >= mask.width { neighbours.append(i - mask.width) }
                if i + mask.width < n { neighbours.append(i + mask.width) }
                for j in neighbours where label[j] >= 0 && label[j] < label[i] {
                    label[i] = label[j]
                    changed = true
                }
            }
        }
        let sizes = Dictionary(grouping: label.filter { $0 >= 0 }) { $0 }.mapValues(\.count)
        let best = sizes.max { ($0.value, -$0.key) < ($1.value, -$1.key) }!.key
        return label.map { $0 == best }
    }

    var averagePrecision: Double {
        var sum = 0.0
        for threshold in Set(values) {
            let reached = values.indices.filter { values[$0] >= threshold }
            let precision = Double(reached.count { mask.bits[$0] }) / Double(reached.count)
            sum += precision * Double(values.indices.count { values[$0] == threshold && mask.bits[$0] }) / Double(m)
        }
        return sum
    }

    var auroc: Double {
        var wins = 0.0
        for i in values.indices where mask.bits[i] {
            for j in values.indices where !mask.bits[j] {
                wins += values[i] > values[j] ? 1 : values[i] == values[j] ? 0.5 : 0
            }
        }
        return wins / Double(m * (n - m))
    }

    func massShare(_ values: [Float]) -> Double {
        let total = values.reduce(0.0) { $0 + Double($1) }
        return values.indices.reduce(0.0) { $0 + (mask.bits[$1] ? Double(values[$1]) : 0) } / total
    }

}

extension Mask {
    /// A mask from rows of "#" and ".".
    init(_ rows: String...) {
        self.init(width: rows[0].count, height: rows.count, bits: rows.joined().map { $0 == "#" })
    }

    init(width: Int, height: Int, where isOn: (Int, Int) -> Bool) {
        self.init(width: width, height: height, bits: (0..<width * height).map { isOn($0 / width, $0 % width) })
    }
}
