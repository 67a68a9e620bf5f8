import VitrineImage
import VitrineModel
import VitrineTensor

/// Says when to stop, and hears of every pass.
public struct Watch: Sendable {
    /// Asked between passes; true ends the work with `ExplanationStopped`.
    public var isStopped: @Sendable () -> Bool
    /// Called after a pass with the number of images that went through the network.
    public var passed: @Sendable (Int) -> Void

    public init(isStopped: @escaping @Sendable () -> Bool = { false }, passed: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.isStopped = isStopped
        self.passed = passed
    }
}

/// Somebody stopped the work between two passes.
public struct ExplanationStopped: Error, Equatable, CustomStringConvertible {
    public init() {}
    public var description: String { "stopped before the map was done" }
}

/// Runs the network on changed versions of one image, under the image's own target.
///
/// Inputs are taken one by one and packed into passes of about a thousand tokens, whatever the method; where logits alone are asked for,
/// shortened sequences of different lengths share a pass. Answers come in the order of the inputs. Packing never shows in a bit, since
/// images of a batch do not see each other, and nothing grows with the number of inputs.
public final class Probe {
    public let network: ViTConfiguration
    /// What is explained; nil for a backbone.
    public let target: Target?
    public let grid: PatchGrid
    let model: VisionTransformer
    private let image: Tensor
    private let workspace: Workspace
    private let watch: Watch
    /// Images that went through the network so far.
    public private(set) var passCount = 0

    public init(
        model: VisionTransformer, image: Tensor, grid: PatchGrid, target: Target?, workspace: Workspace, watch: Watch = Watch()
    ) {
        self.model = model
        network = model.configuration
        self.image = image
        self.grid = grid
        self.target = target
        self.workspace = workspace
        self.watch = watch
    }

    /// z_0 of the image, `[tokens, width]`: dropped patches are rows left out, so that it is computed once.
    private lazy var embedded: Result<Tensor, ViTError> = Result { () throws(ViTError) in try embeddedTokens(of: image) }

    /// z_0 of an image that is 0 everywhere.
    private lazy var blank: Result<Tensor, ViTError> = Result { () throws(ViTError) in
        try embeddedTokens(of: Tensor(image.shape))
    }

    private var answers: [PatchSet: [Float]] = [:]
    private static let mostAnswers = 1 << 16
    private var made: [String: Any] = [:]

    /// Whether a network without any patch has nothing to read: one that pools patches.
    ///
    /// Its answer to no patch at all is the answer to the mean colour (0 after normalisation) everywhere.
    public var needsPatches: Bool {
        switch network.pooling {
        case .classToken, .distilled: false
        case .mean, .classAndMean: true
        case .attention: !network.pool.readsPrefix || network.prefixTokens == 0
        }
    }

    // MARK: Questions

    /// The logits of each input, in the order given.
    public func logits(of inputs: some Sequence<ChangedInput>, _ body: (Int, [Float]) throws -> Void) throws {
        try run(inputs.lazy.map(item), body)
    }

    /// The logits when only these patches (ascending) are left of the image, in the order given.
    ///
    /// All methods of the image share one table of sets and answers by rule: a set that any of them asked for before is not run again.
    /// The table holds the first 65,536 sets, so that it does not grow without end.
    func logits(keeping sets: some Sequence<[Int]>, by removal: PatchRemoval, _ body: (Int, [Float]) throws -> Void) throws {
        var portion: [[Int]] = []
        var index = 0
        func flush() throws {
            var fresh: [PatchSet: [Float]] = [:]
            var missing: [[Int]] = []
            let keys = portion.map { PatchSet($0, of: grid.count, by: removal.rule) }
            for (key, set) in zip(keys, portion) where answers[key] == nil && fresh.updateValue([], forKey: key) == nil {
                missing.append(set)
            }
            let inputs = missing.lazy.map { removal.keeping($0, networkNeedsPatches: self.needsPatches) }
            try logits(of: inputs) { i, logits in
                let key = PatchSet(missing[i], of: grid.count, by: removal.rule)
                fresh[key] = logits
                if answers.count < Self.mostAnswers { answers[key] = logits }
            }
            for key in keys {
                try body(index, answers[key] ?? fresh[key] ?? [])
                index += 1
            }
            portion = []
        }
        for set in sets {
            portion.append(set)
            // Sets may wait this long for others of their length.
            if portion.count == 2048 { try flush() }
        }
        if !portion.isEmpty { try flush() }
    }

