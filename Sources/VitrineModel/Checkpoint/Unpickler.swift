import VitrineTensor

/// Reads the pickles that `torch.save` writes, protocols 2 to 5, into plain data.
///
/// A small stack machine (https://github.com/python/cpython/blob/main/Lib/pickletools.py describes the operations). Each operation
/// checks the type of each operand; names are looked up in `PickleGlobal`'s table; nothing is imported, called or executed. Every
/// operation is charged for the values it makes or copies and the sum is bounded, hence so is the memory, about a hundred bytes a step.
struct Unpickler {
    static let maximumBytes = 64 << 20
    static let maximumSteps = 4_000_000

    private(set) var heap = PickleHeap()
    private let bytes: [UInt8]
    private var position = 0
    /// Where the operation at hand began, for messages.
    private var operation = 0
    private var stack: [PickleValue] = []
    /// Heights of the stack at which marks lie.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var steps = 0

    /// Reads one pickle, which must fill `bytes`.
    static func read(_ bytes: [UInt8]) throws(PickleFault) -> (root: PickleValue, heap: PickleHeap) {
        guard bytes.count <= maximumBytes else { throw .tooLarge(bytes: bytes.count, maximum: maximumBytes) }
        var unpickler = Unpickler(bytes: bytes)
        let root = try unpickler.run()
        return (root, unpickler.heap)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func run() throws(PickleFault) -> PickleValue {
        while true {
            try charge(1)
            operation = position
            let opcode = try byte()
            if opcode == UInt8(ascii: ".") {
                let root = try pop()
                guard position == bytes.count else { throw .trailingBytes(byte: position, count: bytes.count - position) }
                return root
            }
            try execute(opcode)
        }
    }

    /// Counts work and copies that a few bytes of the file can ask for again and again.
    private mutating func charge(_ count: Int) throws(PickleFault) {
        steps += count
        guard steps <= Self.maximumSteps else { throw .tooManySteps(maximum: Self.maximumSteps) }
    }

    private mutating func execute(_ opcode: UInt8) throws(PickleFault) {
        switch opcode {
        case 0x80:
            let version = Int(try byte())
            guard (2...5).contains(version) else { throw .protocolVersion(found: version) }
        case 0x95: _ = try number(8)  // FRAME: a hint for buffered readers

        // Scalars
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "J"): stack.append(.int(Int(Int32(truncatingIfNeeded: try number(4)))))
        case UInt8(ascii: "K"): stack.append(.int(Int(try byte())))
        case UInt8(ascii: "M"): stack.append(.int(Int(try number(2))))
        case 0x8a: stack.append(try integer(byteCount: Int(try byte())))
        case 0x8b: stack.append(try integer(byteCount: try length(4)))
        case UInt8(ascii: "G"): stack.append(.float(Double(bitPattern: UInt64(bigEndian: try number(8)))))
        case UInt8(ascii: "X"): stack.append(.string(try text(try length(4))))
        case 0x8c: stack.append(.string(try text(Int(try byte()))))
        case 0x8d: stack.append(.string(try text(try length(8))))
        case UInt8(ascii: "T"): stack.append(.string(try text(try length(4))))  // str of Python 2
        case UInt8(ascii: "U"): stack.append(.string(try text(Int(try byte()))))
        case UInt8(ascii: "B"): stack.append(.bytes(Array(try take(try length(4)))))
        case UInt8(ascii: "C"): stack.append(.bytes(Array(try take(Int(try byte())))))
        case 0x8e, 0x96: stack.append(.bytes(Array(try take(try length(8)))))

        // Stack and memo
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"):
            // A mark on top is what POP removes, as in Python.
            if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): stack.append(try top())
        case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
        case UInt8(ascii: "r"): memo[Int(try number(4))] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): stack.append(try recall(Int(try byte())))
        case UInt8(ascii: "j"): stack.append(try recall(Int(try number(4))))

