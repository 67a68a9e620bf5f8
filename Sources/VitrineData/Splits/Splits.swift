import VitrineTensor

/// Which samples train, which choose the epoch, and which are kept for the result.
public enum Splits {
    /// Refuses a split in which a patient is on more than one side.
    ///
    /// - Throws: `DataError.patientOnBothSides`, naming the patient and one sample on either side.
    public static func check(_ samples: [Sample]) throws(DataError) {
        var seen: [String: (split: Split, sample: String)] = [:]
        for sample in samples {
            guard let patient = sample.patient, let split = sample.split else { continue }
            guard let first = seen[patient] else {
                seen[patient] = (split, sample.id)
                continue
            }
            guard first.split == split else {
                throw .patientOnBothSides(
                    patient: patient, firstSplit: first.split, firstSample: first.sample, secondSplit: split, secondSample: sample.id)
            }
        }
    }

    /// The samples, each with a split: the data set's own where it has one, drawn where it has none.
    ///
    /// A data set with training and test samples but no validation keeps its test samples; validation is drawn from the training samples,
    /// where `validation` is its share.
    ///
    /// - Parameters:
    ///   - validation: share of the validation samples, 0..<1.
    ///   - test: share of the test samples, 0..<1; not used when the data set has a split of its own.
    /// - Throws: `DataError` when a patient is on both sides, when only some samples have a split, or when the shares are impossible.
    public static func complete(_ samples: [Sample], validation: Double, test: Double, seed: UInt64) throws(DataError) -> [Sample] {
        guard let assigned = samples.first(where: { $0.split != nil }) else {
            return try drawn(samples, validation: validation, test: test, seed: seed)
        }
        if let missing = samples.first(where: { $0.split == nil }) {
            throw .incompleteSplit(withSplit: assigned.id, without: missing.id)
        }
        try check(samples)
        if validation == 0 || samples.contains(where: { $0.split == .validation }) { return samples }
        let training = samples.indices.filter { samples[$0].split == .train }
        let redrawn = try drawn(training.map { samples[$0] }, validation: validation, test: 0, seed: seed)
        var result = samples
        for (position, sample) in zip(training, redrawn) { result[position].split = sample.split }
        return result
    }

    /// Draws a split, stratified by label and by patient: all samples of a patient come to one side.
    ///
    /// The draw depends on the seed and the names of patients and samples only, not on their order.
    ///
    /// - Throws: `DataError` when the shares leave nothing to train on, or when there are fewer patients than sides.
    public static func drawn(_ samples: [Sample], validation: Double, test: Double, seed: UInt64) throws(DataError) -> [Sample] {
        guard validation >= 0, test >= 0, validation + test < 1 else { throw .badShare(validation: validation, test: test) }
        let shares = [1 - validation - test, validation, test]
        let groups = PatientGroups(samples, seed: seed, purpose: "draw")
        let parts = shares.count { $0 > 0 }
        guard groups.members.count >= parts else { throw .tooFewPatients(found: groups.members.count, needed: parts) }
        var result = samples
        for (group, part) in zip(groups.members, groups.dealt(shares: shares)) {
            for i in group { result[i].split = Split.allCases[part] }
        }
        return result
    }

    /// Deals the samples to `folds` parts, stratified by label and by patient, for cross-validation.
    ///
    /// - Returns: the fold of each sample, 0..<folds.
    /// - Throws: `DataError.tooFewPatients` when some fold would be empty.
    public static func folds(_ samples: [Sample], count folds: Int, seed: UInt64) throws(DataError) -> [Int] {
        precondition(folds >= 2, "cross-validation needs at least two folds")
        let groups = PatientGroups(samples, seed: seed, purpose: "folds")
        guard groups.members.count >= folds else { throw .tooFewPatients(found: groups.members.count, needed: folds) }
        var result = [Int](repeating: 0, count: samples.count)
        let dealt = groups.dealt(shares: [Double](repeating: 1 / Double(folds), count: folds))
        for (group, part) in zip(groups.members, dealt) { for i in group { result[i] = part } }
        return result
    }

    /// The samples with fold `fold` as the test side, the next one as validation, and the rest to train on.
    public static func crossValidation(
        _ samples: [Sample], fold: Int, of folds: Int, withValidation: Bool, seed: UInt64
    ) throws(DataError) -> [Sample] {
        precondition(fold >= 0 && fold < folds, "fold \(fold) of \(folds)")
        precondition(!withValidation || folds >= 3, "a validation fold needs at least three folds")
        let dealt = try self.folds(samples, count: folds, seed: seed)
        var result = samples
        for i in samples.indices {
            result[i].split = dealt[i] == fold ? .test : withValidation && dealt[i] == (fold + 1) % folds ? .validation : .train
        }
        return result
    }
}
