import Synchronization
import VitrineImage
import VitrineStore
import VitrineTensor

/// How often each pixel is lesion in the masks of a data set: the control that knows where lesions usually are.
///
/// A patient's own masks are taken out before the map is made, so that the control does not know the answer.
final class MaskPrior: Sendable {
    let record: MaskPriorRecord
    private let plan: StudyPlan
    private let source: StudyPlan.DatasetSource
    /// Samples by patient, where the data set tells.
    private let members: [String: [Int]]
    private let recent = Mutex<[(patient: String, sums: Sums)]>([])

    private struct Sums: Sendable {
        var masks = 0
        var counts: [Int32] = []

        /// Masks of another size have no common place with these and are left out.
        mutating func add(_ mask: Mask) {
            if counts.isEmpty { counts = [Int32](repeating: 0, count: mask.bits.count) }
            guard counts.count == mask.bits.count else { return }
            for i in counts.indices where mask.bits[i] { counts[i] += 1 }
            masks += 1
        }
    }

    init(_ record: MaskPriorRecord, plan: StudyPlan, source: StudyPlan.DatasetSource) {
        self.record = record
        self.plan = plan
        self.source = source
        var members: [String: [Int]] = [:]
        for id in source.ids(.score) {
            if let patient = source.sample(id).patient { members[patient, default: []].append(id) }
        }
        self.members = members
    }

    /// Counts all masks of a data set as its preprocessing shows them; masks that cannot be read are left out.
    ///
    /// - Throws: `InputFailure` when the masks differ in size, so that there is no common place to count at.
    static func count(_ plan: StudyPlan, _ source: StudyPlan.DatasetSource, workers: Int) throws -> MaskPriorRecord {
        let ids = source.ids(.score)
        let state = Mutex<(sums: Sums, sizes: [Int: (height: Int, width: Int)])>((Sums(), [:]))
        try parallelFor(ids.count, workers: workers) { _, i in
            guard let mask = (try? plan.input(ids[i], of: source, preprocess: source.preprocess))?.mask else { return }
            state.withLock { state in
                state.sizes[i] = (mask.height, mask.width)
                if state.sums.counts.isEmpty || state.sums.counts.count == mask.bits.count { state.sums.add(mask) }
            }
        }
        return try state.withLock { state in
            let sizes = state.sizes.sorted { $0.key < $1.key }
            guard let (first, size) = sizes.first else {
                throw InputFailure(stage: .mask, message: "mask-prior: no mask of data set '\(source.settings.name)' can be read")
            }
            if let (other, odd) = sizes.first(where: { $0.value != size }) {
                throw InputFailure(
                    stage: .mask,
                    message:
                        "mask-prior: '\(source.samples[ids[first] - source.firstSample].id)' is seen at \(size.width) x \(size.height) "
                        + "and '\(source.samples[ids[other] - source.firstSample].id)' at \(odd.width) x \(odd.height); "
                        + "choose a preprocess that brings all images to one size")
            }
            return MaskPriorRecord(
                datasetID: source.id, masks: state.sums.masks, height: size.height, width: size.width, counts: state.sums.counts,
                preprocess: "\(source.preprocess)")
        }
    }

    /// The share of the other patients' masks in which each pixel is lesion; zeros when there is no other patient.
    ///
    /// - Returns: nil for a mask of another size than those that were counted.
    func map(without sample: Int, mask: Mask) -> HeatMap? {
        guard mask.height == record.height, mask.width == record.width else { return nil }
        let own = sums(of: sample, mask: mask)
        guard own.counts.count == record.counts.count else { return nil }
        let masks = Float(max(1, record.masks - own.masks))
        let values = record.counts.indices.map { Float(max(0, record.counts[$0] - own.counts[$0])) / masks }
        return HeatMap(
            rows: record.height, columns: record.width, values: values, height: record.height, width: record.width, display: .finished)
    }

    private func sums(of sample: Int, mask: Mask) -> Sums {
        guard let patient = source.sample(sample).patient, let ids = members[patient], ids.count > 1 else {
            var sums = Sums()
            sums.add(mask)
            return sums
        }
        if let known = recent.withLock({ $0.first { $0.patient == patient }?.sums }) { return known }
        var sums = Sums()
        for id in ids {
            let other = id == sample ? mask : (try? plan.input(id, of: source, preprocess: source.preprocess))?.mask
            if let other { sums.add(other) }
        }
        // Images of a patient stand side by side in most data sets: a few patients are enough to read each mask once.
        recent.withLock { recent in
            recent.append((patient, sums))
            if recent.count > 16 { recent.removeFirst() }
        }
        return sums
    }
}
