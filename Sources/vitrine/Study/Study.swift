import ArgumentParser

struct Study: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates methods over data sets, models and metrics: one file, one command, results that can be continued.",
        subcommands: [
            StudyInit.self, StudyRun.self, StudyTrain.self, StudyStatus.self, StudyMerge.self, StudyReport.self, StudySlurm.self,
        ])
}