        // Containers
        case UInt8(ascii: ")"): stack.append(heap.tuple([]))
        case 0x85, 0x86, 0x87:
            let count = Int(opcode) - 0x84
            guard stack.count - (marks.last ?? 0) >= count else { throw .emptyStack(byte: operation) }
            let items = Array(stack.suffix(count))
            stack.removeLast(count)
            stack.append(heap.tuple(items))
        case UInt8(ascii: "t"): stack.append(heap.tuple(try popToMark()))
        case UInt8(ascii: "]"): stack.append(heap.list([]))
        case UInt8(ascii: "l"): stack.append(heap.list(try popToMark()))
        case UInt8(ascii: "}"): stack.append(heap.dictionary())
        case UInt8(ascii: "d"):
            let items = try popToMark()
            let dictionary = heap.dictionary()
            try setItems(dictionary, items)
            stack.append(dictionary)
        case 0x8f: stack.append(heap.set([]))
        case 0x91: stack.append(heap.set(try popToMark()))
        case UInt8(ascii: "a"):
            let item = try pop()
            try append([item], to: try top())
        case UInt8(ascii: "e"):
            let items = try popToMark()
            try append(items, to: try top())
        case 0x90:
            let items = try popToMark()
            guard case .set(let i) = try top() else { throw mismatch("ADDITEMS", "a set", try top()) }
            heap.sets[i] += items
        case UInt8(ascii: "s"):
            let value = try pop()
            let key = try pop()
            try setItems(try top(), [key, value])
        case UInt8(ascii: "u"):
            let items = try popToMark()
            try setItems(try top(), items)

