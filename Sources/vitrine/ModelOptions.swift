import ArgumentParser
import VitrineModel

/// Flags that say how a checkpoint is read, shared by the subcommands that load one.
struct ModelOptions: ParsableArguments {
    @Option(help: "Number of attention heads, where the checkpoint does not show it.")
    var heads: Int?

    @Option(name: .customLong("group"), help: "Dictionary of a training checkpoint to load, such as student (default: found and reported).")
    var group: String?

    @Option(help: "Prefix of the model's tensor names, such as module.backbone. (default: found and reported).")
    var prefix: String?

    @Option(name: .customLong("position-grid"), help: "Rows x columns of the stored position embedding, where it is not square.")
    var positionGrid: PatchGrid?

    var loadOptions: LoadOptions {
        var options = LoadOptions(heads: heads, positionGrid: positionGrid)
        options.group = group
        options.prefix = prefix
        return options
    }

    /// Loads a checkpoint; an error that a flag answers names the flag.
    ///
    /// - Parameter head: what becomes of the classifier head.
    func load(_ path: String, head: LoadOptions.Head = .asStored) throws -> LoadedModel {
        var options = loadOptions
        options.head = head
        do { return try VisionTransformer.load(path, options: options) } catch {
            guard let setting = (error as? LoadError)?.setting ?? (error as? CheckpointError)?.setting else { throw error }
            throw CommandFailure("\(error) (--\(setting.rawValue) \(setting.values))")
        }
    }
}

extension PatchGrid: ExpressibleByArgument {
    /// Reads `ROWSxCOLUMNS`.
    public init?(argument: String) {
        let sides = argument.split(separator: "x").compactMap { Int($0) }
        guard sides.count == 2, sides.allSatisfy({ $0 > 0 }) else { return nil }
        self.init(rows: sides[0], columns: sides[1])
    }
}
