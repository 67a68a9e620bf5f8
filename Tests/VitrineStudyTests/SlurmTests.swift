import Foundation
import Testing
import VitrineTensor

@testable import VitrineStore
@testable import VitrineStudy

/// A cluster of shell scripts: `sbatch` notes what it is asked, `srun` runs it, `squeue` and `scontrol` answer what a test wrote.
private final class Cluster {
    let scratch: Scratch
    var script: SlurmScript

    init(results: String = "results", arguments: [String] = ["study.yaml"]) throws {
        scratch = try Scratch()
        try scratch.write("title: x\n", to: arguments[0])
        let stubs = [
            "sbatch":
                #"printf '%q ' "$@" >>"$W/sbatch"; echo >>"$W/sbatch"; [ ! -e "$W/refuse-array" ] || case "$*" in *--array*) exit 1 ;; esac; echo "$(wc -l <"$W/sbatch");cluster""#,
            "srun": #"echo "$1" >>"$W/srun"; shift; "$@""#,
            "squeue":
                #"case "$*" in *--jobs*) cat "$W/state" 2>/dev/null || echo RUNNING ;; *) cat "$W/queue" 2>/dev/null || true ;; esac"#,
            "scontrol": #"case $1 in show) echo "MaxArraySize            = ${MOST:-1001}" ;; *) echo "$*" >>"$W/requeued"; exit 1 ;; esac"#,
            "scancel": #"echo "$*" >>"$W/cancelled""#,
            "vitrine":
                #"[ "${1:-}" != --version ] || exit "${BROKEN:-0}"; printf '%q ' "$@" >>"$W/ran"; echo >>"$W/ran"; case "$1 $2" in "study merge") exit "${MERGE:-0}" ;; esac; exit "${CODE:-0}""#,
        ]
        for (name, text) in stubs {
            try scratch.write("#!/bin/bash\n" + text + "\n", to: "bin/" + name)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: scratch.file("bin/" + name))
        }
        // The machine of the test may have a Slurm of its own, which must not be found.
        try scratch.makeFolder("tools")
        for tool in ["bash", "cat", "date", "env", "hostname", "id", "mkdir", "paste", "realpath", "rm", "sed", "touch", "wc"] {
            let place = ["/usr/bin/", "/bin/"].first { FileManager.default.isExecutableFile(atPath: $0 + tool) } ?? "/usr/bin/"
            try FileManager.default.createSymbolicLink(atPath: scratch.file("tools/" + tool), withDestinationPath: place + tool)
        }
        script = SlurmScript(arguments: arguments, results: results, folder: scratch.path, program: scratch.file("bin/vitrine"))
        script.name = scratch.file("study.slurm")
    }

    /// Runs the script, as a login node (no stage) or a job does.
    func run(_ stage: [String] = [], _ environment: [String: String] = [:], from folder: String = "/") throws -> (
        code: Int32, output: String
    ) {
        try scratch.write(script.text, to: "study.slurm")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [scratch.file("study.slurm")] + stage
        process.currentDirectoryURL = URL(filePath: folder)
        var all = [
            "PATH": scratch.file("bin") + ":" + scratch.file("tools"), "W": scratch.path, "SLURM_CPUS_PER_TASK": "6", "SLURM_JOB_ID": "7",
        ]
        all.merge(environment) { $1 }
        process.environment = all
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    /// The lines that a stub noted.
    func noted(_ name: String) -> [String] {
        let text = try? String(contentsOf: URL(filePath: scratch.file(name)), encoding: .utf8)
        return text?.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
    }
}

