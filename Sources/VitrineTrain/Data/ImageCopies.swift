import VitrineData
import VitrineTensor

/// Which samples show the same picture: one file under several spellings or links, or files of the same bytes.
///
/// A picture on two sides of a split lets a network score what it has learnt by heart.
struct ImageCopies {
    /// By the position of a sample: the first position with the same picture.
    private let first: [Int]
    /// By the position of a sample: the first position with the same file.
    private let file: [Int]

    /// - Parameter paths: of the images, in the order of the samples. What does not exist is a copy of nothing.
    /// - Complexity: one look at the file system per file; only files of equal length are read and hashed.
    init(_ paths: [String]) {
        let facts = paths.map { FileFacts(of: $0) }
        var bySize: [Int: Set<FileFacts.Identity>] = [:]
        for fact in facts { if let fact { bySize[fact.size, default: []].insert(fact.identity) } }
        var digests: [FileFacts.Identity: String] = [:]
        for (path, fact) in zip(paths, facts) {
            guard let fact, fact.kind == .regular, digests[fact.identity] == nil, bySize[fact.size]!.count > 1 else { continue }
            digests[fact.identity] = try? sha256(ofFile: path)
        }
        var byFile: [FileFacts.Identity: Int] = [:]
        var byContent: [String: Int] = [:]
        var (first, file): ([Int], [Int]) = ([], [])
        for (i, fact) in facts.enumerated() {
            guard let fact else {
                first.append(i)
                file.append(i)
                continue
            }
            let same = byFile[fact.identity] ?? i
            byFile[fact.identity] = same
            file.append(same)
            guard let digest = digests[fact.identity] else {
                first.append(same)
                continue
            }
            let content = byContent[digest] ?? same
            byContent[digest] = content
            first.append(content)
        }
        (self.first, self.file) = (first, file)
    }

    /// - Parameter own: how many of the samples are of the data set itself; those behind are named to validate on.
    /// - Throws: `TrainingError.imageOnBothSides` for one file on two sides, and for a picture to validate on that the data set holds.
    func refuseTwoSides(_ samples: [Sample], own: Int) throws(TrainingError) {
        for (i, sample) in samples.enumerated() {
            for other in Set([first[i], file[i]]) where samples[other].split != sample.split {
                guard other == file[i] || (other < own) != (i < own) else { continue }
                throw .imageOnBothSides(path: sample.imagePath, other: samples[other].imagePath)
            }
        }
    }

    /// What stays as it is but has to be said: copies on two sides of a split that the data set brings, and copies under two labels.
    func notes(_ samples: [Sample], _ classNames: [String]) -> [DataNote] {
        func note(_ what: String, _ differs: (Sample, Sample) -> Bool) -> DataNote? {
            let pairs = samples.indices.filter { differs(samples[first[$0]], samples[$0]) }
            guard let i = pairs.first else { return nil }
            let count = pairs.count == 1 ? "1 picture is" : "\(pairs.count) pictures are"
            return .loss("\(count) \(what): \(samples[first[i]].imagePath) and \(samples[i].imagePath)\(pairs.count > 1 ? ", ..." : "")")
        }
        return [
            note("on two sides of the split, so that scores there are too good", { $0.split != $1.split }),
            note("in two classes", { $0.label != $1.label }),
        ].compactMap { $0 }
    }

    /// Draws a split of the first samples, copies on one side as if they were of one patient; patients stay as they were.
    ///
    /// Without copies the draw is the one of the samples as they are.
    func keepingTogether(_ samples: [Sample], draw: ([Sample]) throws -> [Sample]) throws -> [Sample] {
        if samples.indices.allSatisfy({ first[$0] == $0 }) { return try draw(samples) }
        // Patients that share a picture become one: the groups are the components of the graph of patients and pictures.
        var parent = Array(samples.indices)
        func root(_ i: Int) -> Int {
            var i = i
            while parent[i] != i { i = parent[i] }
            return i
        }
        func join(_ a: Int, _ b: Int) {
            let (a, b) = (root(a), root(b))
            parent[max(a, b)] = min(a, b)
        }
        struct Picture: Hashable {
            let first: Int
            let split: Split?
        }
        var byPatient: [String: Int] = [:]
        var byPicture: [Picture: Int] = [:]
        for (i, sample) in samples.enumerated() {
            // Copies on two sides of a split that the data set brings stay there, and are said (see `notes`).
            let picture = Picture(first: first[i], split: sample.split)
            if let other = byPicture[picture] { join(i, other) } else { byPicture[picture] = i }
            if let patient = sample.patient {
                if let other = byPatient[patient] { join(i, other) } else { byPatient[patient] = i }
            }
        }
        var sizes: [Int: Int] = [:]
        for i in samples.indices { sizes[root(i), default: 0] += 1 }
        var grouped = samples
        for i in samples.indices where sizes[root(i)]! > 1 {
            // The first sample names the group; a sample alone keeps standing alone.
            let leader = samples[root(i)]
            grouped[i].patient = leader.patient ?? "copies of " + leader.id
        }
        var drawn = try draw(grouped)
        for i in drawn.indices { drawn[i].patient = samples[i].patient }
        return drawn
    }
}
