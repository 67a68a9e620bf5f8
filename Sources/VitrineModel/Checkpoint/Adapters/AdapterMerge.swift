import VitrineTensor

/// A change of a stored tensor before it becomes part of the model.
private struct TensorChange: Sendable {
    /// First row of the stored tensor, the whole seen as a matrix.
    var firstRow: Int
    /// `[rows, columns]`.
    var values: Tensor
    /// Put in the rows' place, or added to them.
    var replaces: Bool
}

/// What became of an adapter.
struct MergedAdapter {
    var fact: ModelFact
    var replacesHead: Bool
}

extension AdapterFile {
    /// A part of a tensor under our name: the rows of a stored tensor.
    private struct Place {
        var key: String
        var firstRow: Int
        var rows: Int
        /// First row within our tensor.
        var ownRow: Int
    }

    /// Merges the adapter into named tensors, whatever the file's and the adapter's names are: queries and values of their own change their
    /// rows of a joint tensor, and the other way round.
    ///
    /// - Throws: `LoadError.adapter`, naming the two values that disagree, where anything of it does not fit.
    func merge(into tensors: inout NamedTensors, keys: inout MappedKeys) throws -> MergedAdapter {
        let map = try self.map(keys)
        var changes: [String: [TensorChange]] = [:]
        var own: [String: Tensor] = [:]
        var taken: [String: String] = [:]
        var (ranks, merged, replaced) = (Set<Int>(), 0, 0)
        func fault(_ reason: String) -> LoadError { .adapter(path: path, reason: reason) }
        /// Our name for an adapter's; nil for what the model does not need.
        func ours(_ name: String, _ parameter: String) throws -> String? {
            guard let found = map.ours[name + parameter] else { return nil }
            if let other = taken.updateValue(name, forKey: found) {
                throw fault("'\(shortened(other))' and '\(shortened(name))' are both the model's \(found)")
            }
            return found
        }
        for module in modules {
            guard let down = module.down, let up = module.up else {
                throw fault("'\(shortened(module.name))' has \(module.down == nil ? "lora_B and no lora_A" : "lora_A and no lora_B")")
            }
            let (rank, factor) = try configuration.scale(of: module.name)
            let (a, b) = (down.shape, up.shape)
            guard a.count >= 2, b.count >= 2, a[0] == rank, b[1] == rank else {
                throw fault("'\(shortened(module.name))' has lora_A \(a) and lora_B \(b), and the configuration says rank \(rank)")
            }
            guard let name = try ours(module.name, ".weight") else { continue }
            ranks.insert(rank)
            merged += 1
            let columns = down.count / rank
            var product = Tensor([b[0], columns])
            multiply(
                try up.tensor().reshaped([b[0], rank]).matrix, try down.tensor().reshaped([rank, columns]).matrix, into: &product,
                alpha: factor)
            try change(name, module.name, product, shape: [b[0]] + a.dropFirst(), replaces: false, keys, tensors, &changes)
            if let bias = module.bias {
                guard let name = try ours(module.name, ".bias") else {
                    throw fault("'\(shortened(module.name))' has a bias, and the model's has none")
                }
                var scaled = try bias.tensor()
                VitrineTensor.scale(&scaled, by: factor)
                try change(
                    name, module.name + ".bias", scaled.reshaped([scaled.count, 1]), shape: bias.shape, replaces: false, keys, tensors,
                    &changes)
            }
        }
        var replacesHead = false
        for (name, entry) in replacements {
            guard let found = try ours(name, "") else { continue }
            replaced += 1
            // A head is the adapter's own, of as many classes as it has; everything else has the model's shape.
            if found.hasPrefix("head") || keys.sources[found] == nil && places(of: found, keys, tensors) == nil {
                if found == "head.weight" {
                    replacesHead = true
                    let isLibrarys = map.prefix.isEmpty || KeyMap.classifierPrefixes.contains(map.prefix)
                    if keys.sources[found] == nil && (map.strangeHead != nil || !isLibrarys) { keys.headOutside = name }
                }
                let key = "adapter:" + name
                for old in keys.sources[found] ?? [] { keys.tolerated.append((old, "replaced by the adapter's")) }
                keys.sources[found] = [key]
                own[key] = try entry.tensor()
                tensors.shapes[key] = entry.shape
                tensors.types[key] = "\(entry.type)"
            } else {
                let rows = entry.shape.first ?? 1
                try change(
                    found, name, try entry.tensor().reshaped([rows, rows == 0 ? 0 : entry.count / rows]), shape: entry.shape,
                    replaces: true, keys,
                    tensors, &changes)
            }
        }
        guard merged + replaced > 0 else {
            throw fault(
                "adapts nothing of this model: '\(shortened(map.left.first?.name ?? ""))' is \(map.left.first?.reason ?? "unknown")")
        }
        try checkComplete(map, keys)
        keys.tolerated += map.left.map { (key: "adapter:" + $0.name, reason: $0.reason) }
        let original = tensors.tensor
        tensors.tensor = { [changes, own] key in
            if let tensor = own[key] { return tensor }
            let tensor = try original(key)
            guard let changes = changes[key] else { return tensor }
            return Self.changed(tensor, changes)
        }
        let rank = ranks.sorted().map(String.init).joined(separator: ", ")
        let value =
            "LoRA" + (merged > 0 ? " of rank \(rank) on \(merged) linear maps" : "")
            + (replaced > 0 ? ", \(replaced) tensors replaced" : "")
            + " (SHA-256 \(sha256.prefix(16)))"
        return MergedAdapter(fact: ModelFact("adapter", value, .given, setting: .adapter), replacesHead: replacesHead)
    }

