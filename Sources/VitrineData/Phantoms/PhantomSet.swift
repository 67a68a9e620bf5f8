import VitrineImage
import VitrineTensor

/// One image with its truth.
public struct Phantom: Sendable, Equatable {
    /// 256 x 256, RGB; the three channels are equal where the modality is grey.
    public let image: Image
    /// The lesion; empty on a negative.
    public let lesion: Mask
    /// The confounder's box, where there is one.
    public let shortcut: Mask?
}

/// A set of phantoms: images whose cause is planted, so that an explanation can be right or wrong and not merely plausible.
///
/// Image i belongs to patient i mod K and is its slice i div K; the label is (patient + slice) mod 2 = 0, so classes are balanced over all
/// and within a patient to within one. Slices share the patient's anatomy and differ in view, exposure and noise. Every image is a pure function of
/// (task, seed, index, options): neither the order nor the number of workers changes a byte.
///
/// An image and its twin of the other label share every draw but the lesion's, exposure too: what separates the classes is the lesion.
public struct PhantomSet: Sendable {
    /// Width and height of every phantom in pixels.
    public static let side = 256

    public let task: PhantomTask
    public let seed: UInt64
    public let count: Int
    /// Number of patients, K.
    public let patients: Int
    public let shortcut: PhantomShortcut?
    /// The probability that an image, whatever its label, carries a look-alike of a lesion that means nothing.
    public let distractorRate: Double
    /// Whether images come in pairs of one patient that share every draw but the lesion's: each view once with and once without it.
    public let isMatched: Bool
    private let splits: [PhantomSplit]

    /// - Parameters:
    ///   - patients: nil gives every image, or every matched pair, a patient of its own.
    ///   - isMatched: slices 2j and 2j + 1 of a patient are one view with and without the lesion, so that within a pair nothing else can tell
    ///     the labels apart; needs at least two slices per patient.
    public init(
        task: PhantomTask, count: Int, seed: UInt64, patients: Int? = nil, shortcut: PhantomShortcut? = nil,
        distractorRate: Double = 0, isMatched: Bool = false
    ) throws(PhantomError) {
        guard (1...1_000_000).contains(count) else { throw .count(count) }
        let k = patients ?? (isMatched ? (count + 1) / 2 : count)
        guard (1...count).contains(k) else { throw .patients(k, count: count) }
        guard !isMatched || k <= (count + 1) / 2 else { throw .unmatched(patients: k, count: count) }
        guard distractorRate >= 0 && distractorRate <= 1 else { throw .rate(option: "distractor", value: distractorRate) }
        self.task = task
        self.count = count
        self.seed = seed
        self.patients = k
        self.shortcut = shortcut
        self.distractorRate = distractorRate
        self.isMatched = isMatched
        splits = PhantomSplit.drawn(patients: k, seed: seed, task: task)
    }

    /// The patient of an image, 0..<patients.
    public func patient(of index: Int) -> Int { index % patients }

    /// 1 where a lesion is planted, 0 elsewhere.
    public func label(of index: Int) -> Int { (index % patients + index / patients) % 2 == 0 ? 1 : 0 }

    public func split(of index: Int) -> PhantomSplit { splits[patient(of: index)] }

    public func hasDistractor(_ index: Int) -> Bool {
        var draws = scene(index, hasLesion: false).slice("has distractor")
        return draws.chance(distractorRate)
    }

    /// Whether the image carries the tag: with probability `rate` on positives, `1 - rate` on negatives.
    public func hasShortcut(_ index: Int) -> Bool {
        guard let shortcut else { return false }
        var draws = scene(index, hasLesion: false).slice("has shortcut")
        return draws.chance(label(of: index) == 1 ? shortcut.rate : 1 - shortcut.rate)
    }

    /// Draws the image.
    ///
    /// - Parameter lesion: whether it shows a lesion; by default as its label says. The other value gives its twin, which differs in the lesion only
    ///   (and, rarely, in the tag's place: a tag avoids the lesion).
    /// - Complexity: 20-30 ms of one core.
    public func phantom(at index: Int, lesion: Bool? = nil) -> Phantom {
        precondition((0..<count).contains(index), "phantoms are numbered 0..<count")
        let scene = scene(index, hasLesion: lesion ?? (label(of: index) == 1))
        let rendering = task.render(scene)
        var exposure = scene.slice("exposure")
        var bytes = rendering.exposed(grey: task.isGrey, spread: task.exposureSpread, noise: task.noise, draws: &exposure)
        var mask = rendering.mask
        var tagMask: Mask?
        if let shortcut, hasShortcut(index) {
            var draws = scene.slice("shortcut")
            let bits = PlacedTag(shortcut.tag, lesion: mask, draws: &draws).burn(into: &bytes)
            for i in 0..<mask.count where bits[i] { mask[i] = false }
            tagMask = Mask(width: Self.side, height: Self.side, bits: bits)
        }
        return Phantom(
            image: Image(width: Self.side, height: Self.side, channels: 3, pixels: bytes),
            lesion: Mask(width: Self.side, height: Self.side, bits: mask), shortcut: tagMask)
    }

    private func scene(_ index: Int, hasLesion: Bool) -> PhantomScene {
        // Of a matched pair the second image is drawn from the first one's streams.
        let isSecond = isMatched && (index / patients) % 2 == 1
        var scene = PhantomScene(
            seed: seed, task: task, patient: patient(of: index), image: isSecond ? index - patients : index, hasLesion: hasLesion,
            hasDistractor: false)
        if distractorRate > 0 {
            var draws = scene.slice("has distractor")
            scene.hasDistractor = draws.chance(distractorRate)
        }
        return scene
    }
}

/// The part of a set that a patient belongs to, with all of its images.
public enum PhantomSplit: String, Sendable, CaseIterable, Codable {
    case train, validation, test

    /// Draws 70 : 10 : 20 of the patients, in pairs of neighbours so that both labels stay balanced where a patient has one image.
    ///
    /// Below six patients single patients are drawn; below three all are for training.
    static func drawn(patients: Int, seed: UInt64, task: PhantomTask) -> [PhantomSplit] {
        guard patients >= 3 else { return [PhantomSplit](repeating: .train, count: patients) }
        let unit = patients >= 6 ? 2 : 1
        let groups = (patients + unit - 1) / unit
        var order = Array(0..<groups)
        var stream = Philox(seed: seed, name: "phantom/\(task.rawValue)/split")
        order.shuffle(using: &stream)
        let test = max(1, (groups * 2 + 5) / 10)
        let validation = max(1, (groups + 5) / 10)
        var splits = [PhantomSplit](repeating: .train, count: patients)
        for (place, group) in order.enumerated() where place < test + validation {
            for patient in group * unit..<min((group + 1) * unit, patients) {
                splits[patient] = place < test ? .test : .validation
            }
        }
        return splits
    }
}
