import VitrineStudy

/// The store that an argument names: the file itself, or `results.sqlite` in a folder.
func storePath(_ argument: String) -> String {
    guard FileCollection.isFolder(argument) == true else { return argument }
    return argument + (argument.hasSuffix("/") ? "" : "/") + StudyShard.whole.fileName
}
