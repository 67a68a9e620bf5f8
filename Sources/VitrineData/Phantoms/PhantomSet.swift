import VitrineImage
import VitrineTensor

/// One image with its truth.
public struct Phantom: Sendable, Equatable {
    /// 256 x 256, RGB; the three channels are equal where the modality is grey.
    public let image: Image
    /// The lesions, of whichever kind; empty where there is none.
    public let lesion: Mask
    /// The confounder's box, where there is one.
    public let shortcut: Mask?
    /// Pixels that a part covers by half or more, for each part that the image shows and whose generator tells it apart; what the tag
    /// hides is left out.
    public let masks: [PhantomPart: Mask]
}

/// A set of phantoms: images whose cause is planted, so that an explanation can be right or wrong and not merely plausible.
///
/// Image i belongs to patient i mod K and is its slice i div K; the label is (patient + slice) mod 2 = 0, so classes are balanced over all
/// and within a patient to within one. Slices share the patient's anatomy and differ in view, exposure and noise. Every image is a pure function of
/// (task, seed, index, options): neither the order nor the number of workers changes a byte.
///
/// An image and its twin of the other label share every draw but the lesion's, exposure too: what separates the classes is the lesion.
/// Any part may be left out in the same way (`phantom(at:without:)`): the picture that is the same but for that part, which no real
/// lesion has.
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
    public let options: PhantomOptions
    /// Whether images come in pairs of one patient that share every draw but the lesion's: each view once with and once without it.
    public let isMatched: Bool
    private let splits: [PhantomSplit]

    /// - Parameters:
    ///   - patients: nil gives every image, or every matched pair, a patient of its own.
    ///   - isMatched: slices 2j and 2j + 1 of a patient are one view with and without the lesion, so that within a pair nothing else can tell
    ///     the labels apart; needs at least two slices per patient.
    public init(
        task: PhantomTask, count: Int, seed: UInt64, patients: Int? = nil, shortcut: PhantomShortcut? = nil,
        distractorRate: Double = 0, isMatched: Bool = false, options: PhantomOptions = PhantomOptions()
    ) throws(PhantomError) {
        try options.check(task)
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
        self.options = options
        splits = PhantomSplit.drawn(patients: k, seed: seed, task: task)
    }

    /// The patient of an image, 0..<patients.
    public func patient(of index: Int) -> Int { index % patients }

    /// Whether the image is drawn as a positive.
    private func isPositive(_ index: Int) -> Bool { (index % patients + index / patients) % 2 == 0 }

    /// 0 where the cause is missing; else the number of its class, 1 where there is one.
    public func label(of index: Int) -> Int {
        guard let label = task.label(parts(of: index)) else { preconditionFailure("what a task draws has a label") }
        return label
    }

    public func split(of index: Int) -> PhantomSplit { splits[patient(of: index)] }

    public func hasDistractor(_ index: Int) -> Bool {
        guard distractorRate > 0 else { return false }
        var draws = scene(index, showing: []).slice("has distractor")
        return draws.chance(distractorRate)
    }

    /// Whether the image carries the tag: with probability `rate` on positives, `1 - rate` on negatives.
    public func hasShortcut(_ index: Int) -> Bool {
        guard let shortcut else { return false }
        var draws = scene(index, showing: []).slice("has shortcut")
        return draws.chance(isPositive(index) ? shortcut.rate : 1 - shortcut.rate)
    }

    /// What images of the set may show.
    public var parts: Set<PhantomPart> {
        var parts = task.generator.kinds
        if distractorRate > 0 { parts.insert(.distractor) }
        if shortcut != nil { parts.insert(.shortcut) }
        return parts
    }

    /// What the image shows.
    public func parts(of index: Int) -> Set<PhantomPart> { parts(of: index, isPositive: isPositive(index)) }

    private func parts(of index: Int, isPositive: Bool) -> Set<PhantomPart> {
        var draws = scene(index, showing: []).slice("contents")
        var parts = task.generator.contents(isPositive: isPositive, draws: &draws)
        if hasDistractor(index) { parts.insert(.distractor) }
        if hasShortcut(index) { parts.insert(.shortcut) }
        return parts
    }

    /// Draws the image.
    ///
    /// - Parameter removed: parts to leave out. Outside what they cover, and the soft edge that `Docs/Phantoms.md` states per task, not
    ///   a bit changes.
    /// - Complexity: 20-30 ms of one core for the study's modalities, 10 ms for tissue.
    public func phantom(at index: Int, without removed: Set<PhantomPart> = []) -> Phantom {
        phantom(at: index, showing: parts(of: index).subtracting(removed))
    }

    /// Draws the image as if it were of the other label, or of its own.
    ///
    /// - Parameter lesion: whether it shows the cause; the other value than its label's gives its twin, which differs in the lesion only.
    public func phantom(at index: Int, lesion: Bool) -> Phantom {
        phantom(at: index, showing: parts(of: index, isPositive: lesion))
    }

    /// Draws the image with these parts and no others, whatever its label.
    public func phantom(at index: Int, showing parts: Set<PhantomPart>) -> Phantom {
        precondition((0..<count).contains(index), "phantoms are numbered 0..<count")
        let scene = scene(index, showing: parts)
        let rendering = render(scene)
        var exposure = scene.slice("exposure")
        let generator = task.generator
        var bytes = rendering.exposed(
            grey: generator.isGrey, spread: generator.exposureSpread, noise: generator.noise, draws: &exposure)
        var hidden: [Bool]?
        if let shortcut, parts.contains(.shortcut) {
            // The tag avoids the lesions of the image, also where they are left out, so that it stays where it is.
            let all = parts.union(self.parts(of: index))
            let lesions = all == parts ? rendering.mask : task.generator.render(self.scene(index, showing: all)).mask
            var draws = scene.slice("shortcut")
            hidden = PlacedTag(shortcut.tag, lesion: lesions, draws: &draws).burn(into: &bytes)
        }
        func mask(_ bits: [Bool]) -> Mask {
            Mask(width: Self.side, height: Self.side, bits: hidden.map { hidden in bits.indices.map { bits[$0] && !hidden[$0] } } ?? bits)
        }
        let lesion = mask(rendering.mask)
        var masks = rendering.covers.mapValues { mask(PhantomRendering.mask($0)) }
        if rendering.covers.isEmpty && parts.contains(.lesion) { masks[.lesion] = lesion }
        let tag = hidden.map { Mask(width: Self.side, height: Self.side, bits: $0) }
        masks[.shortcut] = tag
        return Phantom(
            image: Image(width: Self.side, height: Self.side, channels: 3, pixels: bytes), lesion: lesion, shortcut: tag, masks: masks)
    }

    private func render(_ scene: PhantomScene) -> PhantomRendering {
        let rendering = task.generator.render(scene)
        guard options.contrast < 1, !scene.parts.isDisjoint(with: .lesions) else { return rendering }
        var bare = scene
        bare.parts.subtract(.lesions)
        return rendering.faded(to: Float(options.contrast), over: task.generator.render(bare))
    }

    private func scene(_ index: Int, showing parts: Set<PhantomPart>) -> PhantomScene {
        // Of a matched pair the second image is drawn from the first one's streams.
        let isSecond = isMatched && (index / patients) % 2 == 1
        return PhantomScene(
            seed: seed, task: task, patient: patient(of: index), image: isSecond ? index - patients : index, parts: parts,
            options: options)
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