@Suite("Slurm")
struct SlurmTests {
    @Test("times are read as Slurm reads them")
    func times() {
        let right: [(String, Int)] = [
            ("90", 5400), ("10:30", 630), ("01:02:03", 3723), ("1-12", 129_600), ("2-01:30", 178_200), ("1-00:00:01", 86_401), ("0", 0),
        ]
        for (text, seconds) in right { #expect(SlurmTime(text)?.seconds == seconds, "\(text)") }
        for text in ["", "x", "1:2:3:4", "1-", "-5", "1-2-3", "4 h", "1.5", ":", "99999999999999999999"] {
            #expect(SlurmTime(text) == nil, "\(text)")
        }
        #expect(SlurmTime("UNLIMITED")?.seconds == nil)
        // Two minutes before the end, a tenth of short jobs.
        #expect(["04:00:00", "00:10:00", "5", "infinite"].map { SlurmTime($0)?.warning } == [120, 60, 30, 120])
    }

    @Test("the script is plain shell: words of any content stay words, in folders of any name")
    func words() throws {
        let results = "out 100%j [x] 'y' $HOME"
        let cluster = try Cluster(results: results, arguments: ["my study.yaml", "title='a $HOME \"b\"'", "x=*"])
        cluster.script.options = ["--account=a b", "--comment=$X"]
        let run = try cluster.run()
        #expect(run.code == 0, "\(run.output)")
        let calls = cluster.noted("sbatch")
        #expect(calls.count == 2)
        #expect(calls.allSatisfy { $0.contains(#"--account=a\ b --comment=\$X"#) })
        // Slurm puts the job's number in the place of %j.
        #expect(calls[0].contains(#"--output=out\ 100%%j\ \[x\]\ \'y\'\ \$HOME/slurm/shard-%A-%a.out"#), "\(calls[0])")
        #expect(FileManager.default.fileExists(atPath: cluster.scratch.file(results + "/slurm")))
        _ = try cluster.run(["shard", cluster.script.program], ["SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_JOB_ID": "7"])
        #expect(
            cluster.noted("ran") == [#"study run my\ study.yaml title=\'a\ \$HOME\ \"b\"\' x=\* --shard 3/8 --workers 6"#])
    }

    @Test("trainings, shards and report are submitted one after the other; the report has a name of this study alone")
    func stages() throws {
        let cluster = try Cluster()
        cluster.script.trains = true
        cluster.script.trainingTime = SlurmTime("1-00")
        cluster.script.arrayLimit = 3
        let run = try cluster.run()
        #expect(run.code == 0, "\(run.output)")
        #expect(run.output.contains("submitted: training 1, shards 2 (1 to 8), report 3"))
        let calls = cluster.noted("sbatch")
        #expect(calls[0].contains("--time=1-00 --signal=TERM@120") && calls[0].hasSuffix(" train \(cluster.script.program)"))
        #expect(calls[1].contains("--array=1-8%3") && calls[1].contains("--dependency=afterok:1 --kill-on-invalid-dep=yes"))
        #expect(calls[2].contains("--dependency=afterany:2\\,singleton") || calls[2].contains("--dependency=afterany:2,singleton"))
        #expect(calls.allSatisfy { $0.hasPrefix("--parsable --requeue --open-mode=append --cpus-per-task=8 --mem=16G") })
        let names = calls.compactMap { $0.split(separator: " ").first { $0.hasPrefix("--job-name=") } }
        let other = try Cluster()
        _ = try other.run()
        #expect(names.count == 3 && Set(names).count == 3)
        #expect(!other.noted("sbatch").contains { $0.contains(names[2]) })
    }

    @Test("a second submission while the first is queued or running is refused, and what is wrong is found before anything is submitted")
    func submission() throws {
        let cases: [(change: (Cluster) throws -> [String: String], says: String)] = [
            (
                {
                    try $0.scratch.write("12\n13_[1-8]\n", to: "queue")
                    return [:]
                }, "this study is queued or running already (jobs 12 13_[1-8])"
            ),
            ({ _ in ["BROKEN": "127"] }, "does not run here; name the program with VITRINE=PATH"),
            ({ _ in ["VITRINE": "/opt/nowhere/vitrine"] }, "/opt/nowhere/vitrine: does not run here"),
            (
                {
                    try FileManager.default.removeItem(atPath: $0.scratch.file("study.yaml"))
                    return [:]
                }, "study.yaml: cannot be read"
            ),
            (
                {
                    try FileManager.default.removeItem(atPath: $0.scratch.file("bin/sbatch"))
                    return [:]
                }, "run this script on a login node"
            ),
            (
                {
                    try $0.scratch.write("x", to: "results")
                    return [:]
                }, "cannot be written to; choose another output"
            ),
            ({ _ in ["MOST": "8"] }, "8 shards: this cluster takes arrays of at most 7"),
            (
                {
                    $0.script.folder = "/nowhere/at/all"
                    return [:]
                }, "/nowhere/at/all: is not on"
            ),
        ]
        for (change, says) in cases {
            let cluster = try Cluster()
            let run = try cluster.run([], change(cluster))
            #expect(run.code == 1 && run.output.contains(says), "\(says): \(run.code) \(run.output)")
            #expect(cluster.noted("sbatch") == [], "\(says)")
        }
        // An array that Slurm refuses takes its training with it.
        let cluster = try Cluster()
        cluster.script.trains = true
        try cluster.scratch.write("", to: "refuse-array")
        let run = try cluster.run()
        #expect(run.code == 1 && run.output.contains("nothing runs"))
        #expect(cluster.noted("cancelled") == ["1"])
    }

    @Test("srun gets the processors, modules are loaded first, and the program may be several words")
    func srun() throws {
        let cluster = try Cluster()
        cluster.script.setup = [#"echo "loaded: $UNSET_VARIABLE""#, "export LOADED=yes"]
        _ = try cluster.run(["shard", "env", "A=b", cluster.script.program], ["SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_JOB_ID": "7"])
        #expect(cluster.noted("srun") == ["--cpus-per-task=6"])
        #expect(cluster.noted("ran") == ["study run study.yaml --shard 1/8 --workers 6"])
        _ = try cluster.run([], ["VITRINE": "env A=b \(cluster.script.program)"])
        #expect(cluster.noted("sbatch").last?.hasSuffix("report env A=b \(cluster.script.program)") == true)
    }

    @Test("a job that ran out of time goes back to the queue, unless it was cancelled or did so often enough")
    func requeue() throws {
        let cases: [(code: String, restarts: String?, state: String?, exit: Int32, requeued: [String])] = [
            ("4", nil, nil, 4, ["requeue 9_2"]), ("4", "19", nil, 4, ["requeue 9_2"]), ("4", "20", nil, 4, []),
            ("4", nil, "COMPLETING", 4, []), ("4", nil, "", 4, []), ("0", nil, nil, 0, []), ("3", nil, nil, 0, []), ("1", nil, nil, 1, []),
            ("137", nil, nil, 137, []),
        ]
        for (code, restarts, state, exit, requeued) in cases {
            let cluster = try Cluster()
            if let state { try cluster.scratch.write(state + "\n", to: "state") }
            var environment = ["CODE": code, "SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_JOB_ID": "9"]
            environment["SLURM_RESTART_COUNT"] = restarts
            let run = try cluster.run(["shard", cluster.script.program], environment)
            #expect(run.code == exit && cluster.noted("requeued") == requeued, "\(code) \(restarts ?? "") \(state ?? ""): \(run.output)")
            // The log says what ran, where, and how it ended.
            #expect(run.output.contains("start \(Int(restarts ?? "0")! + 1): vitrine study run study.yaml"))
            #expect(run.output.contains("exit code \(code)"))
        }
        let cluster = try Cluster()
        cluster.script.trains = true
        let run = try cluster.run(["train", cluster.script.program], ["CODE": "4"])
        #expect(run.code == 4 && cluster.noted("requeued") == ["requeue 7"])
    }

    @Test("the report job deletes nothing: it merges beside, and keeps the old report where there is nothing to merge")
    func report() throws {
        let cluster = try Cluster()
        for name in ["results/results.sqlite", "results/report/report.html"] { try cluster.scratch.write("old", to: name) }
        let program = cluster.script.program
        let merge = "study merge --study study.yaml"
        let page = "study report results --output results/report --workers 6"
        var ran: [String] = []
        for (merged, code, exit, calls) in [
            ("1", "0", Int32(1), [merge]), ("64", "0", 1, [merge]), ("4", "4", 4, [merge, page]), ("3", "3", 3, [merge, page]),
            ("0", "0", 0, [merge, page]),
        ] {
            let run = try cluster.run(["report", program], ["MERGE": merged, "CODE": code])
            ran += calls
            #expect(run.code == exit && cluster.noted("ran") == ran, "\(merged): \(run.output)")
            #expect(run.output.contains("not finished; submit the rest with: bash \(cluster.scratch.path)/study.slurm") == (exit == 4))
        }
        // A program that is not on the node.
        #expect(try cluster.run(["report", "/opt/nowhere/vitrine"]).code == 1)
        for name in ["results/results.sqlite", "results/report/report.html"] {
            #expect(FileManager.default.contents(atPath: cluster.scratch.file(name)) == Data("old".utf8))
        }
        #expect(!cluster.script.text.contains("rm -f"))
    }

    @Test("a script that was edited is told from one that was not")
    func edited() throws {
        let text = try Cluster().script.text
        #expect(SlurmScript.isUntouched(text))
        #expect(!SlurmScript.isUntouched(text.replacing("requeues=20", with: "requeues=2")))
        #expect(!SlurmScript.isUntouched(text + "\n"))
        #expect(!SlurmScript.isUntouched("#!/bin/bash\n"))
        #expect(!SlurmScript.isUntouched(""))
    }
}

@Suite("Stores of one study")
struct StudyStoresTests {
    private func study(_ overrides: [String] = []) throws -> (Scratch, StudyPlan) {
        let scratch = try Scratch()
        try scratch.writeTable("table", count: 4)
        for name in ["a", "b"] { try scratch.writeModel("weights/table_\(name).safetensors", seed: name == "a" ? 1 : 2) }
        _ = try scratch.writeStudy()
        return (scratch, try scratch.plan(overrides))
    }

    private func digest(_ path: String) throws -> String {
        let store = try Store.open(path)
        let digest = try store.contentDigest()
        try store.close()
        return digest
    }

    @Test("names of stores are told from other names")
    func names() {
        #expect(StudyStores.shard("results.sqlite") == .whole)
        #expect(StudyStores.shard("results-2-of-4.sqlite") == StudyShard(index: 2, count: 4))
        for name in [
            "results-0-of-4.sqlite", "results-5-of-4.sqlite", "results-1-of-1.sqlite", "results-01-of-4.sqlite",
            "results-2-of-4.sqlite-wal",
            "results.sqlite.lock", "results-2-of-4", "results-a-of-b.sqlite", "my-2-of-4.sqlite", "results.sqlite.merging",
        ] { #expect(StudyStores.shard(name) == nil, "\(name)") }
    }

    @Test("shards of any number, and a whole run beside them, are joined; the answer is that of one run (F2, F11)")
    func merge() throws {
        let (scratch, plan) = try study()
        let whole = try digest(scratch.run(plan, into: "single"))
        #expect(throws: StudyStoresError.nothing(folder: plan.output, untrained: [])) { try StudyStores.merge(plan) }
        // Two of two shards, then one of three: more shards after a time limit compute nothing again.
        try scratch.run(plan, shard: StudyShard(index: 1, count: 2)!)
        let part = try StudyStores.merge(plan)
        #expect(!part.isComplete && part.done > 0)
        try scratch.run(plan, shard: StudyShard(index: 2, count: 2)!)
        try scratch.run(plan, shard: StudyShard(index: 1, count: 3)!)
        let all = try StudyStores.merge(plan)
        #expect(all.isComplete)
        let path = scratch.file("results/results.sqlite")
        #expect(try digest(path) == whole)
        #expect(try StudyStores.merge(plan) == all)
        #expect(try digest(path) == whole)
        #expect(try !FileSystem.list(scratch.file("results")).contains { $0.contains("merging") })
    }

    @Test("--shards 1: the only shard is the result, and joining it loses nothing (F2a)")
    func oneShard() throws {
        let (scratch, plan) = try study()
        let digest = try digest(scratch.run(plan, shard: StudyShard("1/1")!))
        #expect(try StudyStores.merge(plan).isComplete)
        #expect(try self.digest(scratch.file("results/results.sqlite")) == digest)
    }

    @Test("a changed study over old shards is refused, by name, and nothing is touched (F3)")
    func changed() throws {
        let (scratch, plan) = try study()
        for index in 1...2 { try scratch.run(plan, shard: StudyShard(index: index, count: 2)!) }
        _ = try StudyStores.merge(plan)
        let path = scratch.file("results/results.sqlite")
        let before = try digest(path)
        let other = try scratch.plan(["seed=5"])
        let failure = #expect(throws: StoreError.self) { try StudyStores.merge(other) }
        #expect(failure?.description.contains("holds the results of another study (now 'seed: 5')") == true)
        // A stale shard beside those of the new study.
        for name in try FileSystem.list(scratch.file("results")) where name != "results-2-of-2.sqlite" {
            try FileSystem.remove(scratch.file("results/" + name))
        }
        try scratch.run(other, shard: StudyShard(index: 1, count: 2)!)
        let second = #expect(throws: StoreError.self) { try StudyStores.merge(other) }
        #expect(second?.description.contains("results-2-of-2.sqlite: holds the results of another study") == true)
        #expect(!before.isEmpty && !FileSystem.exists(path))
    }

    @Test("progress counts the units of all stores once (F8)")
    func progress() throws {
        let (scratch, plan) = try study()
        var paths = try [1, 3].map { try scratch.run(plan, shard: StudyShard(index: $0, count: 4)!) }
        let folder = try StudyStores(folder: scratch.file("results"))
        #expect(folder.paths == paths)
        #expect(folder.missing == ["results-2-of-4.sqlite", "results-4-of-4.sqlite"])
        let stores = try paths.map { try Store.open($0) }
        let parts = try stores.map { try $0.progress() }
        let both = try StudyProgress(stores)
        #expect(both.total == parts[0].total && both.done == parts[0].done + parts[1].done)
        // The same unit in two stores is one.
        paths.append(try scratch.run(plan, shard: StudyShard(index: 1, count: 2)!))
        let whole = try Store.open(scratch.run(plan, into: "single"))
        #expect(try StudyProgress(paths.map { try Store.open($0) } + [whole]) == whole.progress())
        #expect(throws: StoreError.self) {
            let other = try Store.open(scratch.run(scratch.plan(["seed=5"]), into: "other"))
            _ = try StudyProgress([whole, other])
        }
    }
}
