/// What a store knows to be doubtful about pictures and masks, in words.
public enum FileNotes {
    /// Each kind of note once, with the first file and the number of files; notes that differ in their numbers alone are one kind.
    public static func lines(_ store: Store) throws(StoreError) -> [String] {
        let samples = Dictionary(try store.samples().map { ($0.id, $0) }) { $1 }
        func name(_ id: Int) -> String { samples[id]?.name ?? "\(id)" }
        var notes: [(file: String, note: String)] = []
        for image in try store.images() { for note in image.notes { notes.append((name(image.sampleID), note)) } }
        for mask in try store.masks() { for note in mask.notes { notes.append(("the mask of " + name(mask.sampleID), note)) } }
        return lines(notes)
    }

    static func lines(_ notes: [(file: String, note: String)]) -> [String] {
        var kinds: [(kind: String, first: String, count: Int)] = []
        for (file, note) in notes {
            let kind = note.filter { !$0.isNumber }
            if let i = kinds.firstIndex(where: { $0.kind == kind }) {
                kinds[i].count += 1
            } else {
                kinds.append((kind, "\(file): \(note)", 1))
            }
        }
        return kinds.map { $0.first + ($0.count > 1 ? " (and \($0.count - 1) more files like it)" : "") }
    }
}
