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

    /// The table that `labels.csv` holds: image, label, patient, mask, split, shortcut; paths relative to the table.
    ///
    /// `mask` is empty for negatives, `shortcut` is the path of the tag's mask or empty.
    public func table() -> String {
        var lines = "image,label,patient,mask,split,shortcut\n"
        for i in 0..<count {
            let name = fileName(of: i)
            let mask = label(of: i) == 1 ? "masks/\(name)" : ""
            let tag = hasShortcut(i) ? "shortcuts/\(name)" : ""
            lines += "images/\(name),\(label(of: i)),\(task.rawValue)-\(patient(of: i)),\(mask),\(split(of: i).rawValue),\(tag)\n"
        }
        return lines
    }

    /// Writes `images`, `masks` (positives), `shortcuts` (tagged images) and, last, `labels.csv`, which `--data` reads.
    ///
    /// - Parameters:
    ///   - workers: threads; they change no byte.
    ///   - progress: called after each image, from any thread, with the number done.
    /// - Throws: `FileFailure` for a folder, `ImageError` for the first file that failed.
    public func write(
        to directory: String, workers: Int, progress: @Sendable (Int) -> Void = { _ in }
    ) throws -> Summary {
        let folders = ["images", "masks"] + (shortcut == nil ? [] : ["shortcuts"])
        for folder in folders {
            try FileSystem.makeFolder("\(directory)/\(folder)")
        }
        let areas = Mutex([Double](repeating: 0, count: count))
        let done = Atomic<Int>(0)
        try parallelFor(count, workers: workers) { _, index in
            let phantom = phantom(at: index)
            let name = fileName(of: index)
            try phantom.image.write(png: "\(directory)/images/\(name)")
            if label(of: index) == 1 { try phantom.lesion.grey.write(png: "\(directory)/masks/\(name)") }
            if let tag = phantom.shortcut { try tag.grey.write(png: "\(directory)/shortcuts/\(name)") }
            areas.withLock { $0[index] = phantom.lesion.area }
            progress(done.wrappingAdd(1, ordering: .relaxed).newValue)
        }
        try AtomicFile.write(Array(table().utf8), to: "\(directory)/labels.csv")
        let positive = (0..<count).filter { label(of: $0) == 1 }
        let shares = areas.withLock { all in positive.map { all[$0] } }
        return Summary(
            images: count, positives: positive.count, patients: patients, shortcuts: (0..<count).count { hasShortcut($0) },
            distractors: (0..<count).count { hasDistractor($0) },
            area: (shares.min() ?? 0, shares.reduce(0, +) / Double(max(shares.count, 1)), shares.max() ?? 0))
    }
}

extension Mask {
    /// 255 in the region, 0 elsewhere.
    fileprivate var grey: Image {
        Image(width: width, height: height, channels: 1, pixels: bits.map { $0 ? 255 : 0 })
    }
}
