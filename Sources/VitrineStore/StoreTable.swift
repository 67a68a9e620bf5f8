import GRDB

/// A table whose content a report depends on.
struct StoreTable: Hashable, Sendable {
    let name: String
    /// The columns that put its rows in order.
    let order: String
    /// Whether its rows are sealed model by model, and image by image, rather than all together.
    let byModel: Bool
    let bySample: Bool

    /// The view of the rows that the plan of today names, with places in the plan for ids.
    var current: String { "current_" + name }

    init(_ name: String, order: String, byModel: Bool = false, bySample: Bool = false) {
        self.name = name
        self.order = order
        self.byModel = byModel
        self.bySample = bySample
    }

    /// Where the ids that seals go by stand in a row.
    struct Positions {
        let model: Int?
        let sample: Int?
    }

    func positions(_ db: Database) throws -> Positions {
        guard byModel || bySample else { return Positions(model: nil, sample: nil) }
        let columns = try db.columns(in: name).map(\.name)
        return Positions(
            model: byModel ? columns.firstIndex(of: "model_id") : nil, sample: bySample ? columns.firstIndex(of: "sample_id") : nil)
    }
}
