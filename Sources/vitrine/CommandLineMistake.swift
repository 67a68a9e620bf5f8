import ArgumentParser
import VitrineTensor

/// What somebody probably meant who wrote a command or an option that does not exist.
enum CommandLineMistake {
    /// A sentence about a word that stands where a subcommand should; nil when there is none.
    static func command(_ arguments: [String], _ root: any ParsableCommand.Type) -> String? {
        var command = root
        for word in arguments {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            guard let next = subcommands.first(where: { $0._commandName == word }) else {
                let names = subcommands.map { $0._commandName }
                return "no command '\(word)'\(Suggestion.question(word, in: names)) The commands are \(names.joined(separator: ", "))"
            }
            command = next
        }
        return nil
    }

    /// The words of the command that arguments name, such as `study run`.
    static func path(_ arguments: [String], _ root: any ParsableCommand.Type) -> String {
        var command = root
        var words: [String] = []
        for word in arguments {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else { continue }
            command = next
            words.append(word)
        }
        return words.joined(separator: " ")
    }

    /// A sentence about the first option that the command does not have; nil when all are known.
    static func option(_ arguments: [String], _ root: any ParsableCommand.Type) -> String? {
        var command = root
        for word in arguments {
            if let next = command.configuration.subcommands.first(where: { $0._commandName == word }) { command = next }
        }
        let names = optionNames(command)
        guard !names.isEmpty else { return nil }
        for word in arguments.prefix(while: { $0 != "--" }) where word.hasPrefix("--") {
            let name = String(word.prefix { $0 != "=" })
            guard !names.contains(name), !["--help", "--version", "--help-hidden", "--generate-completion-script"].contains(name) else {
                continue
            }
            return "\(command._commandName) has no option '\(name)'\(Suggestion.question(name, in: names)) See --help for its options"
        }
        return nil
    }

    /// The long options of a command, from its own help page: a line per option that begins with its names.
    private static func optionNames(_ command: any ParsableCommand.Type) -> [String] {
        command.helpMessage(includeHidden: true, columns: 1000).split(separator: "\n").filter { $0.hasPrefix("  -") }.flatMap { line in
            line.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "/" }).prefix(4).filter { $0.hasPrefix("--") }.map(String.init)
        }
    }
}
