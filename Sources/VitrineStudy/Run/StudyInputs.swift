import VitrineData
import VitrineEvaluate
import VitrineImage
import VitrineStore
import VitrineTensor

/// One image as a model or a control sees it, with its mask brought along.
struct StudyInput: Sendable {
    /// Network input `[3, height, width]`; zeros for masks alone.
    var pixels: Tensor
    /// Nil when the sample is only classified, or the data set has no masks.
    var mask: Mask?
    /// SHA-256 of the image's file as decoded; empty for masks alone.
    var digest = ""
    /// `MaskRecord.digest` of the mask before it was brought along.
    var maskDigest: String?
    var height: Int { pixels.shape[1] }
    var width: Int { pixels.shape[2] }
}

/// Something that is wrong with one image or one mask, on its way into the store.
struct InputFailure: Error, CustomStringConvertible {
    var stage: FailureRecord.Stage
    var message: String
    var description: String { message }
}

extension StudyPlan {
    /// Reads an image and its mask.
    ///
    /// - Throws: `InputFailure`.
    func input(_ sample: Int, of source: DatasetSource, preprocess: Preprocess) throws(InputFailure) -> StudyInput {
        let entry = source.sample(sample)
        let isScored = source.roles[sample - source.firstSample] == .score
        guard source.hasImages else {
            let mask = try storedMask(entry, of: nil).mask
            return StudyInput(pixels: Tensor([3, mask.height, mask.width]), mask: mask, maskDigest: mask.digest)
        }
        let (image, digest) = try read(entry, preprocess: preprocess)
        guard isScored, source.hasMasks else { return StudyInput(pixels: image.tensor, mask: nil, digest: digest) }
        let stored = try storedMask(entry, of: image).mask
        return StudyInput(pixels: image.tensor, mask: try aligned(stored, to: image, entry), digest: digest, maskDigest: stored.digest)
    }

    /// As `input`, if image and mask are still those that were inspected.
    ///
    /// - Parameters:
    ///   - image: SHA-256 of the file as inspected; nil for masks alone.
    ///   - mask: digest of the mask as inspected; nil for an image that has none.
    func unchangedInput(
        _ sample: Int, of source: DatasetSource, preprocess: Preprocess, image: String?, mask: String?
    ) throws(InputFailure) -> StudyInput {
        let input = try input(sample, of: source, preprocess: preprocess)
        let entry = source.sample(sample)
        guard !source.hasImages || input.digest == image else {
            throw InputFailure(
                stage: .image, message: "\(entry.imagePath): has changed while the study ran; run the study again, or restore it")
        }
        guard input.maskDigest == mask else {
            throw InputFailure(
                stage: .mask,
                message:
                    "\(entry.maskPath ?? "the mask of \(entry.imagePath)"): has changed while the study ran; run the study again, or restore it"
            )
        }
        return input
    }

    /// Whether image and mask are still what a store knows of them. An image that is gone is: whoever needs it will say so.
    func isAsKnown(_ sample: Int, of source: DatasetSource, image: ImageRecord?, mask: MaskRecord?) -> Bool {
        let entry = source.sample(sample)
        if source.hasImages {
            guard let image else { return false }
            guard let digest = try? sha256(ofFile: entry.imagePath) else { return true }
            guard digest == image.sha256 else { return false }
            if source.roles[sample - source.firstSample] != .score || !source.hasMasks { return true }
        }
        guard let known = mask?.digest else { return false }
        // Of a turned image this is another mask; then the image is read too.
        let read = try? entry.annotation?.read(
            width: image?.storedWidth ?? 0, height: image?.storedHeight ?? 0, source: entry.imagePath)
        return read?.mask.digest == known
    }

    /// What the inspection at the start of a study finds out about a sample.
    ///
    /// A mask that does not line up under the data set's preprocessing is a failure.
    func inspect(_ sample: Int, of source: DatasetSource) -> (image: ImageRecord?, mask: MaskRecord?, failure: InputFailure?) {
        let entry = source.sample(sample)
        var image: ImageRecord?
        do throws(InputFailure) {
            guard source.hasImages else {
                return (nil, audit(try storedMask(entry, of: nil), sample, entry), nil)
            }
            let (view, digest) = try read(entry, preprocess: source.preprocess)
            image = ImageRecord(
                sampleID: sample, sha256: digest, storedWidth: view.storedWidth, storedHeight: view.storedHeight, notes: view.notes)
            guard source.roles[sample - source.firstSample] == .score, source.hasMasks else { return (image, nil, nil) }
            let stored = try storedMask(entry, of: view)
            _ = try aligned(stored.mask, to: view, entry)
            return (image, audit(stored, sample, entry), nil)
        } catch {
            return (image, nil, error)
        }
    }

    /// An image and the SHA-256 of its file.
    private func read(_ sample: Sample, preprocess: Preprocess) throws(InputFailure) -> (PreprocessedImage, String) {
        do {
            let image = try PreprocessedImage(contentsOf: sample.imagePath, preprocess: preprocess)
            return (image, try image.sha256 ?? sha256(ofFile: sample.imagePath))
        } catch { throw InputFailure(stage: .image, message: "\(error)") }
    }

    private func aligned(_ mask: Mask, to image: PreprocessedImage, _ sample: Sample) throws(InputFailure) -> Mask {
        do { return try image.align(mask, source: sample.maskPath ?? sample.imagePath) } catch {
            throw InputFailure(stage: .mask, message: "\(error)")
        }
    }

    /// The mask on the stored pixels of its image, with the SHA-256 of what it was made from.
    private func storedMask(_ sample: Sample, of image: PreprocessedImage?) throws(InputFailure) -> Annotation.ReadMask {
        guard let annotation = sample.annotation else {
            throw InputFailure(stage: .mask, message: "\(sample.imagePath): there is no mask for it; add one, or take the image out")
        }
        do {
            return try annotation.read(
                width: image?.storedWidth ?? 0, height: image?.storedHeight ?? 0, orientation: image?.orientation ?? 1,
                source: sample.imagePath)
        } catch {
            throw InputFailure(stage: .mask, message: "\(error)")
        }
    }

    private func audit(_ read: Annotation.ReadMask, _ id: Int, _ sample: Sample) -> MaskRecord {
        let audit = MaskAudit(name: sample.id, mask: read.mask, greyLevels: read.greyLevels)
        return MaskRecord(
            sampleID: id, sha256: read.sha256, storedWidth: audit.width, storedHeight: audit.height, area: audit.area,
            components: audit.components, isRectangle: audit.isRectangle, greyLevels: audit.greyLevels, isEmpty: audit.isEmpty,
            isFull: audit.isFull, digest: read.mask.digest, notes: read.notes)
    }
}

extension Mask {
    /// SHA-256 over size and pixels.
    var digest: String {
        var hash = SHA256()
        hash.update(Array("\(width) x \(height)\n".utf8))
        hash.update(bits.map { $0 ? 1 : 0 })
        return hash.hexadecimal()
    }
}