    /// What several methods make in the same way, made once per image.
    ///
    /// - Parameter name: tells one such thing from another, parameters included.
    func once<Value>(_ name: String, _ make: () throws -> Value) rethrows -> Value {
        if let known = made[name] as? Value { return known }
        let value = try make()
        made[name] = value
        return value
    }

    /// The target's value for each input, in the order given.
    public func values(of inputs: some Sequence<ChangedInput>, _ body: (Int, Float) throws -> Void) throws {
        let target = try requiredTarget()
        try logits(of: inputs) { index, logits in try body(index, target.value(logits: logits)) }
    }

    /// The target's value for each input.
    public func values(of inputs: some Sequence<ChangedInput>) throws -> [Float] {
        var values: [Float] = []
        try self.values(of: inputs) { _, value in values.append(value) }
        return values
    }

    /// The inner values for each input, in the order given; a trace lives until `body` returns.
    public func traces(
        of inputs: some Sequence<ChangedInput>, _ request: TraceRequest, _ body: (Int, ImageTrace) throws -> Void
    ) throws {
        try run(inputs.lazy.map(item), request, body)
    }

    /// The logits when other tokens enter a block, in the order given: only the blocks from there on run.
    ///
    /// - Parameters:
    ///   - block: 0 for embedded tokens, `depth` for those that the head reads.
    ///   - tokens: `[prefix + patches, width]` each, with the patches that the rows after the prefix stand for (nil: all).
    public func logits(
        entering block: Int, _ tokens: some Sequence<(tokens: Tensor, kept: [Int]?)>, _ body: (Int, [Float]) throws -> Void
    ) throws {
        try run(tokens.lazy.map { Item.tokens($0.tokens, kept: $0.kept, block: block) }, body)
    }

    /// The logits when other values stand in the place of a block's first norm, in the order given: only the blocks from there on run.
    ///
    /// - Parameter tokens: what enters the block, which the residual path keeps, and the norm's output, `[prefix + patches, width]` both.
    public func logits(
        enteringNorm1Of block: Int, _ tokens: some Sequence<(tokens: Tensor, norm1: Tensor)>, _ body: (Int, [Float]) throws -> Void
    ) throws {
        try run(tokens.lazy.map { Item.normed($0.tokens, norm1: $0.norm1, block: block) }, body)
    }

    /// Tokens `[prefix + patches, width]` after one block.
    public func tokens(_ tokens: Tensor, through block: Int) -> Tensor {
        let batch = tokens.reshaped(Shape([1] + tokens.shape.dimensions))
        return model.tokens(batch, through: block, grid: grid, workspace: workspace)[0]
    }

    /// The inner values when other tokens enter a block; otherwise as `logits(entering:)`.
    public func traces(
        entering block: Int, _ tokens: some Sequence<(tokens: Tensor, kept: [Int]?)>, _ request: TraceRequest,
        _ body: (Int, ImageTrace) throws -> Void
    ) throws {
        try run(tokens.lazy.map { .tokens($0.tokens, kept: $0.kept, block: block) }, request, body)
    }

    /// The inner values when other values stand in the place of a block's first norm; otherwise as `logits(enteringNorm1Of:)`.
    func traces(
        enteringNorm1Of block: Int, _ tokens: some Sequence<(tokens: Tensor, norm1: Tensor)>, _ request: TraceRequest,
        _ body: (Int, ImageTrace) throws -> Void
    ) throws {
        try run(tokens.lazy.map { .normed($0.tokens, norm1: $0.norm1, block: block) }, request, body)
    }

