import VitrineImage
import VitrineModel

/// Which number of the network's answer a perturbation method follows.
enum AnswerKind: String {
    case logit
    case probability

    /// The target's own scalar, or the probability of its class.
    func target(_ target: Target) -> Target { self == .logit ? target : .probability(target.classIndex) }
}

extension Subject {
    /// Takes patches of this image away by a rule.
    func removal(_ rule: RemovalRule) throws -> PatchRemoval {
        // Only `black` reads the scale.
        let scale = rule == .black ? try requiredScale() : scale ?? ChannelScale.unit(channels: image.shape[0])
        return PatchRemoval(
            rule, image: image, rows: grid.rows, columns: grid.columns, scale: scale, random: random("removal-noise"))
    }
}

extension PatchRemoval {
    /// The image of which only these patches are left; where dropping all of them leaves nothing to read, the mean colour.
    func keeping(_ patches: [Int], networkNeedsPatches: Bool) -> ChangedInput {
        patches.isEmpty ? keepingNothing(networkNeedsPatches: networkNeedsPatches) : keeping(patches)
    }
}
