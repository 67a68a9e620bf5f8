import Foundation
import Synchronization
import VitrineImage
import VitrineTensor

extension PhantomSet {
    /// What was written.
    public struct Summary: Sendable, Equatable {
        public let images: Int
        public let positives: Int
        public let patients: Int
        public let shortcuts: Int
        public let distractors: Int
        /// Smallest, mean and largest share of the image that a lesion covers; zeros without positives.
        public let area: (min: Double, mean: Double, max: Double)

        public static func == (a: Summary, b: Summary) -> Bool {
            (a.images, a.positives, a.patients, a.shortcuts, a.distractors) == (
                b.images, b.positives, b.patients, b.shortcuts, b.distractors
            )
                && a.area == b.area
        }
    }

    /// The name of an image's files, without folder: `colon_00012.png`.
    public func fileName(of index: Int) -> String {
        let digits = String(index)
        let width = max(5, String(count - 1).count)
        return "\(task.rawValue)_\(String(repeating: "0", count: width - digits.count))\(digits).png"
    }

    /// Whether files say which parts an image shows: where a generator tells parts apart, and where there are distractors.
    private var writesParts: Bool { task.generator.tellsParts || distractorRate > 0 }

    /// The table that `labels.csv` holds: image, label, patient, mask, split, shortcut; paths relative to the table. Tissue has one
    /// more column, parts: what the image shows, joined by `+`.
    ///
    /// `mask` is empty for negatives, `shortcut` is the path of the tag's mask or empty.
    ///
    /// - Parameter removed: parts that the images leave out; label, mask and shortcut are those of what is left.
    public func table(without removed: Set<PhantomPart> = []) -> String {
        let tellsParts = task.generator.tellsParts
        var lines = "image,label,patient,mask,split,shortcut" + (tellsParts ? ",parts\n" : "\n")
        for i in 0..<count {
            let name = fileName(of: i)
            let parts = parts(of: i).subtracting(removed)
            let label = task.label(parts) ?? 0
            let mask = label > 0 ? "masks/\(name)" : ""
            let tag = parts.contains(.shortcut) ? "shortcuts/\(name)" : ""
            lines += "images/\(name),\(label),\(task.rawValue)-\(patient(of: i)),\(mask),\(split(of: i).rawValue),\(tag)"
            lines += tellsParts ? ",\(parts.ordered.map(\.rawValue).joined(separator: "+"))\n" : "\n"
        }
        return lines
    }

    /// The pixels that leaving parts out changes: exactly where an image and its counterfactual differ.
    public func changed(at index: Int, without removed: Set<PhantomPart>) -> Mask {
        let (own, other) = (phantom(at: index).image.pixels, phantom(at: index, without: removed).image.pixels)
        let bits = (0..<Self.side * Self.side).map { i in (3 * i..<3 * i + 3).contains { own[$0] != other[$0] } }
        return Mask(width: Self.side, height: Self.side, bits: bits)
    }

    /// Writes `images`, `masks` (of what makes the label, where it is not 0), `shortcuts` (tagged images) and, last, `labels.csv`,
    /// which `--data` reads; for tissue, and where there are distractors, also `parts/<part>` with a mask of every part shown.
    ///
    /// - Parameters:
    ///   - removed: parts that every image leaves out; the rest of the picture stays as it is to the last bit.
    ///   - workers: threads; they change no byte.
    ///   - progress: called after each image, from any thread, with the number done.
    /// - Throws: `FileFailure` for a folder, `ImageError` for the first file that failed.
    public func write(
        to directory: String, without removed: Set<PhantomPart> = [], workers: Int, progress: @Sendable (Int) -> Void = { _ in }
    ) throws -> Summary {
        let all = parts.subtracting(removed)
        let folders = ["images", "masks"] + (shortcut == nil ? [] : ["shortcuts"]) + (writesParts ? all.ordered.map(Self.folder) : [])
        for folder in folders {
            try FileSystem.makeFolder("\(directory)/\(folder)")
        }
        let areas = Mutex([Double?](repeating: nil, count: count))
        let done = Atomic<Int>(0)
        try parallelFor(count, workers: workers) { _, index in
            let parts = parts(of: index).subtracting(removed)
            let phantom = phantom(at: index, showing: parts)
            let name = fileName(of: index)
            try phantom.image.write(png: "\(directory)/images/\(name)")
            if let label = task.label(parts), label > 0 {
                try phantom.lesion.grey.write(png: "\(directory)/masks/\(name)")
                areas.withLock { $0[index] = phantom.lesion.area }
            }
            if let tag = phantom.shortcut { try tag.grey.write(png: "\(directory)/shortcuts/\(name)") }
            if writesParts {
                for part in parts.ordered {
                    let mask = phantom.masks[part] ?? changed(at: index, without: [part])
                    try mask.grey.write(png: "\(directory)/\(Self.folder(part))/\(name)")
                }
            }
            progress(done.wrappingAdd(1, ordering: .relaxed).newValue)
        }
        try AtomicFile.write(Array(table(without: removed).utf8), to: "\(directory)/labels.csv")
        let shares = areas.withLock { $0.compactMap { $0 } }
        let shown = (0..<count).map { parts(of: $0).subtracting(removed) }
        return Summary(
            images: count, positives: shares.count, patients: patients, shortcuts: shown.count { $0.contains(.shortcut) },
            distractors: shown.count { $0.contains(.distractor) },
            area: (shares.min() ?? 0, shares.reduce(0, +) / Double(max(shares.count, 1)), shares.max() ?? 0))
    }

    private static func folder(_ part: PhantomPart) -> String { "parts/\(part.rawValue)" }
}

extension Mask {
    /// 255 in the region, 0 elsewhere.
    fileprivate var grey: Image {
        Image(width: width, height: height, channels: 1, pixels: bits.map { $0 ? 255 : 0 })
    }
}
