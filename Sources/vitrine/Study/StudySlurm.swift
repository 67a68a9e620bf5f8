import ArgumentParser
import VitrineStudy
import VitrineTensor

struct StudySlurm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slurm", abstract: "Writes a shell script that hands a study to Slurm.",
        discussion: """
            Run the script with bash in the folder where this command was run: it submits the trainings, an array of shards, and a job that \
            merges and writes the report into OUTPUT/report, each after the one before. Run it again to continue.
            """)

    @Argument(help: "The study file.")
    var file: String

    @Argument(help: "Overrides, as for vitrine study run.")
    var overrides: [String] = []

    @Option(help: "Slices of the study, each a job of the array.")
    var shards: Int = 8

    @Option(help: "Processors of each job.")
    var cpus: Int = 8

    @Option(help: "Memory of each job, as Slurm reads it.")
    var memory: String = "16G"

    @Option(help: "Time of each job, as Slurm reads it.")
    var time: String = "04:00:00"

    @Option(help: "Partition.")
    var partition: String?

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write.")
    var output: String = "study.slurm"

    func validate() throws {
        if shards < 1 || cpus < 1 { throw ValidationError("--shards and --cpus must be at least 1") }
    }

    func run() throws {
        let plan = try StudyPlan.read(file, overrides: overrides)
        var script = SlurmScript(arguments: [file] + overrides, results: plan.output)
        script.shards = shards
        script.cpus = cpus
        script.memory = memory
        script.time = time
        script.partition = partition
        script.trains = plan.trainsModels
        try AtomicFile.write(Array(script.text.utf8), to: output)
        print("\(output) written; submit it with: bash \(output)")
    }
}
