import CVitrineKernels

/// Cuts an image into square patches, one per row, so that the patch embedding is a matrix product.
///
/// - Parameters:
///   - image: `[C, H, W]`.
///   - patch: side in pixels; rows and columns that fill no patch are left out, as a convolution of that stride does.
///   - y: rows of `C * patch * patch`, ordered channel, row, column as the weights of a PyTorch convolution.
///   - row: the row of `y` that receives the first patch, top left; the others follow in reading order.
public func im2patches(_ image: Tensor, patch: Int, into y: inout Tensor, at row: Int = 0) {
    let start = patchStart(image, patch: patch, rows: y, at: row)
    // SAFETY: `patchStart` checked that the patches from there lie inside `y`; `mutablePointer` makes `y` distinct.
    unsafe vk_image_to_patches(
        image.pointer, image.shape[0], image.shape[1], image.shape[2], patch, y.mutablePointer() + start)
}

/// The transpose of `im2patches`: puts patches, from `row` of `patches` on, back into an image; pixels outside every patch become 0.
public func patches2im(_ patches: Tensor, patch: Int, into image: inout Tensor, at row: Int = 0) {
    let start = patchStart(image, patch: patch, rows: patches, at: row)
    let shape = image.shape
    // SAFETY: `patchStart` checked that the patches from there lie inside `patches`; `mutablePointer` makes `image` distinct.
    unsafe vk_patches_to_image(
        patches.pointer + start, shape[0], shape[1], shape[2], patch, image.mutablePointer())
}

/// Position in `rows` of the first patch, after checking that all patches of the image fit from there on.
private func patchStart(_ image: Tensor, patch: Int, rows: Tensor, at row: Int) -> Int {
    precondition(image.shape.rank == 3, "an image has shape [channels, height, width], not \(image.shape)")
    precondition(patch > 0 && row >= 0, "a patch has at least one pixel, and rows are counted from 0")
    let columns = image.shape[0] * patch * patch
    let patches = (image.shape[1] / patch) * (image.shape[2] / patch)
    precondition((row + patches) * columns <= rows.count, "\(patches) patches of \(columns) values at row \(row) of \(rows.shape)")
    return row * columns
}
