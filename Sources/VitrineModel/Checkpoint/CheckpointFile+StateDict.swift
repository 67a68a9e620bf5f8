import VitrineTensor

extension CheckpointFile {
    /// Names under which training programs keep a model, most wanted first: what the program itself evaluates. timm takes its average
    /// (`state_dict_ema`), DeiT and MAE the model before it, DINO and data2vec the teacher, I-JEPA the target encoder.
    static let modelKeys = [
        "state_dict_ema", "model", "state_dict", "teacher", "ema_teacher", "target_encoder", "student", "model_ema", "model_state_dict",
        "ema",
        "module", "backbone", "net", "encoder",
    ]

    /// Prefixes that wrappers put before a model's own names.
    static let wrapperPrefixes = ["module.", "backbone.", "model.", "net.", "encoder.", "teacher.", "student."]

    /// Names at the root of a ViT in the manners of timm, Hugging Face, torchvision, CLIP and MONAI. A prefix is a wrapper's when one of these follows
    /// it: torchvision's own `encoder.layers.` and Hugging Face's `encoder.layer.` are not.
    static let rootNames = [
        "patch_embed.proj.weight", "cls_token", "embeddings.patch_embeddings.projection.weight", "embeddings.cls_token",
        "conv_proj.weight", "class_token", "embeddings.class_embedding", "class_embedding", "patch_embedding.position_embeddings",
    ]

    /// The model in this file under its own names.
    ///
    /// Among the dictionaries at the known keys, at most two deep, the first that holds at least half as many tensors as the fullest is
    /// taken. The outermost comes first when it has a ViT's root names and last otherwise: training programs leave loose tensors there.
    /// Prefixes are then taken off as long as that is unambiguous: all names carry one, or the names
    /// that mark a ViT's root follow one prefix only. Names without the prefix stay as they are.
    ///
    /// - Parameters:
    ///   - key: the dictionary to take instead, as `TensorGroup.name` writes it; empty for the outermost.
    ///   - prefix: the prefix to take off instead; names without it are left out. Empty takes off nothing.
    /// - Throws: `CheckpointError.noStateDict`, `.noSuchKey`, `.noSuchPrefix`, `.severalModels`.
    public func stateDict(key: String? = nil, prefix: String? = nil) throws(CheckpointError) -> StateDict {
        let (group, alternatives) = try chooseGroup(key)
        let named = group.entries.map { (name: $0.key, entry: $0.entry) }
        if let prefix {
            if prefix.isEmpty { return try makeStateDict(named, group, [], named.count, alternatives) }
            let kept = named.filter { $0.name.hasPrefix(prefix) }
                .map { (name: String($0.name.dropFirst(prefix.count)), entry: $0.entry) }
            guard !kept.isEmpty else { throw .noSuchPrefix(path: path, prefix: prefix, firstKey: named.first?.name ?? "") }
            return try makeStateDict(kept, group, [prefix], kept.count, alternatives)
        }
        return try stripped(named, group, alternatives)
    }

    private func makeStateDict(
        _ entries: [(name: String, entry: TensorEntry)], _ group: TensorGroup, _ prefixes: [String], _ strippedCount: Int,
        _ alternatives: [String], outside: Set<String> = []
    ) throws(CheckpointError) -> StateDict {
        let selection = StateDict.Selection(
            key: group.name, prefixes: prefixes, strippedCount: prefixes.isEmpty ? 0 : strippedCount,
            untouchedCount: prefixes.isEmpty ? entries.count : entries.count - strippedCount, alternatives: alternatives)
        return try StateDict(path: path, entries: entries, selection: selection, outside: outside, modules: group.modules)
    }

    // MARK: which dictionary