    private static func changed(_ tensor: Tensor, _ changes: [TensorChange]) -> Tensor {
        var tensor = tensor
        let rows = max(tensor.shape.rank == 0 ? 1 : tensor.shape[0], 1)
        let columns = tensor.count / rows
        for change in changes {
            if change.replaces {
                tensor.replace(from: change.firstRow * columns, with: change.values)
            } else {
                tensor.withMutableSpan { all in
                    change.values.withSpan { part in for i in 0..<part.count { all[change.firstRow * columns + i] += part[i] } }
                }
            }
        }
        return tensor
    }

    // MARK: Names

    /// Our names for the adapter's, by the file's own manner of naming, or by another if that one explains them all.
    private func map(_ keys: MappedKeys) throws(LoadError) -> Names {
        var unknown: String?
        for map in [keys.map] + KeyMap.all.filter({ $0.anchor != keys.map.anchor }) {
            let isOwn = map.anchor == keys.map.anchor
            var found = Names()
            // By what stood before the names of blocks.
            var blocks: [String: String] = [:]
            var stranger: String?
            func add(_ name: String, _ parameter: String) {
                switch resolved(name, parameter, map, keys, isOwn: isOwn) {
                case .ours(let ours, let prefix):
                    found.ours[name + parameter] = ours
                    if ours.hasPrefix("blocks.") { blocks[prefix] = name }
                case .unused(let reason): found.left.append((name, reason))
                case .unknown:
                    // A classifier under a name of its own.
                    let parts = name.split(separator: ".")
                    if parameter.isEmpty, KeyMap.isClassifier(parts.dropLast().joined(separator: ".")), let last = parts.last {
                        found.ours[name] = "head.\(last)"
                        found.strangeHead = name
                    } else {
                        stranger = stranger ?? name
                    }
                }
            }
            for module in modules {
                add(module.name, ".weight")
                if module.bias != nil { add(module.name, ".bias") }
            }
            for (name, _) in replacements { add(name, "") }
            unknown = unknown ?? stranger
            guard stranger == nil else { continue }
            if blocks.count > 1 {
                let both = blocks.sorted { $0.key < $1.key }.prefix(2).map { "'\(shortened($0.value))'" }.joined(separator: " and ")
                throw .adapter(path: path, reason: "\(both) belong to two models, and only one of them is here")
            }
            found.prefix = blocks.keys.first ?? ""
            return found
        }
        throw .adapter(
            path: path,
            reason: "'\(shortened(unknown ?? ""))' is no part of this model, whose names are as "
                + "'\(shortened(keys.sources["blocks.0.norm1.weight"]?.first ?? keys.prefix + keys.map.anchor))'")
    }

    private enum Resolution {
        case ours(String, prefix: String)
        case unused(String)
        case unknown
    }

    /// The adapter's names under ours.
    private struct Names {
        var ours: [String: String] = [:]
        /// Names that adapt what the model does not need, and why that may be left out.
        var left: [(name: String, reason: String)] = []
        /// What stood before the names of blocks.
        var prefix = ""
        /// The name of a classifier that is no part of the library's own.
        var strangeHead: String?
    }

    /// - Parameter isOwn: the map is the file's own, whose prefix tells an image tower from a text tower of the same names.
    private func resolved(_ name: String, _ parameter: String, _ map: KeyMap, _ keys: MappedKeys, isOwn: Bool) -> Resolution {
        var dropped = ""
        var rest = Substring(name)
        let mustCarry = map.style == .openCLIP && isOwn ? keys.prefix : ""
        while true {
            let candidate = String(rest + parameter)
            if dropped.hasSuffix(mustCarry), let ours = map.ours(candidate) { return .ours(ours, prefix: dropped) }
            if let reason = map.reasonUnused(candidate) { return .unused(reason) }
            guard let dot = rest.firstIndex(of: ".") else { break }
            dropped += rest[...dot]
            rest = rest[rest.index(after: dot)...]
        }
        // The name that the file itself gives it, such as that of a head found by its shape.
        guard isOwn else { return .unknown }
        let whole = name + parameter
        let own = keys.sources.first { _, sources in
            sources.count == 1 && (sources[0] == whole || whole.hasSuffix("." + sources[0]) || sources[0].hasSuffix("." + whole))
        }
        return own.map { .ours($0.key, prefix: "") } ?? .unknown
    }

