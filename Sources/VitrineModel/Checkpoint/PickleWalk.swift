/// Gathers the tensors of an unpickled value by the dictionaries they are in, and describes the rest.
///
/// Depth and work are bounded: a few bytes of pickle can spell a value that contains itself, a tower of lists each holding the last
/// one twice, or a long key over a thousand values.
struct PickleWalk {
    static let maximumDepth = 64
    static let maximumVisits = 1_000_000
    /// Values that are no tensors and are kept for display; further ones are only counted among the visits.
    static let maximumOpaque = 4096

    struct Group {
        let path: [String]
        var tensors: [(key: String, index: Int)] = []
        /// Names of the modules whose state it is, where PyTorch kept them.
        var modules: Set<String> = []
    }

    private(set) var groups: [Group] = []
    private(set) var opaque: [OpaqueEntry] = []
    private let heap: PickleHeap
    private var visits = 0
    /// Instances that were entered: those that point back at their parents are entered once.
    private var entered = Set<Int>()

    init(heap: PickleHeap) { self.heap = heap }

    mutating func visit(_ root: PickleValue, path: [String]) throws(TorchFault) {
        if case .tensor(let i) = root {
            // A file that is one tensor.
            groups.append(Group(path: path, tensors: [("tensor", i)]))
        } else {
            try descend(root, path)
        }
    }

    private mutating func descend(_ value: PickleValue, _ path: [String]) throws(TorchFault) {
        try count(path)
        guard path.count <= Self.maximumDepth else {
            throw .nestedTooDeeply(name: path.joined(separator: "/"), maximum: Self.maximumDepth)
        }
        switch value {
        case .dictionary(let i):
            let dictionary = heap.dictionaries[i]
            try descend(zip(dictionary.keys, dictionary.values).map { (keyText($0), $1) }, path, modules: modules(of: dictionary))
        case .list(let i): try descendSequence(heap.lists[i], "list", path)
        case .tuple(let i): try descendSequence(heap.tuples[i], "tuple", path)
        case .set(let i): note(path, "set", "\(heap.sets[i].count) items")
        case .object(let i):
            let object = heap.objects[i]
            guard entered.insert(i).inserted else { return }
            if case .dictionary(let k) = object.items {
                let items = heap.dictionaries[k]
                try descend(zip(items.keys, items.values).map { (keyText($0), $1) }, path)
            } else if isModule(object) {
                // Its tensors are no state dict: they lie in dictionaries of its own making.
                note(path, object.className, "a module, not looked into")
            } else if case .dictionary(let k) = object.state {
                note(path, object.className, "")
                let state = heap.dictionaries[k]
                try descend(zip(state.keys, state.values).map { (keyText($0), $1) }, path)
            } else {
                note(path, object.className, summary(of: object.arguments))
            }
        case .tensor, .storage, .none, .bool, .int, .largeInt, .float, .string, .bytes, .global:
            note(path, value.typeName, text(value))
        }
    }

    /// The members of a container: its own tensors form a group, which comes before those of its members.
    private mutating func descend(
        _ members: [(key: String, value: PickleValue)], _ path: [String], modules: Set<String> = []
    ) throws(TorchFault) {
        var group = Group(path: path, modules: modules)
        for (key, value) in members {
            if case .tensor(let i) = value {
                try count(path, key)
                group.tensors.append((key, i))
            }
        }
        if !group.tensors.isEmpty { groups.append(group) }
        for (key, value) in members {
            if case .tensor = value { continue }
            try descend(value, path + [key])
        }
    }

    private mutating func descendSequence(_ items: [PickleValue], _ type: String, _ path: [String]) throws(TorchFault) {
        visits += items.count / 16
        let isPlain = items.allSatisfy { item in
            switch item {
            case .dictionary, .list, .tuple, .object, .tensor: false
            default: true
            }
        }
        if isPlain {
            // The text of a long list costs more than the list; beyond the last entry that is kept, nobody reads it.
            if opaque.count < Self.maximumOpaque { note(path, type, summary(of: items)) }
        } else {
            try descend(items.enumerated().map { (String($0.offset), $0.element) }, path)
        }
    }

    /// Counts a visit, a long name as several: names are copied.
    private mutating func count(_ path: [String], _ key: String = "") throws(TorchFault) {
        visits += 1 + path.reduce(key.utf8.count) { $0 + $1.utf8.count } / 64
        guard visits <= Self.maximumVisits else { throw .tooManyValues(maximum: Self.maximumVisits) }
    }

    /// A pickled `torch.nn.Module`, by the dictionaries that every one has.
    private func isModule(_ object: PickleHeap.Object) -> Bool {
        guard object.isForeign, case .dictionary(let i) = object.state else { return false }
        let names = heap.dictionaries[i].keys.compactMap { if case .string(let name) = $0 { name } else { nil } }
        return names.contains("_modules") && names.contains("_parameters")
    }

    /// The keys of `_metadata`, which `state_dict()` writes for every module, with parameters or without.
    private func modules(of dictionary: PickleHeap.Dictionary) -> Set<String> {
        guard case .dictionary(let i) = dictionary.attributes else { return [] }
        let attributes = heap.dictionaries[i]
        for (key, value) in zip(attributes.keys, attributes.values) {
            if case .string("_metadata") = key, case .dictionary(let k) = value {
                return Set(heap.dictionaries[k].keys.prefix(100_000).compactMap { if case .string(let name) = $0 { name } else { nil } })
            }
        }
        return []
    }

    private mutating func note(_ path: [String], _ type: String, _ text: String) {
        guard opaque.count < Self.maximumOpaque else { return }
        opaque.append(OpaqueEntry(name: path.joined(separator: "/"), type: type, text: text))
    }

    private func keyText(_ key: PickleValue) -> String {
        if case .string(let text) = key { return text }
        let text = text(key)
        return text.isEmpty ? key.typeName : text
    }

    private func summary(of value: PickleValue) -> String { heap.items(value).map(summary) ?? text(value) }

    private func summary(of items: [PickleValue]) -> String {
        let first = items.prefix(8).map(text).joined(separator: ", ")
        return items.count > 8 ? "\(first), ... (\(items.count) items)" : first
    }

    private func text(_ value: PickleValue) -> String {
        switch value {
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .int(let value): String(value)
        case .largeInt(let byteCount): "an integer of \(byteCount) bytes"
        case .float(let value): "\(value)"
        case .string(let value): value.utf8.count > 200 ? String(value.prefix(200)) + "..." : value
        case .bytes(let value): "\(value.count) bytes"
        case .global(let global): global.name
        default: ""
        }
    }
}
