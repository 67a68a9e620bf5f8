import Foundation
import VitrineTensor

/// A shell script that hands a study to Slurm: trainings first, then an array of shards, then the merge and the report.
///
/// One file for everything: run by hand it calls `sbatch` for each stage, and Slurm runs it again with the name of the stage. The options
/// are those of https://slurm.schedmd.com/sbatch.html. A job that its time limit stops (exit code 4) goes back to the queue by itself.
public struct SlurmScript: Sendable {
    /// The study file and the overrides, as on the command line.
    public var arguments: [String]
    /// Folder of the results, as seen from `folder`.
    public var results: String
    /// The folder that the paths start from.
    public var folder: String
    /// The program, by a path that every node knows.
    public var program: String
    /// Where the script itself lies, for advice.
    public var name = "study.slurm"
    public var shards = 8
    /// Processors of each job.
    public var cpus = 8
    /// Memory of each job, as Slurm reads it.
    public var memory = "16G"
    public var time = SlurmTime("04:00:00")!
    /// Of the trainings; nil is `time`.
    public var trainingTime: SlurmTime?
    public var partition: String?
    /// More options of sbatch for every job, such as `--account=physics`.
    public var options: [String] = []
    /// Shell commands before the program, such as `module load gcc`.
    public var setup: [String] = []
    /// Shards that run at a time; nil for no limit of ours.
    public var arrayLimit: Int?
    /// How often a job that ran out of time goes back to the queue.
    public var requeues = 20
    /// Whether the study trains models.
    public var trains = false

    public init(arguments: [String], results: String, folder: String, program: String) {
        self.arguments = arguments
        self.results = results
        self.folder = folder
        self.program = program
    }

    /// The script, with a last line that tells whether somebody has edited it since.
    public var text: String { body + Self.seal(of: body) }

    /// Whether a script is as it was written: then it can be written again.
    public static func isUntouched(_ text: String) -> Bool {
        guard let line = text.range(of: sealStart, options: .backwards) else { return false }
        let body = String(text[..<line.lowerBound])
        return text == body + seal(of: body)
    }

    private static let sealStart = "# As written by vitrine study slurm: "

    private static func seal(of body: String) -> String {
        var hash = SHA256()
        hash.update(Array(body.utf8))
        return sealStart + hash.hexadecimal() + "\n"
    }

    /// What the jobs of this study are called, so that a second submission finds them: of the study's folder of results and no other.
    private var tag: String {
        var hash = SHA256()
        hash.update(Array((results.hasPrefix("/") ? results : folder + "/" + results).utf8))
        return "vitrine-" + hash.hexadecimal().prefix(12)
    }

