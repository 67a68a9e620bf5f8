import Dispatch

/// Figures that hardly depend on the machine, each with a bar that says when something has become worse.
enum Check {
    /// Prints a line for each figure; says whether all bars are met.
    static func run(_ o: WorkloadOptions) throws -> Bool {
        var isMet = true
        func say(_ what: String, _ value: Double, _ bar: String, _ meets: Bool) {
            print("| \(what) | \((value * 1000).rounded() / 1000) | \(bar) | \(meets ? "met" : "NOT MET") |")
            isMet = isMet && meets
        }
        print("| figure | value | bar | |\n|---|---|---|---|")
        for workload in ["forward", "explain"] {
            let taken = try taken(workload, o)
            say("floats taken from the system after the first turn, \(workload)", Double(taken), "0", taken == 0)
        }
        var (one, eight, alone) = (o, o, o)
        (one.batch, eight.batch, alone.batch, alone.workers) = (1, 8, 8, 1)
        let forward = Workload.all["forward"]!
        let runs = [try forward(eight), try Workload.all["products"]!(o), try forward(alone), try forward(one)]
        var times = [[Double]](repeating: [], count: runs.count)
        var speeds: [Double] = []
        for turn in 0..<8 {
            for (i, run) in runs.enumerated() {
                let start = DispatchTime.now().uptimeNanoseconds
                let figure = try run()
                // The first turn warms up.
                guard turn > 0 else { continue }
                times[i].append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
                if i == 1 { speeds.append(Double(figure!)!) }
            }
        }
        let reached = median(times[0].map { 8 * forwardOperations / $0 / 1e9 })
        let share = reached / median(speeds)
        say("speed of a forward pass of 8 images over that of its products alone", share, ">= 0.85", share >= 0.85)
        let gain = median(times[2]) / median(times[0])
        say("\(o.workers) workers over one", gain, ">= \(0.88 * Double(o.workers))", gain >= 0.88 * Double(o.workers))
        let single = median(times[3]) / median(times[0]) * 8
        say("time of one image over that of an image among 8", single, "<= 1.2", single <= 1.2)
        return isMet
    }

    /// Multiplications and additions of one ViT-B/16 at 224: the blocks, the last one from its context on for the class token alone, and
    /// the patch embedding.
    static let forwardOperations: Double = {
        let (n, d) = (197.0, 768.0)
        return 11 * (2 * n * 12 * d * d + 4 * n * n * d) + 2 * n * 3 * d * d + 2 * n * n * d + 2 * 196 * d * d
    }()

    private static func taken(_ workload: String, _ o: WorkloadOptions) throws -> Int {
        var options = o
        (options.batch, options.workers) = (2, 1)
        let run = try Workload.all[workload]!(options)
        let first = Int(try run()!)!
        _ = try run()
        return Int(try run()!)! - first
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
