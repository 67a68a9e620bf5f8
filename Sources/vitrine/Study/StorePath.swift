import VitrineStore
import VitrineStudy
import VitrineTensor

/// The store that an argument names: the file itself, or `results.sqlite` in a folder.
func storePath(_ argument: String) throws -> String {
    guard FileCollection.isFolder(argument) == true else { return argument }
    let stores = try StudyStores(folder: argument)
    guard stores.shards.isEmpty || stores.shards.contains(.whole) else {
        throw CommandFailure(
            "\(argument): holds the results of \(stores.shards.count) shards; join them first: vitrine study merge --study STUDY.yaml")
    }
    return argument + (argument.hasSuffix("/") ? "" : "/") + StudyShard.whole.fileName
}

/// All stores that arguments name: files, and in folders the whole and its shards.
func storePaths(_ arguments: [String]) throws -> [String] {
    try arguments.flatMap { argument in
        guard FileCollection.isFolder(argument) == true else { return [argument] }
        let paths = try StudyStores(folder: argument).paths
        guard !paths.isEmpty else { throw StoreError.missing(path: argument + "/" + StudyShard.whole.fileName) }
        return paths
    }
}
