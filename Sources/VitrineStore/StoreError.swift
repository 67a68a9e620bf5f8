/// What can be wrong with a result store.
public enum StoreError: Error, Equatable, CustomStringConvertible {
    case missing(path: String)
    case cannotOpen(path: String, reason: String)
    case notAStore(path: String)
    case version(path: String, found: Int, expected: Int)
    case damaged(path: String, table: String, reason: String)
    case cannotWrite(path: String, reason: String)
    /// A store is to be made where a file is already.
    case exists(path: String)
    /// A write-ahead log lies beside a store that has none.
    case foreignLog(path: String)
    /// Another process is writing it.
    case inUse(path: String)
    /// The store belongs to another study; `differences` names what differs.
    case otherStudy(path: String, differences: [String])
    /// Two stores to be merged hold different results for the same thing.
    case conflict(first: String, second: String, table: String, row: String)

    public var description: String {
        switch self {
        case .missing(let path): "\(path): there is no result store; run the study first, or check the path"
        case .cannotOpen(let path, let reason): "\(path): cannot be opened (\(reason)); check the folder and its permissions"
        case .notAStore(let path): "\(path): is no result store of Vitrine; name the .sqlite file that `vitrine study run` wrote"
        case .version(let path, let found, let expected):
            "\(path): is a store of version \(found), this Vitrine reads version \(expected); bring Vitrine up to date"
        case .damaged(let path, let table, let reason):
            "\(path)\(table.isEmpty ? "" : ", table \(table)"): \(reason); the file is damaged: restore it, or move it away and run the study again"
        case .cannotWrite(let path, let reason): "\(path): cannot be written (\(reason)); is the disk full?"
        case .exists(let path): "\(path): exists; name another file, or move it away"
        case .foreignLog(let path):
            "\(path)-wal: is the log of another store, which SQLite would mix into \(path); move it away"
        case .inUse(let path): "\(path): another process is running this study; wait for it, or stop it first"
        case .otherStudy(let path, let differences):
            "\(path): holds the results of another study (\(differences.joined(separator: "; "))); choose another output"
        case .conflict(let first, let second, let table, let row):
            "\(first) and \(second): disagree in table \(table), \(row); they do not come from the same study and inputs"
        }
    }
}
