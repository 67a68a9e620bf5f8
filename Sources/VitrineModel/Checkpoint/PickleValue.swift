import VitrineTensor

/// A value on the stack of the unpickler.
///
/// Containers are indices into the `PickleHeap`, so that shared and recursive structures cost nothing, nothing leaks, and freeing
/// a deep nest needs no deep recursion.
enum PickleValue {
    case none
    case bool(Bool)
    case int(Int)
    /// An integer beyond 63 bits; kept as data only.
    case largeInt(byteCount: Int)
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case global(PickleGlobal)
    case tuple(Int)
    case list(Int)
    case set(Int)
    case dictionary(Int)
    case object(Int)
    case storage(Int)
    case tensor(Int)

    /// The type as a Python programmer calls it, for messages.
    var typeName: String {
        switch self {
        case .none: "None"
        case .bool: "bool"
        case .int, .largeInt: "int"
        case .float: "float"
        case .string: "str"
        case .bytes: "bytes"
        case .global(let global): global.name
        case .tuple: "tuple"
        case .list: "list"
        case .set: "set"
        case .dictionary: "dict"
        case .object: "object"
        case .storage: "storage"
        case .tensor: "tensor"
        }
    }
}

/// What a pickle holds besides scalars; containers refer to each other by index.
struct PickleHeap {
    struct Dictionary {
        /// The class it was saved as; `nil` for a plain dict, which takes no further state.
        var className: String?
        var keys: [PickleValue] = []
        var values: [PickleValue] = []
        /// What stands beside the items: `_metadata` of a state dict.
        var attributes: PickleValue = .none
    }

    /// An instance of a class that is kept as data.
    struct Object {
        var className: String
        var arguments: PickleValue
        var state: PickleValue = .none
        /// The class is not in the table.
        var isForeign = false
        /// Items of an instance that is also a dictionary.
        var items: PickleValue = .none
    }

    /// One storage as the pickle declares it; nothing is checked yet.
    struct Storage {
        let key: String
        /// `nil` for untyped bytes.
        let type: ElementType?
        /// Elements, or bytes when untyped.
        let count: Int
    }

    struct Tensor {
        let storage: Int
        let type: ElementType
        let offset: Int
        let shape: [Int]
        let strides: [Int]
        /// A lazily negated view; its stored values have the wrong sign.
        let isNegated: Bool
    }

    var tuples: [[PickleValue]] = []
    var lists: [[PickleValue]] = []
    var sets: [[PickleValue]] = []
    var dictionaries: [Dictionary] = []
    var objects: [Object] = []
    var storages: [Storage] = []
    var tensors: [Tensor] = []

    mutating func tuple(_ items: [PickleValue]) -> PickleValue {
        tuples.append(items)
        return .tuple(tuples.count - 1)
    }

    mutating func list(_ items: [PickleValue]) -> PickleValue {
        lists.append(items)
        return .list(lists.count - 1)
    }

    mutating func set(_ items: [PickleValue]) -> PickleValue {
        sets.append(items)
        return .set(sets.count - 1)
    }

    mutating func dictionary(className: String? = nil) -> PickleValue {
        dictionaries.append(Dictionary(className: className))
        return .dictionary(dictionaries.count - 1)
    }

    mutating func object(_ className: String, _ arguments: PickleValue, isForeign: Bool = false) -> PickleValue {
        objects.append(Object(className: className, arguments: arguments, isForeign: isForeign))
        return .object(objects.count - 1)
    }

    /// The items of a tuple or a list; `nil` for all else.
    func items(_ value: PickleValue) -> [PickleValue]? {
        switch value {
        case .tuple(let i): tuples[i]
        case .list(let i): lists[i]
        default: nil
        }
    }
}
