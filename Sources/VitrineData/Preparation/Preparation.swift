import Foundation
import VitrineImage
import VitrineTensor

extension OpenDataset {
    /// What became of the files of a preparation.
    public struct PreparationResult: Sendable, Equatable {
        /// Files written now.
        public var written = 0
        /// Files that were there already and were left alone: a preparation that was stopped goes on.
        public var kept = 0
        /// One line for each file that could not be prepared; the rest is not affected.
        public var failures: [String] = []
    }

    /// Writes the data set as the study prepares it: sizes and crops, in the layout that this adapter reads.
    ///
    /// - Parameters:
    ///   - output: a folder other than the data set's own; made where it does not exist.
    ///   - progress: called after each file with the number done and the number of all.
    /// - Throws: `DataError` for the data set itself, for a data set without a preparation, and for an output that cannot be written.
    public func prepare(to output: String, progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }) throws -> PreparationResult {
        let files = try dataset.preparation()
        guard !files.isEmpty else {
            throw DataError.noPreparation(dataset: information.identifier)
        }
        var result = PreparationResult()
        for (i, file) in files.enumerated() {
            let target = join(output, file.target)
            if case .text = file.content {
            } else if fileExists(target) {
                result.kept += 1
                progress(i + 1, files.count)
                continue
            }
            do { try FileManager.default.createDirectory(atPath: parentFolder(target), withIntermediateDirectories: true) } catch {
                throw DataError.unreadable(path: parentFolder(target), reason: "the folder cannot be made; check permissions and space")
            }
            do {
                switch file.content {
                case .copy(let source):
                    guard let bytes = FileManager.default.contents(atPath: source) else {
                        throw DataError.unreadable(path: source, reason: "it is missing or may not be read")
                    }
                    try AtomicFile.write([UInt8](bytes), to: target)
                case .image(let source, let preparation): try preparation.image(contentsOf: source).write(png: target)
                case .mask(let sample, let preparation): try preparation.maskImage(of: sample).write(png: target)
                case .text(let text): try AtomicFile.write([UInt8](text.utf8), to: target)
                }
                result.written += 1
            } catch let error as AtomicFile.Failure {
                // A full disk is not a property of this one file.
                throw error
            } catch let error as ImageError {
                if case .cannotWrite = error { throw error }
                result.failures.append("\(error)")
            } catch { result.failures.append("\(error)") }
            progress(i + 1, files.count)
        }
        return result
    }
}
