import VitrineImage
import VitrineModel

/// Which number of the network's answer a perturbation method follows.
enum AnswerKind: String, CaseIterable {
    case logit
    case probability
}

/// A number read off the logits: the target's own scalar, or the probability of its class, by the head's own kind of probability.
struct Answer {
    let target: Target
    let kind: AnswerKind
    let probabilities: ViTConfiguration.Probabilities

    func value(logits: [Float]) -> Float {
        kind == .logit ? target.value(logits: logits) : probabilities(logits)[target.classIndex]
    }
}

extension Probe {
    /// What a method follows; complains where the model has no classes.
    func answer(_ kind: AnswerKind) throws(ViTError) -> Answer {
        Answer(target: try requiredTarget(), kind: kind, probabilities: network.probabilities)
    }
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