    /// The class that is explained, where a method cannot do without.
    public func requiredTarget() throws(ViTError) -> Target {
        guard let target else { throw .noHead(request: "a map of what changes an answer") }
        return target
    }

    /// z_0 of the image, `[tokens, width]`, positions included.
    public func embeddedTokens() throws(ViTError) -> Tensor { try embedded.get() }

    /// z_0 of other pixels `[channels, height, width]`.
    public func embeddedTokens(of pixels: Tensor) throws(ViTError) -> Tensor {
        try model.embedded(pixels.reshaped(Shape([1] + pixels.shape.dimensions)), workspace: workspace)[0]
    }

    /// z_0 of an image without content, `[tokens, width]`: prefix tokens, positions and the patch embedding's bias.
    func emptyTokens() throws(ViTError) -> Tensor { try blank.get() }

    /// z_0 in which every patch holds the mean of the image's patch embeddings, at its own position.
    private lazy var averaged: Result<Tensor, ViTError> = Result { () throws(ViTError) in
        // Behind a norm, content and position are no sum.
        let (all, empty) = (try sum(of: image), try sum(of: Tensor(image.shape)))
        var content = all
        addScaled(empty, -1, to: &content)
        let (r, d) = (network.prefixTokens, network.width)
        var mean = Tensor([d])
        columnSums(content[r..<content.shape[0]], addingTo: &mean)
        scale(&mean, by: 1 / Float(grid.count))
        var tokens = empty
        for row in r..<tokens.shape[0] {
            var token = empty[row]
            add(mean, to: &token)
            tokens.replace(from: row * d, with: token)
        }
        return model.inputNormed(tokens, workspace: workspace)
    }

    /// Content plus position of every token of pixels `[channels, height, width]`.
    private func sum(of pixels: Tensor) throws(ViTError) -> Tensor {
        try model.unnormedEmbedding(pixels.reshaped(Shape([1] + pixels.shape.dimensions)), workspace: workspace)[0]
    }

    /// A probe of the same image through a changed network; `count` its passes afterwards.
    func changed(_ change: (inout VisionTransformer) -> Void) -> Probe {
        var model = model
        change(&model)
        return Probe(model: model, image: image, grid: grid, target: target, workspace: workspace, watch: watch)
    }

    /// Counts the passes of another probe as this one's.
    func count(_ other: Probe) { passCount += other.passCount }

    /// Queries, keys and values `[n, 3 width]` behind a block's output projection.
    func projected(_ qkv: Tensor, block: Int) -> Tensor { model.projected(qkv, block: block, workspace: workspace) }

    /// The final norm of rows `[n, width]`.
    func finalNorm(_ rows: Tensor) -> Tensor { model.finalNorm(rows, workspace: workspace) }

    // MARK: Packing

    /// An input as the network takes it. Kept patches are gathered when their pass runs: until then they cost next to nothing.
    private enum Item {
        case pixels(Tensor)
        case patches([Int])
        case visible([Int])
        case averaged([Int])
        case tokens(Tensor, kept: [Int]?, block: Int)
        case normed(Tensor, norm1: Tensor, block: Int)

        /// Items of one key share a pass.
        ///
        /// - Parameter mixesLengths: shortened sequences of all lengths do.
        func key(mixesLengths: Bool) -> [Int] {
            switch self {
            case .pixels(let pixels): [-1] + pixels.shape.dimensions
            case .patches(let kept): mixesLengths ? [-2] : [-2, kept.count]
            case .visible: [-4]
            case .averaged: [-5]
            case .tokens(let tokens, let kept, let block): [block, kept == nil ? 0 : 1] + tokens.shape.dimensions
            case .normed(let tokens, _, let block): [-3, block] + tokens.shape.dimensions
            }
        }
    }

    private func item(_ input: ChangedInput) -> Item {
        switch input {
        case .pixels(let pixels): .pixels(pixels)
        case .patches(let kept): kept.isEmpty && needsPatches ? .pixels(Tensor(image.shape)) : .patches(kept)
        case .visible(let kept): kept.isEmpty && needsPatches ? .pixels(Tensor(image.shape)) : .visible(kept)
        case .averaged(let kept): .averaged(kept)
        }
    }

