/// A trust run that cannot be made as asked.
public enum TrustError: Error, Equatable, CustomStringConvertible {
    case unknownTask(String, known: [String])
    case badTask(String, reason: String)
    case otherRun(folder: String, field: String, then: String, now: String)
    case damaged(path: String)
    case nothingToScore(task: String)

    public var description: String {
        switch self {
        case .unknownTask(let name, let known):
            "there is no phantom task '\(name)'; tasks are \(known.joined(separator: ", ")), with options such as colon:size=0.5,contrast=0.8"
        case .badTask(let text, let reason): "task '\(text)': \(reason)"
        case .otherRun(let folder, let field, let then, let now):
            "\(folder): holds a run with \(field) \(then), this one has \(now); choose another output, or remove the folder"
        case .damaged(let path): "\(path): cannot be read; remove it to have it made again"
        case .nothingToScore(let task): "task '\(task)': no positive image is called what it is, so that no map can be scored"
        }
    }
}
