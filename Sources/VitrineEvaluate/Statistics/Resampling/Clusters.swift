/// Which images belong to which patient: the unit of analysis of every statistic.
public struct Clusters: Sendable, Equatable {
    /// The patient of every image, numbered 0..<count in order of first appearance.
    public let index: [Int]
    /// Number of patients.
    public let count: Int

    /// Groups images by patient identifier.
    public init(_ patients: some Sequence<some Hashable>) {
        self.init(numbering: Array(patients))
    }

    /// Every image is its own patient, for data sets that do not name patients.
    public init(independent count: Int) {
        index = Array(0..<count)
        self.count = count
    }

    private init<Patient: Hashable>(numbering patients: [Patient]) {
        var numbers: [Patient: Int] = [:]
        var index: [Int] = []
        index.reserveCapacity(patients.count)
        for patient in patients {
            let next = numbers.count
            index.append(numbers[patient, default: next])
            if index[index.count - 1] == next { numbers[patient] = next }
        }
        self.index = index
        count = numbers.count
    }

    /// Number of images of every patient.
    public var sizes: [Int] {
        var sizes = [Int](repeating: 0, count: count)
        for c in index { sizes[c] += 1 }
        return sizes
    }

    /// The sum of `values` over the images of every patient.
    public func sums(_ values: [Double]) -> [Double] {
        precondition(values.count == index.count, "one value per image")
        var sums = [Double](repeating: 0, count: count)
        for (c, value) in zip(index, values) { sums[c] += value }
        return sums
    }

    /// The clusters of some of the images, renumbered.
    public func subset(_ images: [Int]) -> Clusters { Clusters(images.map { index[$0] }) }
}
