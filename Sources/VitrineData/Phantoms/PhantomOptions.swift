/// How hard a task's lesions are to see; 1 everywhere is the task as it is described.
public struct PhantomOptions: Sendable, Equatable, Codable {
    public enum Name: String, Sendable, CaseIterable {
        case size, contrast, number
    }

    /// Factor of the lesions' areas, 0.1...4.
    public var size = 1.0
    /// How much of its difference from the picture without it a lesion keeps, 0...1.
    public var contrast = 1.0
    /// Lesions of each kind, 1...4; all of one kind are one part.
    public var number = 1

    public init(size: Double = 1, contrast: Double = 1, number: Int = 1) {
        self.size = size
        self.contrast = contrast
        self.number = number
    }

    /// - Throws: `PhantomError` for a value out of range, and for an option that the task does not take.
    func check(_ task: PhantomTask) throws(PhantomError) {
        func check(_ name: Name, _ value: Double, _ range: ClosedRange<Double>) throws(PhantomError) {
            guard range.contains(value) else { throw .option(name, value: value, allowed: range) }
            guard value == 1 || task.generator.takes.contains(name) else {
                throw .notTaken(name, task: task, takers: PhantomTask.allCases.filter { $0.generator.takes.contains(name) })
            }
        }
        try check(.size, size, 0.1...4)
        try check(.contrast, contrast, 0...1)
        try check(.number, Double(number), 1...4)
    }
}
