/// A phantom set that cannot be made as asked.
public enum PhantomError: Error, CustomStringConvertible, Equatable {
    case count(Int)
    case patients(Int, count: Int)
    case unmatched(patients: Int, count: Int)
    case rate(option: String, value: Double)
    case shortcut(text: String)
    case option(PhantomOptions.Name, value: Double, allowed: ClosedRange<Double>)
    case notTaken(PhantomOptions.Name, task: PhantomTask, takers: [PhantomTask])
    case part(String, task: PhantomTask)

    public var description: String {
        switch self {
        case .count(let count): "--count \(count): ask for 1 to 1000000 phantoms"
        case .patients(let patients, let count): "--patients \(patients): ask for 1 to --count (\(count)) patients"
        case .unmatched(let patients, let count):
            "--matched with --patients \(patients): a patient needs two of the \(count) images; ask for at most \((count + 1) / 2) patients"
        case .rate(let option, let value): "--\(option): the rate \(value) is outside 0...1"
        case .option(let name, let value, let allowed):
            "--\(name.rawValue) \(value): ask for \(allowed.lowerBound) to \(allowed.upperBound)"
        case .notTaken(let name, let task, let takers):
            "--\(name.rawValue): \(task.rawValue) does not take it; these do: \(takers.map(\.rawValue).joined(separator: ", "))"
        case .part(let text, let task):
            "--without \(text): images of \(task.rawValue) have no such part; parts are "
                + PhantomPart.allCases.map(\.rawValue).joined(separator: ", ")
        case .shortcut(let text):
            "--shortcut \(text): write TAG:RATE, such as letter:1.0; tags are "
                + PhantomShortcut.Tag.allCases.map(\.rawValue).joined(separator: ", ")
        }
    }
}
