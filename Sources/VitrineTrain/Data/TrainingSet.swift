import VitrineData
import VitrineImage
import VitrineTensor

/// The images of a run, each on its side of the split, checked before anything is trained.
public struct TrainingSet: Sendable {
    public let classNames: [String]
    /// The class of AUROC, sensitivity and specificity.
    public let positiveLabel: Int
    public private(set) var training: [Sample]
    public private(set) var validation: [Sample]
    public private(set) var test: [Sample]
    /// Copies of a picture under two labels, or on two sides of the data set's own split.
    public let notes: [DataNote]
    /// One line for each image that cannot be read and was left out.
    public private(set) var unreadable: [String] = []

    /// - Parameters:
    ///   - samples: with labels; without splits these are drawn, stratified, and by patient where patients are known.
    ///   - validation: further samples, to validate on; `samples` without splits are then all trained on, but for `testShare`.
    /// - Throws: `TrainingError` for a missing label or class, or a file on both sides; `DataError` for a patient on both sides.
    public init(
        samples: [Sample], classNames: [String], positiveLabel: Int?, validation: [Sample] = [], validationShare: Double, testShare: Double,
        splitSeed: UInt64
    ) throws {
        guard classNames.count >= 2 else { throw TrainingError.tooFewClasses(found: classNames.count) }
        if let sample = (samples + validation).first(where: { $0.label == nil }) { throw TrainingError.unlabelled(sample: sample.id) }
        let copies = ImageCopies((samples + validation).map(\.imagePath))
        var all = try copies.keepingTogether(samples) { samples in
            try Splits.complete(samples, validation: validation.isEmpty ? validationShare : 0, test: testShare, seed: splitSeed)
        }
        all += validation.map { sample in
            var sample = sample
            sample.split = .validation
            sample.id = "validation: " + sample.id
            return sample
        }
        // Before patients: an image on both sides is the plainer mistake.
        try copies.refuseTwoSides(all, own: samples.count)
        try Splits.check(all)
        notes = copies.notes(all, classNames)
        self.classNames = classNames
        self.positiveLabel = positiveLabel ?? classNames.count - 1
        training = all.filter { $0.split == .train }
        self.validation = all.filter { $0.split == .validation }
        test = all.filter { $0.split == .test }
        try checkClasses()
    }

    private func checkClasses() throws(TrainingError) {
        for (c, count) in counts.enumerated() where count == 0 {
            throw .emptyClass(name: classNames[c], samples: (validation + test).count { $0.label == c })
        }
    }

    /// The sides by name, in the order of use.
    public var sides: [(name: String, samples: [Sample])] { [("training", training), ("validation", validation), ("test", test)] }

    /// Patients among some samples; nil where none is known.
    static func patients(_ samples: [Sample]) -> Int? {
        let known = Set(samples.compactMap(\.patient))
        return known.isEmpty ? nil : known.count
    }

    /// What a reader wants to know before hours of training: images, patients and classes of each side, and what cannot be checked.
    public var facts: [String] {
        var lines = sides.filter { !$0.samples.isEmpty }.map { name, samples in
            let classes = classNames.indices.map { c in "\(samples.count { $0.label == c }) \(classNames[c])" }
            let patients = Self.patients(samples).map { " of \($0) patients" } ?? ""
            return "\(name): \(samples.count) images\(patients) (\(classes.joined(separator: ", ")))"
        }
        lines.append("positive class: \(classNames[positiveLabel])")
        if Self.patients(training + validation + test) == nil, !(validation + test).isEmpty {
            lines.append(
                "note: no patient is known; if some images show the same one, they may stand on both sides and the figures are too good")
        }
        return lines
    }

    /// The training images by place: each alone, or the images of each patient in order.
    func groups(byPatient: Bool) -> [[Int]] {
        guard byPatient else { return training.indices.map { [$0] } }
        var places: [String: Int] = [:]
        var groups: [[Int]] = []
        for (i, sample) in training.enumerated() {
            if let patient = sample.patient, let place = places[patient] {
                groups[place].append(i)
            } else {
                if let patient = sample.patient { places[patient] = groups.count }
                groups.append([i])
            }
        }
        return groups
    }

    /// Training images of each class.
    public var counts: [Int] {
        var counts = [Int](repeating: 0, count: classNames.count)
        for sample in training { counts[sample.label!] += 1 }
        return counts
    }

    /// Reads every image once; those that cannot be read are left out and listed.
    ///
    /// - Parameter isStrict: an unreadable image is an error instead.
    public mutating func leaveOutUnreadable(store: ImageStore, workers: Int, isStrict: Bool) throws {
        let all = training + validation + test
        let problems = IndexedResults<String>()
        try parallelFor(all.count, workers: workers) { _, i in
            do { _ = try store.prepared(all[i]) } catch { problems.store("\(error)", at: i) }
        }
        let found = problems.sorted
        guard let first = found.first else { return }
        if isStrict { throw TrainingError.unreadableImages(count: found.count, first: first.value) }
        let bad = Set(found.map { all[$0.index].id })
        training.removeAll { bad.contains($0.id) }
        validation.removeAll { bad.contains($0.id) }
        test.removeAll { bad.contains($0.id) }
        unreadable = found.map(\.value)
        try checkClasses()
    }

    /// A hash of who is in the run and where: FNV-1a over ids, labels and sides. A resumed run must have the same.
    public var fingerprint: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for (side, samples) in [("train", training), ("validation", validation), ("test", test)] {
            for sample in samples {
                for byte in "\(side)\u{0}\(sample.id)\u{0}\(sample.label ?? -1)\u{0}".utf8 {
                    hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
                }
            }
        }
        return String(hash, radix: 16)
    }
}
