import VitrineData
import VitrineImage
import VitrineTensor

/// What a recipe does to training images at random in one epoch; it depends on (seed, epoch, image) only.
struct TrainingChanges: Sendable {
    let augmentation: Augmentation
    /// Probability with which an image loses a cell.
    let deletedCells: Double
    /// Images of a patient are augmented alike.
    let keepsPatientsTogether: Bool
    let seed: UInt64
    let epoch: Int

    /// Rows and columns of the grid whose cells are deleted, as IDSDS has it.
    static let grid = 4

    init(_ recipe: Recipe, epoch: Int) {
        augmentation = recipe.augmentation
        deletedCells = recipe.deletedCells
        keepsPatientsTogether = recipe.keepsPatientsTogether
        seed = recipe.seed
        self.epoch = epoch
    }

    func changed(_ image: Image, of sample: Sample) -> Image {
        let id = keepsPatientsTogether ? sample.patient.map { "patient \($0)" } ?? sample.id : sample.id
        return augmentation(image, seed: seed, epoch: epoch, id: id)
    }

    /// Sets one cell of the 4 x 4 grid, drawn uniformly, to 0 with probability `deletedCells`: the mean colour after normalisation, which
    /// is what `removal=mean` paints. A network that has seen it is in its domain when a metric deletes a cell.
    /// Source: Hesse, Schaub-Meyer & Roth 2024, IDSDS, https://arxiv.org/abs/2407.11910 (they delete in half of the images).
    ///
    /// - Parameter image: `[channels, height, width]`, normalised.
    func deleteCell(_ image: inout Tensor, of sample: Sample) {
        guard deletedCells > 0 else { return }
        var generator = Philox(seed: seed, name: "deleted cell \(sample.id)", index: UInt64(epoch))
        guard generator.uniform() < deletedCells else { return }
        let cell = generator.below(Self.grid * Self.grid)
        let (channels, height, width) = (image.shape[0], image.shape[1], image.shape[2])
        func range(_ index: Int, _ side: Int) -> Range<Int> { index * side / Self.grid..<(index + 1) * side / Self.grid }
        let (rows, columns) = (range(cell / Self.grid, height), range(cell % Self.grid, width))
        image.withMutableSpan { span in
            for c in 0..<channels {
                for y in rows { for x in columns { span[(c * height + y) * width + x] = 0 } }
            }
        }
    }
}