    /// Every module that the configuration names must be adapted, and in every block: a file that lost some would merge in silence.
    private func checkComplete(_ map: Names, _ keys: MappedKeys) throws(LoadError) {
        if !configuration.savedModules.isEmpty && replacements.isEmpty {
            throw .adapter(
                path: path,
                reason: "modules_to_save names '\(shortened(configuration.savedModules[0]))', and the adapter holds no such tensor")
        }
        guard !configuration.isOfSomeBlocks else { return }
        let depth = Set(keys.sources.keys.filter { $0.hasPrefix("blocks.") }.map { $0.split(separator: ".")[1] }).count
        for target in configuration.targets where !target.split(separator: ".").contains(where: { Int($0) != nil }) {
            let own = modules.filter { $0.name == target || $0.name.hasSuffix("." + target) }
            guard !own.isEmpty else {
                throw .adapter(path: path, reason: "target_modules names '\(shortened(target))', and no tensor adapts such a module")
            }
            let names = own.compactMap { map.ours[$0.name + ".weight"] }.filter { $0.hasPrefix("blocks.") }
            let blocks = Set(names.map { $0.split(separator: ".")[1] })
            guard blocks.isEmpty || blocks.count == depth else {
                let missing = (0..<depth).first { !blocks.contains(Substring("\($0)")) } ?? depth
                throw .adapter(
                    path: path, reason: "adapts '\(shortened(target))' of \(blocks.count) of \(depth) blocks, and not of block \(missing)")
            }
        }
    }

    // MARK: Places

    /// Where the rows of a tensor under our name are stored; nil where nothing of it is.
    private func places(of name: String, _ keys: MappedKeys, _ tensors: NamedTensors) -> [Place]? {
        func rows(_ key: String) -> Int { tensors.shapes[key]?.first ?? 0 }
        if let sources = keys.sources[name] {
            var (list, row) = ([Place](), 0)
            for source in sources {
                guard source != MappedKeys.zeros else { return nil }
                list.append(Place(key: source, firstRow: 0, rows: rows(source), ownRow: row))
                row += rows(source)
            }
            return list
        }
        for (parts, whole) in [(["attn.q", "attn.k", "attn.v"], "attn.qkv"), (["mlp.fc1_g", "mlp.fc1_x"], "mlp.fc1")] {
            for (i, part) in parts.enumerated() {
                for parameter in [".weight", ".bias"] where name.hasSuffix("." + part + parameter) {
                    let joint = name.dropLast((part + parameter).count) + whole + parameter
                    guard let sources = keys.sources[joint] else { continue }
                    if sources.count == parts.count {
                        guard sources[i] != MappedKeys.zeros else { return nil }
                        return [Place(key: sources[i], firstRow: 0, rows: rows(sources[i]), ownRow: 0)]
                    }
                    // Without a gate, Hugging Face's up-projection is the first map itself.
                    if keys.map.anchor == KeyMap.dinov3.anchor && part == "mlp.fc1_x" {
                        return [Place(key: sources[0], firstRow: 0, rows: rows(sources[0]), ownRow: 0)]
                    }
                    let third = rows(sources[0]) / parts.count
                    return [Place(key: sources[0], firstRow: i * third, rows: third, ownRow: 0)]
                }
            }
        }
        return nil
    }

    private func change(
        _ name: String, _ module: String, _ values: Tensor, shape: [Int], replaces: Bool, _ keys: MappedKeys, _ tensors: NamedTensors,
        _ changes: inout [String: [TensorChange]]
    ) throws(LoadError) {
        guard let places = places(of: name, keys, tensors) else {
            throw .adapter(path: path, reason: "'\(shortened(module))' changes the model's \(name), which it does not have")
        }
        let (rows, columns) = (values.shape[0], values.shape[1])
        let stored = places.reduce(0) { $0 + $1.rows }
        let widths = places.map { place in
            let whole = tensors.shapes[place.key] ?? []
            return whole.isEmpty ? 0 : whole.reduce(1, *) / max(whole[0], 1)
        }
        guard stored == rows, widths.allSatisfy({ $0 == columns }) else {
            throw .adapter(
                path: path,
                reason:
                    "'\(shortened(module))' is of shape \(shape), and the model's \(name) of \([stored, widths.first ?? 0]): it adapts another model"
            )
        }
        for place in places {
            let part = places.count == 1 ? values : values[place.ownRow..<place.ownRow + place.rows]
            changes[place.key, default: []].append(TensorChange(firstRow: place.firstRow, values: part, replaces: replaces))
        }
    }
}
