import VitrineEvaluate

extension StudyPlan {
    /// A line for each data set on which no map could be shown to localise, however good: known before anything is computed.
    ///
    /// Counts what the report will count: patients (images where none is known), and every method under every model that is no control.
    public var powerWarnings: [String] {
        let methods = file.methods.count { !$0.isControl }
        let hasCentre = file.methods.contains { $0.identifier == "centre" }
        return sources.compactMap { source in
            let models = store.models.count { $0.datasetID == source.id && ($0.kind == .checkpoint || $0.kind == .trained) }
            guard methods * models > 0 else { return nil }
            let samples = source.ids(.score).map { source.sample($0) }
            let hasPatients = samples.contains { $0.patient != nil }
            let units = Set(samples.map { $0.patient.map { "patient \($0)" } ?? "image \($0.id)" }).count
            let power = TestPower(units: units, tests: methods * models, isTwoSided: hasCentre, level: 0.05)
            guard !power.canTell else { return nil }
            let maps = power.tests == 1 ? "the map" : "any of \(power.tests) maps"
            let unit = hasPatients ? "patient" : "image"
            return
                "\(source.settings.name) has \(units) \(unit)\(units == 1 ? "" : "s"), too few to show that \(maps) localises, "
                + "however good: at least \(power.needed) \(unit)s are needed"
        }
    }
}
