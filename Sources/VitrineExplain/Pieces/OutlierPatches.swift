import VitrineModel
import VitrineTensor

/// Patches whose tokens stand out from all others by their norm: large pretrained networks keep notes of their own there, and maps show them
/// as spots that are no part of the picture (Darcet et al. 2024, https://arxiv.org/abs/2309.16588).
enum OutlierPatches {
    /// Where the norms are read: what enters the last block.
    static func site(_ network: ViTConfiguration) -> Site { .tokens(network.depth - 1) }

    /// Patches whose norm exceeds the median by more than six deviations (1.4826 times the median distance from the median).
    ///
    /// - Returns: their numbers, row by row.
    static func patches(_ subject: Subject) -> [Int] {
        let tokens = subject.patchRows(subject.values().value(site(subject.network)))
        return patches((0..<tokens.shape[0]).map { squaredNorm([tokens[$0]]).squareRoot() })
    }

    static func patches(_ norms: [Double]) -> [Int] {
        func median(_ values: [Double]) -> Double {
            let sorted = values.sorted()
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
        let middle = median(norms)
        let limit = middle + 6 * 1.4826 * median(norms.map { abs($0 - middle) })
        return norms.indices.filter { norms[$0] > limit }
    }
}