    private var body: String {
        let trainingTime = trainingTime ?? time
        let partition = partition.map { ["--partition=\($0)"] } ?? []
        let job = ["--cpus-per-task=\(cpus)", "--mem=\(memory)"] + partition + options
        let training = """
                training=$("${submit[@]}" --time=\(Self.quoted(trainingTime.text)) --signal=TERM@\(trainingTime.warning) \
            --job-name="$tag-train" --output="$logs/train-%j.out" "$script" train "${program[@]}")
                training=${training%%;*}
                after=(--dependency=afterok:"$training" --kill-on-invalid-dep=yes)

            """
        let trainingStage = """
            train)
                # Models are trained once, before the shards that explain them.
                work study train "${study[@]}" --workers "$SLURM_CPUS_PER_TASK"
                ;;

            """
        return """
            #!/bin/bash
            # Hands a study to Slurm: bash this file, on a login node. Whatever stops a job, run it again: what is stored is not computed
            # again. The lines down to the dashes may be edited; vitrine study slurm does not replace a script that was.
            set -euo pipefail
            folder=\(Self.quoted(folder))
            study=(\(arguments.map(Self.quoted).joined(separator: " ")))
            results=\(Self.quoted(results))
            name=\(Self.quoted(name))
            shards=\(shards)
            # Options of sbatch for every job: account, quality of service, mail, ...
            job=(\(job.map(Self.quoted).joined(separator: " ")))
            # How often a job that ran out of time goes back to the queue.
            requeues=\(requeues)
            # Commands that the program needs before it: modules, paths, ...
            setup() {
            \((setup.isEmpty ? [":"] : setup).map { "    " + $0 }.joined(separator: "\n"))
            }
            # ----

            script=$(realpath "${BASH_SOURCE[0]}")
            stage=${1:-submit}
            program=("${@:2}")
            if [ ${#program[@]} -eq 0 ]; then
                program=(\(Self.quoted(program)))
                # Another program, also one of several words: VITRINE="apptainer exec image.sif vitrine".
                if [ -n "${VITRINE:-}" ]; then read -ra program <<<"$VITRINE"; fi
            fi
            tag=\(tag)

            stop() {
                echo "$*" >&2
                exit 1
            }

            cd "$folder" || stop "$folder: is not on $(hostname); write the script again with vitrine study slurm"

            prepare() {
                set +eu
                setup
                set -eu
            }

            # Runs the program on all processors of the job and ends with its exit code. 3, something was damaged or left out, is the report's
            # to say. After 4, stopped by a signal, the job goes back to the queue, unless somebody cancelled it.
            work() {
                local code=0 id=$SLURM_JOB_ID
                [ -z "${SLURM_ARRAY_TASK_ID:-}" ] || id=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
                prepare
                echo "$(date '+%F %T') job $id on $(hostname), start $((${SLURM_RESTART_COUNT:-0} + 1)): vitrine $*"
                # srun does not take over the processors of the job by itself.
                srun --cpus-per-task="$SLURM_CPUS_PER_TASK" "${program[@]}" "$@" || code=$?
                echo "$(date '+%F %T') job $id: exit code $code"
                if [ "$code" -eq 4 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt "$requeues" ] &&
                    [ "$(squeue --noheader --jobs="$id" --format=%T)" = RUNNING ]; then
                    echo "not finished; back to the queue"
                    # Slurm ends this script.
                    if scontrol requeue "$id"; then sleep 600; fi
                fi
                if [ "$code" -eq 3 ]; then code=0; fi
                exit "$code"
            }

            case $stage in
            submit)
                command -v sbatch >/dev/null || stop "sbatch: is not here; run this script on a login node of the cluster"
                [ -r "${study[0]}" ] || stop "$folder/${study[0]}: cannot be read; write the script again with vitrine study slurm"
                (prepare && "${program[@]}" --version) >/dev/null ||
                    stop "${program[*]}: does not run here; name the program with VITRINE=PATH, or what it needs in setup ($script)"
                { mkdir -p "$results/slurm" && touch "$results/slurm/.writable" && rm "$results/slurm/.writable"; } ||
                    stop "$folder/$results: cannot be written to; choose another output in ${study[0]}"
                most=$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')
                [ -z "$most" ] || [ "$shards" -lt "$most" ] || stop "$shards shards: this cluster takes arrays of at most $((most - 1))"
                running=$(squeue --noheader --user="$(id -un)" --name="$tag-train,$tag-study,$tag-report" --format=%i | paste -sd' ' -)
                [ -z "$running" ] || stop "this study is queued or running already (jobs $running); wait for it, or end it with scancel"

                logs=${results//%/%%}/slurm
                # Before its time is over a job is told so: a training then writes a checkpoint. Logs of a job that starts again go on.
                submit=(sbatch --parsable --requeue --open-mode=append "${job[@]}")
                after=()
            \(trains ? training : "")    array=$("${submit[@]}" --time=\(Self.quoted(time.text)) --signal=TERM@\(time.warning) \
            ${after[@]+"${after[@]}"} --job-name="$tag-study" \\
                    --array="1-$shards\(arrayLimit.map { "%\($0)" } ?? "")" --output="$logs/shard-%A-%a.out" "$script" shard "${program[@]}") || {
                    \(trains ? "scancel \"$training\"" : ":")
                    stop "the shards were not taken; nothing runs"
                }
                array=${array%%;*}
                report=$("${submit[@]}" --time=\(Self.quoted(time.text)) --dependency="afterany:$array,singleton" --job-name="$tag-report" \\
                    --output="$logs/report-%j.out" "$script" report "${program[@]}") || {
                    scancel "$array"\(trains ? " \"$training\"" : "")
                    stop "the report was not taken; nothing runs"
                }
                echo "submitted: \(trains ? "training $training, " : "")shards $array (1 to $shards), report ${report%%;*}"
                echo "logs in $folder/$results/slurm; how far it is: vitrine study status $(printf %q "$folder/$results")"
                ;;
            \(trains ? trainingStage : "")shard)
                work study run "${study[@]}" --shard "$SLURM_ARRAY_TASK_ID/$shards" --workers "$SLURM_CPUS_PER_TASK"
                ;;
            report)
                prepare
                # Joined beside the results and put in their place once it is whole: what is finished is never deleted.
                code=0
                "${program[@]}" study merge --study "${study[@]}" || code=$?
                case $code in 0 | 3 | 4) ;; *) stop "nothing was merged; the report of before stays as it is" ;; esac
                code=0
                "${program[@]}" study report "$results" --output "$results/report" --workers "$SLURM_CPUS_PER_TASK" || code=$?
                if [ "$code" -eq 4 ]; then echo "not finished; submit the rest with: bash $name"; fi
                # 3: finished, but something was damaged; the report names it.
                exit "$code"
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
