import ArgumentParser

@main
struct Vitrine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vitrine",
        abstract: "Explains vision transformers on medical images, and measures which explanations deserve trust.",
        subcommands: [PhantomCommand.self])
}