        // Names and what stands for calls
        case UInt8(ascii: "c"):
            let module = try line()
            stack.append(.global(try PickleGlobal.lookUp(module, try line(), byte: operation)))
        case 0x93:
            let name = try pop()
            let module = try pop()
            guard case .string(let module) = module else { throw mismatch("STACK_GLOBAL", "a module's name", module) }
            guard case .string(let name) = name else { throw mismatch("STACK_GLOBAL", "a name", name) }
            stack.append(.global(try PickleGlobal.lookUp(module, name, byte: operation)))
        case UInt8(ascii: "R"), 0x81:
            let kind = opcode == 0x81 ? "NEWOBJ" : "REDUCE"
            let arguments = try pop()
            let callee = try pop()
            guard case .tuple(let i) = arguments else { throw mismatch(kind, "a tuple of arguments", arguments) }
            if case .object(let o) = callee {
                // What an instance would make is as opaque as the instance.
                stack.append(heap.object(heap.objects[o].className, arguments, isForeign: true))
                return
            }
            guard case .global(let global) = callee else { throw mismatch(kind, "a known name", callee) }
            stack.append(try construct(global, heap.tuples[i], arguments))
        case 0x92:  // NEWOBJ_EX
            _ = try pop()
            let arguments = try pop()
            let callee = try pop()
            guard case .tuple(let i) = arguments else { throw mismatch("NEWOBJ_EX", "a tuple of arguments", arguments) }
            guard case .global(let global) = callee else { throw mismatch("NEWOBJ_EX", "a known name", callee) }
            stack.append(try construct(global, heap.tuples[i], arguments))
        case UInt8(ascii: "b"):
            let state = try pop()
            try build(try top(), state)
        case UInt8(ascii: "Q"): stack.append(try persistentStorage(try pop()))
        default: throw .unknownOpcode(opcode: opcode, byte: operation)
        }
    }

    // MARK: containers

    private mutating func append(_ items: [PickleValue], to target: PickleValue) throws(PickleFault) {
        switch target {
        case .list(let i): heap.lists[i] += items
        case .object(let i) where heap.objects[i].isForeign: break
        default: throw mismatch("APPEND", "a list", target)
        }
    }

    private mutating func setItems(_ target: PickleValue, _ items: [PickleValue]) throws(PickleFault) {
        if case .object(let o) = target, heap.objects[o].isForeign {
            if case .none = heap.objects[o].items { heap.objects[o].items = heap.dictionary() }
            return try setItems(heap.objects[o].items, items)
        }
        guard case .dictionary(let i) = target else { throw mismatch("SETITEM", "a dict", target) }
        guard items.count % 2 == 0 else {
            throw .wrongType(operation: "SETITEM", expected: "pairs", found: "\(items.count) values", byte: operation)
        }
        for k in stride(from: 0, to: items.count, by: 2) {
            switch items[k] {
            case .list, .dictionary, .set: throw mismatch("SETITEM", "a key that can be hashed", items[k])
            default: break
            }
            heap.dictionaries[i].keys.append(items[k])
            heap.dictionaries[i].values.append(items[k + 1])
        }
    }

    // MARK: names

    /// What a name applied to arguments stands for; always data.
    private mutating func construct(
        _ global: PickleGlobal, _ arguments: [PickleValue], _ tuple: PickleValue
    ) throws(PickleFault) -> PickleValue {
        switch global.role {
        case .rebuildTensor(let hasType): return try rebuildTensor(global, arguments, hasType: hasType)
        case .rebuildParameter:
            guard let first = arguments.first, case .tensor = first else {
                throw mismatch(global.name, "a tensor", arguments.first ?? .none)
            }
            return first
        case .rebuildFromType:
            // (function, class, its arguments, attributes); only the rebuilding of a tensor can stand there.
            guard arguments.count == 4, case .global(let inner) = arguments[0], case .rebuildTensor(let hasType) = inner.role else {
                throw mismatch(global.name, "a tensor's function", arguments.first ?? .none)
            }
            guard case .tuple(let i) = arguments[2] else { throw mismatch(global.name, "a tuple", arguments[2]) }
            return try rebuildTensor(inner, heap.tuples[i], hasType: hasType)
        case .dictionary: return try dictionary(global, arguments)
        case .sequence:
            guard arguments.count <= 1 else { throw mismatch(global.name, "one sequence", arguments[1]) }
            guard let first = arguments.first else { return heap.tuple([]) }
            guard let items = heap.items(first) else { throw mismatch(global.name, "a sequence", first) }
            try charge(items.count)
            return heap.tuple(items)
        case .set:
            guard arguments.count <= 1 else { throw mismatch(global.name, "one sequence", arguments[1]) }
            guard let first = arguments.first else { return heap.set([]) }
            guard let items = heap.items(first) else { throw mismatch(global.name, "a sequence", first) }
            try charge(items.count)
            return heap.set(items)
        case .encode: return try encode(global, arguments)
        case .numpyScalar: return try numpyScalar(global, arguments, tuple)
        case .data: return heap.object(global.name, tuple)
        case .unknown: return heap.object(global.name, tuple, isForeign: true)
        case .storage, .elementType:
            throw .wrongType(operation: "REDUCE", expected: "a function of data", found: global.name, byte: operation)
        }
    }

    /// `OrderedDict()`, `OrderedDict([[key, value], ...])`, `defaultdict(factory)`, `Counter({...})`.
    private mutating func dictionary(_ global: PickleGlobal, _ arguments: [PickleValue]) throws(PickleFault) -> PickleValue {
        let made = heap.dictionary(className: global.name)
        for argument in arguments {
            switch argument {
            case .dictionary(let i):
                guard case .dictionary(let target) = made else { continue }
                try charge(heap.dictionaries[i].keys.count)
                heap.dictionaries[target].keys = heap.dictionaries[i].keys
                heap.dictionaries[target].values = heap.dictionaries[i].values
            case .tuple, .list:
                for pair in heap.items(argument) ?? [] {
                    try charge(1)
                    guard let pair = heap.items(pair), pair.count == 2 else { throw mismatch(global.name, "pairs", pair) }
                    try setItems(made, pair)
                }
            case .global, .none, .object: break
            default: throw mismatch(global.name, "a dict or pairs", argument)
            }
        }
        return made
    }

    /// Bytes as protocol 2 spells them: a string whose characters are the bytes.
    private mutating func encode(_ global: PickleGlobal, _ arguments: [PickleValue]) throws(PickleFault) -> PickleValue {
        guard let first = arguments.first, case .string(let text) = first else {
            throw mismatch(global.name, "a str", arguments.first ?? .none)
        }
        try charge(text.utf8.count / 16)
        if arguments.count > 1, case .string(let encoding) = arguments[1], encoding == "utf-8" || encoding == "utf8" {
            return .bytes(Array(text.utf8))
        }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard scalar.value < 256 else {
                throw .wrongType(operation: global.name, expected: "Latin-1", found: "other text", byte: operation)
            }
            bytes.append(UInt8(scalar.value))
        }
        return .bytes(bytes)
    }

    /// A NumPy number as a plain one where its type is common, as data otherwise.
    private mutating func numpyScalar(
        _ global: PickleGlobal, _ arguments: [PickleValue], _ tuple: PickleValue
    ) throws(PickleFault) -> PickleValue {
        guard arguments.count == 2, case .object(let i) = arguments[0], heap.objects[i].className == "numpy.dtype" else {
            return heap.object(global.name, tuple)
        }
        guard case .bytes(let bytes) = arguments[1] else { return heap.object(global.name, tuple) }
        guard let code = heap.items(heap.objects[i].arguments)?.first, case .string(let code) = code,
            let order = heap.items(heap.objects[i].state)?.dropFirst().first, case .string(let order) = order, order != ">"
        else { return heap.object(global.name, tuple) }
        let word = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch (code, bytes.count) {
        case ("f8", 8): return .float(Double(bitPattern: word))
        case ("f4", 4): return .float(Double(Float(bitPattern: UInt32(word))))
        case ("i8", 8): return .int(Int(Int64(bitPattern: word)))
        case ("i4", 4): return .int(Int(Int32(truncatingIfNeeded: word)))
        case ("b1", 1): return .bool(word != 0)
        default: return heap.object(global.name, tuple)
        }
    }

    /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])`; version 3 has the element type before
    /// the metadata.
    private mutating func rebuildTensor(
        _ global: PickleGlobal, _ arguments: [PickleValue], hasType: Bool
    ) throws(PickleFault) -> PickleValue {
        guard arguments.count >= (hasType ? 7 : 6), arguments.count <= (hasType ? 8 : 7) else {
            throw .wrongType(
                operation: global.name, expected: hasType ? "7 or 8 arguments" : "6 or 7 arguments", found: "\(arguments.count)",
                byte: operation)
        }
        guard case .storage(let storage) = arguments[0] else { throw mismatch(global.name, "a storage", arguments[0]) }
        guard case .int(let offset) = arguments[1] else { throw mismatch(global.name, "an offset (int)", arguments[1]) }
        let shape = try integers(arguments[2], "a tuple of extents (int)", of: global)
        let strides = try integers(arguments[3], "a tuple of strides (int)", of: global)
        guard shape.count == strides.count else {
            throw .wrongType(
                operation: global.name, expected: "as many strides as the \(shape.count) extents", found: "\(strides.count)",
                byte: operation)
        }
        var type = heap.storages[storage].type
        if hasType {
            guard case .global(let named) = arguments[6], case .elementType(let named) = named.role else {
                throw mismatch(global.name, "an element type", arguments[6])
            }
            type = named
        }
        guard let type else {
            throw .wrongType(operation: global.name, expected: "real numbers or integers", found: "an unsupported dtype", byte: operation)
        }
        var isNegated = false
        if arguments.count == (hasType ? 8 : 7), case .dictionary(let i) = arguments[arguments.count - 1] {
            for (key, value) in zip(heap.dictionaries[i].keys, heap.dictionaries[i].values) {
                if case .string("neg") = key, case .bool(true) = value { isNegated = true }
            }
        }
        heap.tensors.append(
            PickleHeap.Tensor(storage: storage, type: type, offset: offset, shape: shape, strides: strides, isNegated: isNegated))
        return .tensor(heap.tensors.count - 1)
    }

    private mutating func integers(_ value: PickleValue, _ expected: String, of global: PickleGlobal) throws(PickleFault) -> [Int] {
        guard case .tuple(let i) = value else { throw mismatch(global.name, expected, value) }
        try charge(heap.tuples[i].count)
        var result: [Int] = []
        for item in heap.tuples[i] {
            guard case .int(let number) = item else { throw mismatch(global.name, expected, item) }
            result.append(number)
        }
        return result
    }

    /// `("storage", class, key, location, count)`, the only persistent identity there is.
    private mutating func persistentStorage(_ identity: PickleValue) throws(PickleFault) -> PickleValue {
        guard case .tuple(let i) = identity else { throw mismatch("BINPERSID", "a tuple", identity) }
        let items = heap.tuples[i]
        guard items.count == 5, case .string("storage") = items[0] else {
            throw mismatch("BINPERSID", "('storage', class, key, location, count)", identity)
        }
        guard case .global(let global) = items[1], case .storage(let type) = global.role else {
            throw mismatch("BINPERSID", "a storage class", items[1])
        }
        guard case .string(let key) = items[2] else { throw mismatch("BINPERSID", "a key (str)", items[2]) }
        guard case .string = items[3] else { throw mismatch("BINPERSID", "a location (str)", items[3]) }
        guard case .int(let count) = items[4] else { throw mismatch("BINPERSID", "a count (int)", items[4]) }
        heap.storages.append(PickleHeap.Storage(key: key, type: type, count: count))
        return .storage(heap.storages.count - 1)
    }

    /// State of an instance, kept as data: of a dictionary, its attributes (`_metadata` of a state dict).
    private mutating func build(_ target: PickleValue, _ state: PickleValue) throws(PickleFault) {
        switch target {
        case .object(let i): heap.objects[i].state = state
        case .dictionary(let i) where heap.dictionaries[i].className != nil: heap.dictionaries[i].attributes = state
        case .tensor: break
        default: throw mismatch("BUILD", "an OrderedDict, a Namespace or a parameter", target)
        }
    }

    // MARK: stack

    private func mismatch(_ operation: String, _ expected: String, _ found: PickleValue) -> PickleFault {
        .wrongType(operation: operation, expected: expected, found: found.typeName, byte: self.operation)
    }

    private mutating func pop() throws(PickleFault) -> PickleValue {
        guard stack.count > marks.last ?? 0 else { throw .emptyStack(byte: operation) }
        return stack.removeLast()
    }

    private func top() throws(PickleFault) -> PickleValue {
        guard stack.count > marks.last ?? 0, let last = stack.last else { throw .emptyStack(byte: operation) }
        return last
    }

    private mutating func popToMark() throws(PickleFault) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw .noMark(byte: operation) }
        let items = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return items
    }

    private func recall(_ index: Int) throws(PickleFault) -> PickleValue {
        guard let value = memo[index] else { throw .noMemo(index: index, byte: operation) }
        return value
    }

    // MARK: bytes

    private mutating func byte() throws(PickleFault) -> UInt8 {
        guard position < bytes.count else { throw .truncated(byte: bytes.count) }
        position += 1
        return bytes[position - 1]
    }

    private mutating func take(_ count: Int) throws(PickleFault) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw .truncated(byte: bytes.count) }
        position += count
        return bytes[position - count..<position]
    }

    /// A little-endian number of up to eight bytes.
    private mutating func number(_ count: Int) throws(PickleFault) -> UInt64 {
        try take(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    /// A length; one beyond what is left is a truncation.
    private mutating func length(_ count: Int) throws(PickleFault) -> Int {
        let value = try number(count)
        guard value <= UInt64(bytes.count - position) else { throw .truncated(byte: bytes.count) }
        return Int(value)
    }

    /// A two's-complement little-endian integer.
    private mutating func integer(byteCount: Int) throws(PickleFault) -> PickleValue {
        let digits = try take(byteCount)
        guard let last = digits.last else { return .int(0) }
        guard byteCount <= 8 else { return .largeInt(byteCount: byteCount) }
        var value: UInt64 = last >= 0x80 ? .max : 0
        for digit in digits.reversed() { value = value << 8 | UInt64(digit) }
        return .int(Int(Int64(bitPattern: value)))
    }

    private mutating func text(_ count: Int) throws(PickleFault) -> String {
        let start = position
        guard let text = String(validating: try take(count), as: UTF8.self) else { throw .notUTF8(byte: start) }
        return text
    }

    /// Text up to the next line feed.
    private mutating func line() throws(PickleFault) -> String {
        let start = position
        guard let end = bytes[position...].firstIndex(of: 0x0a) else { throw .truncated(byte: bytes.count) }
        guard let text = String(validating: bytes[start..<end], as: UTF8.self) else { throw .notUTF8(byte: start) }
        position = end + 1
        return text
    }
}
