import Foundation
import VitrineData

/// Whose image is whose: the columns image and patient of a CSV file.
struct PatientTable {
    let path: String
    private var byName: [String: String] = [:]
    private var byStem: [String: Set<String>] = [:]

    init(_ path: String) throws {
        self.path = path
        let contents = try Datasets.open("csv", path: path, options: ["extra-columns": "ignore", "missing": "keep"]).contents()
        for sample in contents.samples {
            guard let patient = sample.patient else {
                throw CommandFailure("\(path): the row of \(sample.id) names no patient; intervals over patients need the column patient")
            }
            let name = PathText.withoutEnding(sample.id)
            byName[name] = patient
            byStem[PathText.name(name), default: []].insert(patient)
        }
    }

    /// By the path below the folder, or by the file's name where it is one patient's.
    func patient(_ image: String) -> String? {
        if let patient = byName[image] { return patient }
        let candidates = byStem[PathText.name(image)] ?? []
        return candidates.count == 1 ? candidates.first : nil
    }

    func check(_ images: [String]) throws {
        let missing = Set(images).filter { patient($0) == nil }.sorted()
        guard missing.isEmpty else {
            throw CommandFailure("\(path): names no patient, or several, for \(Words.some(missing)); add their rows")
        }
    }
}
