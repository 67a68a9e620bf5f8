/// The class whose evidence is explained, and how it was found.
struct PositiveClass {
    let label: Int?
    /// Nobody named it, and the names of the classes do not say.
    let isAssumed: Bool
    let note: DataNote?

    static let option = DatasetOption(
        name: "positive", summary: "class whose evidence is explained", standard: "of two the one that is not normal, else the last")

    /// The option `positive`; else, of two classes of which exactly one is named like a finding's absence, the other; else the last one.
    ///
    /// - Throws: `DataError.unclearPositive` when the last one is named like a finding's absence and that decides nothing.
    init(_ options: DatasetOptions, _ classes: [String], path: String) throws(DataError) {
        if let name = options["positive"] {
            guard let label = classes.firstIndex(of: name) else {
                throw options.bad("positive", "one of " + classes.joined(separator: ", "))
            }
            (self.label, isAssumed, note) = (label, false, nil)
            return
        }
        guard let last = classes.indices.last else {
            (label, isAssumed, note) = (nil, false, nil)
            return
        }
        let absent = classes.indices.filter { Self.isAbsence(classes[$0]) }
        if classes.count == 2 && absent.count == 1 {
            label = 1 - absent[0]
            isAssumed = false
            let (name, other) = (oneLine(classes[1 - absent[0]]), oneLine(classes[absent[0]]))
            note = .remark("\(oneLine(path)): positive class '\(name)', since the other is '\(other)'")
            return
        }
        guard !absent.contains(last) || classes.count == 1 else { throw .unclearPositive(path: path, classes: classes) }
        label = last
        isAssumed = true
        let line = "\(oneLine(path)): positive class '\(oneLine(classes[last]))', the last of \(classes.count); positive= names another"
        note = classes.count == 1 ? nil : .remark(line)
    }

    /// Whether a class is named like the absence of a finding.
    static func isAbsence(_ name: String) -> Bool {
        let words = name.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }).map(String.init)
        guard let first = words.first else { return false }
        if ["no", "non", "not", "without"].contains(first) { return true }
        return words.count == 1
            && [
                "normal", "healthy", "benign", "negative", "neg", "none", "control", "controls", "background", "absent", "nofinding",
                "nofindings", "clean", "0", "false", "normals",
            ].contains(first)
    }
}