    private func chooseGroup(_ key: String?) throws(CheckpointError) -> (TensorGroup, alternatives: [String]) {
        if let key {
            guard let group = groups.first(where: { $0.name == key }) else {
                throw .noSuchKey(path: path, key: key, found: groups.map(\.name))
            }
            return (group, [])
        }
        // Places in the order of preference; the rank of a nested one is the rank of its outer key, then of its inner one.
        func rank(_ group: TensorGroup) -> [Int]? {
            guard group.path.count <= 2 else { return nil }
            if group.path.isEmpty { return Self.modelRoots(group.entries.map(\.key)).isEmpty ? [.max] : [] }
            var ranks: [Int] = []
            for component in group.path {
                guard let rank = Self.modelKeys.firstIndex(of: component) else { return nil }
                ranks.append(rank)
            }
            return ranks
        }
        var candidates = groups.compactMap { group in rank(group).map { (rank: $0, group: group) } }
        candidates.sort { $0.rank.lexicographicallyPrecedes($1.rank) }
        let most = candidates.map(\.group.entries.count).max() ?? 0
        let full = candidates.map(\.group).filter { $0.entries.count * 2 >= most }
        // A model in a dictionary of another name beside a few loose tensors is not to be passed over in silence.
        let fullest = groups.filter { !$0.path.contains("optimizer") }.max { $0.entries.count < $1.entries.count }
        guard let chosen = full.first, let fullest, chosen.entries.count * 2 >= fullest.entries.count else {
            let others = groups.filter { !$0.path.contains("optimizer") }
            guard others.count == 1 else { throw .noStateDict(path: path, found: groups.map(\.name)) }
            return (others[0], [])
        }
        return (chosen, full.dropFirst().map(\.name))
    }

    // MARK: which prefix

    private func stripped(
        _ named: [(name: String, entry: TensorEntry)], _ group: TensorGroup, _ alternatives: [String]
    ) throws(CheckpointError) -> StateDict {
        var names = named.map(\.name)
        var prefixes: [String] = []
        var inside = Array(names.indices)  // names that carried every prefix so far
        while let prefix = Self.wrapperPrefixes.first(where: { canStrip($0, names) }) {
            inside = names.indices.filter { names[$0].hasPrefix(prefix) }
            for i in inside { names[i] = String(names[i].dropFirst(prefix.count)) }
            prefixes.append(prefix)
        }
        let roots = Self.modelRoots(names)
        if roots.count > 1 && !roots.contains("") { throw .severalModels(path: path, prefixes: roots) }
        let entries = zip(names, named).map { (name: $0, entry: $1.entry) }
        let carriers = Set(inside)
        let outside = prefixes.isEmpty ? [] : Set(names.indices.filter { !carriers.contains($0) }.map { names[$0] })
        return try makeStateDict(entries, group, prefixes, inside.count, alternatives, outside: outside)
    }

    private func canStrip(_ prefix: String, _ names: [String]) -> Bool {
        let carriers = names.filter { $0.hasPrefix(prefix) }
        guard !carriers.isEmpty else { return false }
        // Hugging Face and torchvision have an `encoder.` of their own: there, only a root name behind it decides.
        if carriers.count == names.count && prefix != "encoder." { return true }
        let roots = Self.modelRoots(names)
        guard roots.count == 1, roots[0].hasPrefix(prefix) else { return false }
        let others = Set(names.filter { !$0.hasPrefix(prefix) })
        return !carriers.contains { others.contains(String($0.dropFirst(prefix.count))) }
    }

    /// The prefixes behind which a ViT's root names stand, in alphabetical order; the empty one for a model without a wrapper.
    private static func modelRoots(_ names: [String]) -> [String] {
        var roots = Set<String>()
        for name in names {
            for root in rootNames where name.hasSuffix(root) {
                let prefix = name.dropLast(root.count)
                // `embeddings.cls_token` ends in `cls_token`; only the longest root name counts.
                if prefix.isEmpty || prefix.hasSuffix(".") && !prefix.hasSuffix("embeddings.") { roots.insert(String(prefix)) }
            }
        }
        return roots.sorted()
    }
}
