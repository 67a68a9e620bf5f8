import ArgumentParser
import VitrineData
import VitrineModel

/// Flags that say how a checkpoint is read, shared by the subcommands that load one: one for each `LoadSetting`.
struct ModelOptions: ParsableArguments {
    @Option(help: help(.heads)) var heads: String?
    @Option(help: help(.activation)) var activation: String?
    @Option(help: help(.epsilon)) var epsilon: String?
    @Option(help: help(.pooling)) var pooling: String?
    @Option(help: help(.head)) var head: String?
    @Option(help: help(.adapter)) var adapter: String?
    @Option(help: help(.probabilities)) var probabilities: String?
    @Option(help: help(.classes)) var classes: String?
    @Option(name: .customLong(LoadSetting.positionGrid.rawValue), help: help(.positionGrid)) var positionGrid: String?
    @Option(name: .customLong(LoadSetting.positionResampling.rawValue), help: help(.positionResampling)) var positionResampling: String?
    @Option(help: help(.rotary)) var rotary: String?
    @Option(help: help(.group)) var group: String?
    @Option(help: help(.prefix)) var prefix: String?
    @Option(help: help(.ignore)) var ignore: String?
    @Option(
        help: ArgumentHelp(
            "Preprocessing of a published model, for a file that says nothing itself: "
                + PreprocessPreset.all.map(\.name).joined(separator: ", ") + ".",
            valueName: "name"))
    var preset: String?

    private static func help(_ setting: LoadSetting) -> ArgumentHelp {
        let choices = setting.values.contains("|") ? " " + setting.values.replacing("|", with: ", ") + "." : ""
        return ArgumentHelp(
            setting.summary + choices + " Default: what the file, or a configuration beside it, shows.",
            valueName: setting.values.contains("|") ? "kind" : setting.values.lowercased())
    }

    private var given: [(LoadSetting, String?)] {
        [
            (.heads, heads), (.activation, activation), (.epsilon, epsilon), (.pooling, pooling), (.head, head),
            (.adapter, adapter),
            (.probabilities, probabilities), (.classes, classes), (.positionGrid, positionGrid), (.positionResampling, positionResampling),
            (.rotary, rotary),
            (.group, group), (.prefix, prefix), (.ignore, ignore),
        ]
    }

    /// What was given.
    var settings: [LoadSetting: String] {
        Dictionary(uniqueKeysWithValues: given.compactMap { setting, text in text.map { (setting, $0) } })
    }

    /// - Parameter otherwise: settings for what no flag gives.
    func loadOptions(otherwise: [LoadSetting: String] = [:]) throws -> LoadOptions {
        var options = LoadOptions()
        for (setting, flag) in given {
            guard let text = flag ?? otherwise[setting] else { continue }
            do { try options.set(setting, to: text) } catch { throw ValidationError("--\(error)") }
        }
        return options
    }

    func validate() throws {
        _ = try loadOptions()
        if let preset {
            do { _ = try PreprocessPreset.named(preset) } catch { throw ValidationError("--preset: \(error)") }
        }
    }

    /// Loads a checkpoint, and says what file it was; an error that a flag answers names the flag.
    ///
    /// - Parameters:
    ///   - head: what becomes of the classifier head.
    ///   - otherwise: settings for what no flag gives.
    func load(
        _ path: String, head: LoadOptions.Head = .asStored, otherwise: [LoadSetting: String] = [:]
    ) throws -> (model: LoadedModel, file: CheckpointFile) {
        var options = try loadOptions(otherwise: otherwise)
        options.head = head
        return try Self.namingFlags {
            let file = try Checkpoint.open(path)
            return (try VisionTransformer.load(file, options: options), file)
        }
    }

    /// Does something with a model; an error that a flag answers names the flag.
    static func namingFlags<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch {
            guard let setting = (error as? LoadError)?.setting ?? (error as? CheckpointError)?.setting else { throw error }
            throw CommandFailure("\(error) (--\(setting.rawValue) \(setting.values))")
        }
    }

    /// What was taken on trust, in one line with the flags that change it; nil where nothing was.
    static func assumptions(_ facts: [ModelFact], preprocess: String? = nil) -> String? {
        var parts = facts.filter(\.isAssumed).filter { $0.setting != .positionResampling && $0.setting != .probabilities }.map { fact in
            "\(fact.name) \(fact.value)" + (fact.setting.map { " (--\($0.rawValue))" } ?? "")
        }
        if let preprocess { parts.append("preprocessing \(preprocess) (--preprocess)") }
        return parts.isEmpty ? nil : "assumed, since the file does not say: " + parts.joined(separator: ", ")
    }
}
