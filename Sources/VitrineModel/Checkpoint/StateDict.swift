import VitrineTensor

/// The tensors of one model under the names its code gave them: a nested dictionary chosen, wrappers' prefixes taken off.
public struct StateDict: Sendable {
    /// Name without prefixes and entry, in file order; names are unique.
    public let entries: [(name: String, entry: TensorEntry)]
    /// How it was found.
    public let selection: Selection
    /// The file's path, for messages.
    public let path: String
    /// Names that did not carry the prefixes that were taken off.
    let outside: Set<String>
    /// Names of the modules that the state dict was taken from, with their prefixes, where the file keeps them.
    let modules: Set<String>
    private let index: [String: Int]

    /// Where a state dict was found in its file and what else could have been taken.
    public struct Selection: Sendable, Equatable, CustomStringConvertible {
        /// The nested dictionary, such as `teacher`; empty for the outermost.
        public let key: String
        /// Prefixes taken off, outermost first.
        public let prefixes: [String]
        /// Tensors whose names carried the prefixes, and those that kept their names because they did not.
        public let strippedCount: Int
        public let untouchedCount: Int
        /// Other dictionaries that hold about as much: an override for `key:`.
        public let alternatives: [String]

        public var description: String {
            var text = key.isEmpty ? "the outermost dictionary" : "the dictionary '\(key)'"
            if !prefixes.isEmpty {
                text += ", without the prefix '\(prefixes.joined())' of \(strippedCount) of \(strippedCount + untouchedCount) names"
            }
            if !alternatives.isEmpty { text += "; also there: " + alternatives.map { "'\($0)'" }.joined(separator: ", ") }
            return text
        }
    }

    init(
        path: String, entries: [(name: String, entry: TensorEntry)], selection: Selection, outside: Set<String> = [],
        modules: Set<String> = []
    ) throws(CheckpointError) {
        var index: [String: Int] = [:]
        for (i, item) in entries.enumerated() {
            guard index.updateValue(i, forKey: item.name) == nil else { throw .duplicateName(path: path, tensor: item.name) }
        }
        self.path = path
        self.entries = entries
        self.selection = selection
        self.outside = outside
        self.modules = modules
        self.index = index
    }

    /// The names in file order.
    public var names: [String] { entries.map(\.name) }

    public subscript(name: String) -> TensorEntry? { index[name].map { entries[$0].entry } }

    /// The values of a tensor as Float32; see `TensorEntry.tensor()`.
    ///
    /// - Throws: `CheckpointError.noSuchTensor`.
    public func tensor(named name: String) throws(CheckpointError) -> Tensor {
        guard let entry = self[name] else { throw .noSuchTensor(path: path, tensor: name, count: entries.count) }
        return try entry.tensor()
    }
}
