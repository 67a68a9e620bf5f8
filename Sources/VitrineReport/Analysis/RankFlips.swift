import VitrineEvaluate
import VitrineStore

/// The order of the methods of one model by every metric, and what turns it: metric, protocol, removal rule, and settings of a method.
struct RankFlips {
    struct Row {
        var metric: MetricRecord
        /// 1 is best, ties share their mean; nil where the method has no value.
        var ranks: [Double?]
        /// Kendall's tau-b with the study's primary metric, over methods that have a value by both.
        var tau: Double
        /// How many methods are shown to beat chance, of how many that were tested: an order of methods of which none is may be one of noise.
        var beating: (count: Int, tested: Int)

        var title: String { "\(metric.name) (\(metric.protocolName))" }
    }

    /// Settings of one thing that somebody has to choose, and which method each puts first.
    struct Choice {
        var name: String
        var settings: [Setting]

        struct Setting {
            var name: String
            var first: [Int]
            /// No method was shown to beat chance under it, though some were tested.
            var tellsNothing: Bool
        }

        var flips: Bool { Set(settings.map(\.first)).count > 1 }
    }

    let dataset: DatasetAnalysis
    let model: ModelRecord
    let methodIDs: [Int]
    let rows: [Row]
    /// Protocols of a metric, and removal rules of a curve.
    let choices: [Choice]
    /// Methods that differ in a setting alone, or in the sign of a projection.
    let variants: [[Int]]

    /// - Returns: nil unless two metrics order two methods.
    init?(_ study: StudyAnalysis, _ dataset: DatasetAnalysis, _ model: ModelRecord) {
        self.dataset = dataset
        self.model = model
        let methods = study.explainers.map(\.id)
        methodIDs = methods
        func values(_ metric: MetricAnalysis) -> [Double?] {
            let sign = metric.metric.better.sign ?? 0
            return methods.map { id in metric.cell(model: model.id, method: id).map { sign * $0.value } }
        }
        let primary = dataset.metric(study.primary.name, study.primary.protocolName).map(values) ?? []
        rows = dataset.metrics.filter { $0.metric.better != .none }.compactMap { metric in
            let own = values(metric)
            guard own.count(where: { $0 != nil }) > 1 else { return nil }
            let both = zip(own, primary).compactMap { a, b in a.flatMap { a in b.map { (a, $0) } } }
            let adjusted = methods.compactMap { metric.cell(model: model.id, method: $0)?.chanceAdjusted }
            return Row(
                metric: metric.metric, ranks: Self.ranks(own), tau: kendallTauB(both.map(\.0), both.map(\.1)),
                beating: (adjusted.count { $0 < StudyAnalysis.alpha }, adjusted.count))
        }
        guard rows.count > 1 else { return nil }
        choices = Self.protocols(rows, methods) + Self.removals(rows, methods)
        variants = Self.variants(study.explainers)
    }

    private static func ranks(_ values: [Double?]) -> [Double?] {
        values.map { own in
            guard let own else { return nil }
            let known = values.compactMap { $0 }
            return 1 + Double(known.count { $0 > own }) + Double(known.count { $0 == own } - 1) / 2
        }
    }

    private static func setting(_ name: String, _ row: Row, _ methods: [Int]) -> Choice.Setting {
        let best = row.ranks.compactMap { $0 }.min()
        return Choice.Setting(
            name: name, first: zip(methods, row.ranks).filter { $0.1 != nil && $0.1 == best }.map(\.0),
            tellsNothing: row.beating.tested > 0 && row.beating.count == 0)
    }

    private static func protocols(_ rows: [Row], _ methods: [Int]) -> [Choice] {
        let names = rows.map(\.metric.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return names.compactMap { name in
            let own = rows.filter { $0.metric.name == name }
            guard own.count > 1 else { return nil }
            return Choice(name: "protocol of \(name)", settings: own.map { setting($0.metric.protocolName, $0, methods) })
        }
    }

    /// Metrics that are equal but for `removal=`.
    private static func removals(_ rows: [Row], _ methods: [Int]) -> [Choice] {
        func parts(_ name: String) -> (rest: String, removal: String) {
            let halves = name.split(separator: ":", maxSplits: 1).map(String.init)
            let options = (halves.count > 1 ? halves[1] : "").split(separator: ",").map(String.init)
            let removal = options.first { $0.hasPrefix("removal=") }?.dropFirst("removal=".count)
            let rest = ([halves[0]] + options.filter { !$0.hasPrefix("removal=") }).joined(separator: " ")
            return (rest, removal.map(String.init) ?? "drop")
        }
        var groups: [(rest: String, settings: [Choice.Setting])] = []
        for row in rows where MetricRegistry.facts(row.metric.name)?.options.contains(where: { $0.hasPrefix("removal=") }) == true {
            let (rest, removal) = parts(row.metric.name)
            let setting = setting(removal, row, methods)
            if let at = groups.firstIndex(where: { $0.rest == rest }) {
                groups[at].settings.append(setting)
            } else {
                groups.append((rest, [setting]))
            }
        }
        return groups.filter { $0.settings.count > 1 }.map { Choice(name: "removal rule of \($0.rest)", settings: $0.settings) }
    }

    /// Grad-CAM and its projections, whose sign somebody has to choose, are settings of one method.
    private static func variants(_ methods: [MethodRecord]) -> [[Int]] {
        let projections: Set<String> = ["gradcam", "gradcam-eigen", "gradcam-study"]
        let keys = methods.map { projections.contains($0.identifier) ? "gradcam" : $0.identifier }
        let order = keys.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return order.map { key in zip(keys, methods).filter { $0.0 == key }.map(\.1.id) }.filter { $0.count > 1 }
    }
}
