/// A shell script that hands a study to Slurm: trainings first, then an array of shards, then the merge and the report.
///
/// One file for everything: run by hand it calls `sbatch` for each stage, and Slurm runs it again with the name of the stage. The options
/// are those of https://slurm.schedmd.com/sbatch.html.
public struct SlurmScript: Sendable {
    /// The study file and the overrides, as on the command line.
    public var arguments: [String]
    /// Folder of the results, as seen from the folder that the script is run in.
    public var results: String
    public var shards = 8
    /// Processors of each job.
    public var cpus = 8
    /// Memory and time of each job, as Slurm reads them.
    public var memory = "16G"
    public var time = "04:00:00"
    public var partition: String?
    /// Whether the study trains models.
    public var trains = false

    public init(arguments: [String], results: String) {
        self.arguments = arguments
        self.results = results
    }

    public var text: String {
        let partition = partition.map { " --partition=\(Self.quoted($0))" } ?? ""
        let training = """
                training=$("${job[@]}" --job-name=vitrine-train --output="$results/slurm/train-%j.out" "$0" train)
                after=(--dependency=afterok:"${training%%;*}" --kill-on-invalid-dep=yes)

            """
        let trainingStage = """
            train)
                # Models are trained once, before the shards that explain them.
                srun "$vitrine" study train "${study[@]}" --workers "$SLURM_CPUS_PER_TASK" --quiet || [ $? -eq 3 ]
                ;;

            """
        return """
            #!/bin/bash
            # Hands a study to Slurm: bash this file, on a login node, in the folder it was made in. Whatever stops a job, run it again:
            # what is stored is not computed again. VITRINE names the program where it is not in the path.
            set -euo pipefail
            vitrine=${VITRINE:-vitrine}
            study=(\(arguments.map(Self.quoted).joined(separator: " ")))
            results=\(Self.quoted(results))
            shards=\(shards)

            case ${1:-submit} in
            submit)
                mkdir -p "$results/slurm"
                # Two minutes before its time is over a job is told so: a training then writes a checkpoint.
                job=(sbatch --parsable --cpus-per-task=\(cpus) --mem=\(Self.quoted(memory)) --time=\(Self.quoted(time)) \
            --signal=TERM@120\(partition))
                after=()
            \(trains ? training : "")    array=$("${job[@]}" ${after[@]+"${after[@]}"} --job-name=vitrine-study --array="1-$shards" \\
                    --output="$results/slurm/shard-%A-%a.out" "$0" shard)
                # A shard ends with exit code 3 when something is damaged; the report says what.
                "${job[@]}" --dependency=afterany:"${array%%;*}" --job-name=vitrine-report --output="$results/slurm/report-%j.out" "$0" report
                ;;
            \(trains ? trainingStage : "")shard)
                srun "$vitrine" study run "${study[@]}" --shard "$SLURM_ARRAY_TASK_ID/$shards" --workers "$SLURM_CPUS_PER_TASK" --quiet
                ;;
            report)
                rm -f "$results"/results.sqlite "$results"/results.sqlite-wal "$results"/results.sqlite-shm
                "$vitrine" study merge "$results"/results-*-of-"$shards".sqlite --output "$results/results.sqlite" || [ $? -eq 3 ]
                "$vitrine" study report "$results" --output "$results/report" --workers "$SLURM_CPUS_PER_TASK"
                ;;
            esac

            """
    }

    /// A word of the shell.
    private static func quoted(_ text: String) -> String {
        let plain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "._-/=,:@%+".utf8.contains(byte)
            }
        return plain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