    private struct Bucket {
        let key: [Int]
        var tokens = 0
        var items: [(index: Int, item: Item)] = []
    }

    private func tokens(of item: Item) -> Int {
        switch item {
        case .pixels, .visible, .averaged: network.prefixTokens + grid.count
        case .patches(let kept): network.prefixTokens + kept.count
        case .tokens(let tokens, _, _), .normed(let tokens, _, _): tokens.shape[0]
        }
    }

    /// Items that may wait for a pass of their length to fill: lists of patches are small, tensors are not.
    private func mayWait(_ item: Item) -> Int {
        switch item {
        case .patches, .visible, .averaged: return 2048
        case .pixels, .tokens, .normed: break
        }
        return 4 * VisionTransformer.imagesPerPass(tokens: network.prefixTokens + grid.count)
    }

    /// Logits, which may wait for each other: sequences of any length for those that fill their pass.
    private func run(_ items: some Sequence<Item>, _ body: (Int, [Float]) throws -> Void) throws {
        try run(items, inOrder: false, ask: { try logits(of: $0) }, body)
    }

    /// Inner values are large, so that their passes run in the order of the inputs.
    private func run(_ items: some Sequence<Item>, _ request: TraceRequest, _ body: (Int, ImageTrace) throws -> Void) throws {
        func ask(_ items: [Item]) throws -> [ImageTrace] {
            let trace = try pass(items, request)
            return items.indices.map { ImageTrace(trace: trace, index: $0) }
        }
        try run(items, inOrder: true, ask: ask, body)
    }

    /// - Parameter ask: answers items that share a pass.
    private func run<Answer>(
        _ items: some Sequence<Item>, inOrder: Bool, ask: ([Item]) throws -> [Answer], _ body: (Int, Answer) throws -> Void
    ) throws {
        var buckets: [Bucket] = []
        var answers: [Int: Answer] = [:]
        var next = 0
        var waiting = 0
        func flush(_ i: Int) throws {
            let bucket = buckets.remove(at: i)
            waiting -= bucket.items.count
            for (entry, answer) in zip(bucket.items, try ask(bucket.items.map(\.item))) { answers[entry.index] = answer }
            while let answer = answers.removeValue(forKey: next) {
                try body(next, answer)
                next += 1
            }
        }
        for (index, item) in items.enumerated() {
            let key = item.key(mixesLengths: !inOrder)
            let tokens = tokens(of: item)
            if inOrder, let other = buckets.first, other.key != key { try flush(0) }
            if let full = buckets.firstIndex(where: { $0.key == key }), buckets[full].tokens + tokens > VisionTransformer.tokensPerPass {
                try flush(full)
            }
            let place = buckets.firstIndex { $0.key == key } ?? buckets.count
            if place == buckets.count { buckets.append(Bucket(key: key)) }
            buckets[place].items.append((index, item))
            buckets[place].tokens += tokens
            waiting += 1
            if waiting >= mayWait(item) { try flush(0) }
        }
        while !buckets.isEmpty { try flush(0) }
    }

    /// The logits of items of one key.
    private func logits(of items: [Item]) throws -> [[Float]] {
        guard case .patches = items[0] else {
            let trace = try pass(items, .logits)
            return items.indices.map { trace.logits(of: $0) }
        }
        if watch.isStopped() { throw ExplanationStopped() }
        let lists = items.compactMap { if case .patches(let kept) = $0 { kept } else { nil } }
        let lengths = Dictionary(grouping: lists.indices) { lists[$0].count }.sorted { $0.key < $1.key }.map(\.value)
        let groups = try lengths.map { places throws(ViTError) in
            let kept = places.map { lists[$0] }
            return TokenGroup(tokens: try tokens(keeping: kept), kept: kept)
        }
        var result = [[Float]](repeating: [], count: items.count)
        for (places, logits) in zip(lengths, try model.logits(of: groups, grid: grid, workspace: workspace)) {
            for (place, own) in zip(places, logits) { result[place] = own }
        }
        passCount += items.count
        watch.passed(items.count)
        return result
    }

