import Dispatch
import Foundation
import VitrineTensor

/// Runs one workload each time a line comes in, and answers with its milliseconds: so that two programs can take turns on one machine
/// without paying for a start each time.
@main struct Main {
    static func main() throws {
        var arguments = Array(CommandLine.arguments.dropFirst())
        guard let name = arguments.first, name == "check" || Workload.all[name] != nil else {
            print("usage: vitrine-bench check --model FILE")
            print("       vitrine-bench WORKLOAD [--model FILE] [--image FILE] [--batch N] [--workers N] [--method A] [--method B]")
            print("workloads: \(Workload.all.keys.sorted().joined(separator: " "))")
            exit(2)
        }
        arguments.removeFirst()
        var options = WorkloadOptions()
        while arguments.count >= 2 {
            let (key, value) = (arguments.removeFirst(), arguments.removeFirst())
            switch key {
            case "--model": options.model = value
            case "--image": options.image = value
            case "--batch": options.batch = Int(value)!
            case "--workers": options.workers = Int(value)!
            case "--method": options.methods.append(value)
            default:
                print("unknown option \(key)")
                exit(2)
            }
        }
        guard name != "check" else { exit(try Check.run(options) ? 0 : 1) }
        let run = try Workload.all[name]!(options)
        say("ready \(Check.forwardOperations) \(CPU.path)")
        while readLine() != nil {
            let start = DispatchTime.now().uptimeNanoseconds
            let extra = try run()
            let milliseconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
            say(extra.map { "\(milliseconds) \($0)" } ?? "\(milliseconds)")
        }
    }

    /// A line that the other side reads at once, whatever the buffering of standard output.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}
