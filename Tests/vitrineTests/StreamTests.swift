import Foundation
import Testing
import VitrineImage

/// Standard streams that are closed or full, and signals.
@Suite("Streams and signals")
struct StreamTests {
    @Test("a closed stream never becomes a data file (F15)", arguments: ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>&- 3>&-"])
    func closed(_ redirection: String) throws {
        let program = try Program()
        let result = try program.shell("$V phantom --task colon --count 4 --output p \(redirection); echo $?")
        #expect(result.output.hasSuffix("0\n"), "\(result)")
        #expect(try program.shell("$V phantom --task colon --count 4 --output q >/dev/null").code == 0)
        #expect(try program.shell("diff -r p q").code == 0)
    }

    @Test(
        "output that cannot be written is an error (F16)",
        arguments: [
            "--help", "--version", "data list", "train --list-recipes", "study init", "phantom --task colon --count 2 --output p",
        ])
    func full(_ command: String) throws {
        let program = try Program()
        let result = try program.shell("$V \(command) >/dev/full")
        #expect(result.code == 1)
        #expect(
            result.errors
                == "Error: standard output: cannot be written (No space left on device); free some space, or choose another folder\n")
    }

    private func trainingData(_ program: Program) throws -> String {
        var table = "image,label\n"
        try FileManager.default.createDirectory(atPath: program.file("images"), withIntermediateDirectories: true)
        for i in 0..<8 {
            var image = Image(width: 16, height: 16, channels: 3)
            for k in image.pixels.indices { image.pixels[k] = UInt8(i % 2 == 0 ? 10 + i : 200 + i) }
            try image.write(png: program.file("images/\(i).png"))
            table += "images/\(i).png,\(i % 2)\n"
        }
        try program.write(table, to: "labels.csv")
        return
            "$V train --data labels.csv --model patch=8,width=8,depth=1,heads=1 --image-size 16 --batch 2 --set validation-share=0.25 --epochs"
    }

    @Test(
        "SIGINT, SIGHUP, SIGTERM and SIGUSR1 end a training after a checkpoint; the same command goes on",
        arguments: ["INT", "HUP", "TERM", "USR1"])
    func signals(_ name: String) throws {
        let program = try Program()
        let train = try trainingData(program)
        // As from a terminal: a job in the background of a script would ignore SIGINT.
        let result = try program.shell(
            """
            set -m
            \(train) 100000 -o t >out 2>err & P=$!
            until [ -e t/state.safetensors ]; do sleep 0.05; kill -0 $P || exit 99; done
            kill -\(name) $P; wait $P
            """)
        #expect(result.code == 4, "\(result) \(program.text("err"))")
        #expect(program.text("err").hasSuffix("stopped by a signal after a checkpoint; go on with --resume\n"))
    }

    @Test("what was started to ignore a hangup ignores it: nohup")
    func nohup() throws {
        let program = try Program()
        let train = try trainingData(program)
        let result = try program.shell(
            """
            set -m
            (trap '' HUP; exec \(train) 60 -o t >out 2>err) & P=$!
            until [ -e t/lock ]; do sleep 0.02; kill -0 $P || exit 99; done
            kill -HUP $P; wait $P
            """)
        #expect(result.code == 0, "\(result) \(program.text("err"))")
    }

    @Test("a second training in the folder is refused while the first runs (case 18)")
    func twoTrainings() throws {
        let program = try Program()
        let train = try trainingData(program)
        let result = try program.shell(
            """
            \(train) 100000 -o t --quiet >out 2>err & P=$!
            until [ -e t/state.safetensors ]; do sleep 0.05; kill -0 $P || exit 99; done
            for i in 1 2 3; do \(train) 100000 -o t --quiet --resume; echo $?; done
            kill -TERM $P; wait $P
            """)
        #expect(result.code == 4, "\(result)")
        #expect(result.output == "1\n1\n1\n")
        let lines = result.errors.split(separator: "\n")
        #expect(
            lines.count == 3
                && lines.allSatisfy { $0.hasPrefix("Error: t: another process is training here; wait for it, or stop it first (process ") })
    }
}