    /// z_0 of the image without all but these patches, lists of one length: `[lists, prefix + patches, width]`.
    private func tokens(keeping lists: [[Int]]) throws(ViTError) -> Tensor {
        let all = try embedded.get()
        let (r, d) = (network.prefixTokens, network.width)
        let n = r + lists[0].count
        var batch = workspace.tensor([lists.count, n, d])
        for (i, patches) in lists.enumerated() {
            batch.replace(from: i * n * d, with: all[0..<r])
            for (row, patch) in patches.enumerated() { batch.replace(from: (i * n + r + row) * d, with: all[r + patch]) }
        }
        return batch
    }

    /// Items of one key through the network.
    private func pass(_ items: [Item], _ request: TraceRequest) throws -> Trace {
        if watch.isStopped() { throw ExplanationStopped() }
        let targets = request.needsTarget ? [TargetChoice](repeating: .fixed(try requiredTarget()), count: items.count) : []
        let trace = try model.trace(try input(of: items), targets: targets, request: request, workspace: workspace)
        // Where only the head runs, no image goes through the network.
        if case .tokens(_, _, network.depth) = items[0] {} else { passCount += items.count }
        watch.passed(items.count)
        return trace
    }

    private func input(of items: [Item]) throws(ViTError) -> NetworkInput {
        switch items[0] {
        case .pixels(let first):
            var batch = workspace.tensor(Shape([items.count] + first.shape.dimensions))
            for (i, item) in items.enumerated() {
                if case .pixels(let pixels) = item { batch.replace(from: i * first.count, with: pixels) }
            }
            return .images(batch)
        case .patches:
            let kept = items.compactMap { if case .patches(let patches) = $0 { patches } else { nil } }
            return .tokens(try tokens(keeping: kept), grid: grid, kept: kept)
        case .visible:
            let all = try embeddedTokens()
            var batch = workspace.tensor(Shape([items.count] + all.shape.dimensions))
            var visible: [[Int]] = []
            for (i, item) in items.enumerated() {
                guard case .visible(let patches) = item else { continue }
                batch.replace(from: i * all.count, with: all)
                visible.append(patches)
            }
            return .masked(batch, grid: grid, visible: visible)
        case .averaged:
            let (own, mean) = (try embeddedTokens(), try averaged.get())
            let (r, d) = (network.prefixTokens, network.width)
            var batch = workspace.tensor(Shape([items.count] + own.shape.dimensions))
            for (i, item) in items.enumerated() {
                guard case .averaged(let kept) = item else { continue }
                batch.replace(from: i * own.count, with: mean)
                for patch in kept { batch.replace(from: i * own.count + (r + patch) * d, with: own[r + patch]) }
            }
            return .tokens(batch, grid: grid, kept: nil)
        case .tokens(let first, let firstKept, let block):
            var batch = workspace.tensor(Shape([items.count] + first.shape.dimensions))
            var kept: [[Int]] = []
            for (i, item) in items.enumerated() {
                guard case .tokens(let tokens, let own, _) = item else { continue }
                batch.replace(from: i * first.count, with: tokens)
                if let own { kept.append(own) }
            }
            return .tokens(batch, grid: grid, kept: firstKept == nil ? nil : kept, block: block)
        case .normed(let first, _, let block):
            var tokens = workspace.tensor(Shape([items.count] + first.shape.dimensions))
            var norm1 = workspace.tensor(tokens.shape)
            for (i, item) in items.enumerated() {
                guard case .normed(let own, let values, _) = item else { continue }
                tokens.replace(from: i * first.count, with: own)
                norm1.replace(from: i * first.count, with: values)
            }
            return .normed(tokens: tokens, norm1: norm1, grid: grid, block: block)
        }
    }
}
