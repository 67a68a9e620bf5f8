import ArgumentParser
import Foundation
import VitrineStudy
import VitrineTensor

struct StudySlurm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slurm", abstract: "Writes a shell script that hands a study to Slurm.",
        discussion: """
            Run the script with bash, on a login node: it submits the trainings, an array of shards, and a job that merges and writes the \
            report into OUTPUT/report, each after the one before. Jobs that run out of time go back to the queue by themselves. Run it again \
            to continue after anything else. vitrine study status OUTPUT shows how far it is.

            Account, modules and the like: --sbatch "--account=NAME", --setup "module load gcc". A script that was edited is not replaced.
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

    @Option(help: "Time of each job, as Slurm reads it; at least 5 minutes.", transform: Self.readTime)
    var time = SlurmTime("04:00:00")!

    @Option(
        name: .customLong("train-time"), help: "Time of the job that trains the models (default: --time).", transform: Self.readTime)
    var trainTime: SlurmTime?

    @Option(help: "Partition.")
    var partition: String?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Another option of sbatch for every job, such as --account=NAME; may be given several times.", valueName: "option"))
    var sbatch: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: "A shell command to run before the program, such as 'module load gcc'; may be given several times.")
    var setup: [String] = []

    @Option(name: .customLong("array-limit"), help: "Shards that run at a time (default: as many as Slurm lets).")
    var arrayLimit: Int?

    @Option(help: "How often a job that ran out of time goes back to the queue.")
    var requeues: Int = 20

    @Option(name: [.customLong("output"), .customShort("o")], help: "The file to write.")
    var output: String = "study.slurm"

    @Flag(help: "Replace a script that was edited.")
    var force = false

    func validate() throws {
        if shards < 1 { throw ValidationError("--shards must be at least 1") }
        if cpus < 1 { throw ValidationError("--cpus must be at least 1") }
        if requeues < 0 { throw ValidationError("--requeues must not be negative") }
        if let arrayLimit, arrayLimit < 1 { throw ValidationError("--array-limit must be at least 1") }
    }

    func run() throws {
        let plan = try StudyPlan.read(file, overrides: overrides)
        let images = plan.mostImages
        guard shards <= images else {
            throw CommandFailure(
                "--shards \(shards): the largest data set has \(images) images, and a shard needs one; ask for at most \(images)")
        }
        if let data = FileManager.default.contents(atPath: output), !force, !SlurmScript.isUntouched(String(decoding: data, as: UTF8.self))
        {
            throw CommandFailure("\(output): was edited since it was written; name another file with --output, or replace it with --force")
        }
        let folder = FileManager.default.currentDirectoryPath
        var script = SlurmScript(arguments: [file] + overrides, results: plan.output, folder: folder, program: Self.program())
        script.name = output.hasPrefix("/") ? output : folder + "/" + output
        script.shards = shards
        script.cpus = cpus
        script.memory = memory
        script.time = time
        script.trainingTime = trainTime
        script.partition = partition
        script.options = sbatch
        script.setup = setup
        script.arrayLimit = arrayLimit
        script.requeues = requeues
        script.trains = plan.trainsModels
        try AtomicFile.write(Array(script.text.utf8), to: output)
        print("\(output) written; submit it with: bash \(output)")
    }

    /// This program, where the nodes find it too.
    private static func program() -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    private static func readTime(_ text: String) throws -> SlurmTime {
        guard let time = SlurmTime(text) else {
            throw ValidationError("'\(text)' is no time that Slurm reads, such as 90 (minutes), 04:00:00 or 1-12")
        }
        if let seconds = time.seconds, seconds < SlurmTime.shortest {
            throw ValidationError(
                "\(text) is too short: a job is told to stop up to a minute and a half before its end; give at least \(SlurmTime.shortest / 60) minutes"
            )
        }
        return time
    }
}
