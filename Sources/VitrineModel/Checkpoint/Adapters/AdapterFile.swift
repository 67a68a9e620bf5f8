import VitrineTensor

/// A low-rank adapter as PEFT writes it: `W + s B A` instead of W, for some of a model's linear maps (LoRA,
/// https://arxiv.org/abs/2106.09685, eq. 3), and tensors that replace the model's own (`modules_to_save`, biases).
///
/// A folder with `adapter_config.json` and `adapter_model.safetensors` or `adapter_model.bin`.
public struct AdapterFile: Sendable {
    /// A linear map with an adapter: `[r, inputs]` and `[outputs, r]`.
    struct Module: Sendable {
        let name: String
        var down: TensorEntry?
        var up: TensorEntry?
        /// Of the second map (`lora_bias`).
        var bias: TensorEntry?
    }

    public let path: String
    /// Of a line for each of its two files: `digest  name`.
    public let sha256: String
    let configuration: AdapterConfiguration
    /// In the order of their names, which are those of the model in memory.
    let modules: [Module]
    /// Tensors that replace the model's, by their names there.
    let replacements: [(name: String, entry: TensorEntry)]

    /// Names of the file with the tensors, most wanted first.
    private static let weights = ["adapter_model.safetensors", "adapter_model.bin"]
    /// What PEFT puts before a model's own names.
    private static let wrapper = "base_model.model."

    /// - Parameter path: the folder, or one of its files.
    /// - Throws: `CheckpointError` for a file that cannot be read; `LoadError.adapter` for what is no LoRA adapter.
    public init(path: String) throws {
        let (configuration, weights) = try Self.files(path)
        let folder = configuration.path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        self.path = folder.isEmpty ? "." : folder
        self.configuration = try AdapterConfiguration(
            json: configuration.bytes(0..<configuration.count), path: configuration.path)
        let file = try Checkpoint.open(weights)
        let name = weights.split(separator: "/").last ?? ""
        sha256 = VitrineTensor.sha256(
            of: Array(
                "\(VitrineTensor.sha256(of: configuration.bytes(0..<configuration.count)))  adapter_config.json\n\(file.sha256())  \(name)\n"
                    .utf8))
        var modules: [String: Module] = [:]
        var replacements: [(name: String, entry: TensorEntry)] = []
        for name in file.names {
            guard let entry = file.tensors[name] else { continue }
            guard name.hasPrefix(Self.wrapper) else {
                throw LoadError.adapter(
                    path: weights, reason: "'\(shortened(name))' does not begin with '\(Self.wrapper)', as PEFT writes names")
            }
            // PEFT 0.21 adds the output projection's part of `nn.MultiheadAttention` twice, in training too; not all versions do.
            guard !name.contains(".base_layer.out_proj.") else {
                throw LoadError.adapter(
                    path: weights,
                    reason:
                        "'\(shortened(name))' adapts nn.MultiheadAttention, which versions of PEFT merge in different ways; let yours merge it "
                        + "(merge_and_unload), and load the merged model")
            }
            let own = String(
                name.dropFirst(Self.wrapper.count).replacing("base_layer.", with: "")
                    .replacing("modules_to_save.default.", with: "").replacing("modules_to_save.", with: ""))
            func module(_ ending: String) -> String? { own.hasSuffix(ending) ? String(own.dropLast(ending.count)) : nil }
            if let module = module(".lora_A.weight") {
                modules[module, default: Module(name: module)].down = entry
            } else if let module = module(".lora_B.weight") {
                modules[module, default: Module(name: module)].up = entry
            } else if let module = module(".lora_B.bias") {
                modules[module, default: Module(name: module)].bias = entry
            } else if own.contains("lora_") || own.contains("original_module") {
                throw LoadError.adapter(
                    path: weights,
                    reason: "'\(shortened(name))' is no part of plain LoRA on linear maps (lora_A and lora_B, and whole tensors)")
            } else {
                replacements.append((name: own, entry: entry))
            }
        }
        guard !modules.isEmpty || !replacements.isEmpty else { throw LoadError.adapter(path: weights, reason: "holds no tensor") }
        self.modules = modules.values.sorted { $0.name < $1.name }
        self.replacements = replacements
    }

    /// SHA-256 of the adapter in a folder; nil where there is none that can be read.
    public static func sha256(_ path: String) -> String? { (try? AdapterFile(path: path))?.sha256 }

    private static func files(_ path: String) throws -> (configuration: MappedFile, weights: String) {
        var folder = path
        for name in weights + ["adapter_config.json"] where path.hasSuffix("/" + name) || path == name {
            folder = String(path.dropLast(name.count))
        }
        let start = folder.isEmpty || folder.hasSuffix("/") ? folder : folder + "/"
        let configuration: MappedFile
        do { configuration = try MappedFile(path: start + "adapter_config.json") } catch { throw CheckpointError.unreadable(error) }
        guard configuration.count <= 4 << 20 else {
            throw LoadError.adapter(
                path: configuration.path, reason: "has \(configuration.count) bytes, and no adapter's configuration is so long")
        }
        guard let weights = weights.first(where: { (try? MappedFile(path: start + $0)) != nil }) else {
            throw LoadError.adapter(path: path, reason: "has an adapter_config.json and neither of \(Self.weights.joined(separator: ", "))")
        }
        return (configuration, start + weights)
    }
}
