extension ArchitectureInference {
    /// What a head from a file of its own reads.
    ///
    /// - Throws: `LoadError.undecided` where its width fits several readings, `LoadError.head` where it fits none.
    func pooling(of head: HeadFile, width: Int) throws(LoadError) -> (ViTConfiguration.Pooling, ModelFact.Origin) {
        let hasClassToken = has("cls_token")
        func ask(_ reason: String) -> LoadError {
            .undecided(path: head.path, setting: .pooling, reason: "reads \(head.inputs) values, and \(reason)")
        }
        let hasPool = has("attn_pool.latent")
        let projected = shape("visual_projection.weight")?.first
        if head.isTexts || head.inputs == projected && head.inputs != width {
            guard towerFamily != nil || projected != nil else {
                guard hasClassToken else { return (.mean, .convention(reason: "there is no class token")) }
                throw ask("nothing shows which of the model's tokens its texts were compared with; give it")
            }
            // CLIP compares images with texts behind a projection; without one, vectors that happen to be as wide as its tokens are of
            // another space. SigLIP has none.
            let projects: [CheckpointFamily?] = [.huggingFaceCLIP, .clip, .timmCLIP]
            guard !head.isTexts || projected != nil || !projects.contains(towerFamily) else {
                throw .head(
                    path: head.path,
                    reason: "holds text vectors, and the model lacks the projection to the space of images and texts (visual_projection)")
            }
            if !head.isTexts && options.features == nil {
                throw ask("nothing shows whether it was trained on the projected features as they are or on those of length 1; give it")
            }
            if hasPool { return (.attention, .tensors) }
            return (hasClassToken ? .classToken : .mean, .convention(reason: "as CLIP's towers"))
        }
        if head.inputs == 2 * width && hasClassToken { return (.classAndMean, .tensors) }
        guard head.inputs == width else {
            throw .head(
                path: head.path,
                reason: "reads \(head.inputs) values, and the model's tokens have \(width)"
                    + (projected.map { ", its features \($0)" } ?? ""))
        }
        if hasPool { throw ask("nothing shows whether they are what attention pools or the mean of the patches; give it") }
        if !hasClassToken { return (.mean, .convention(reason: "there is no class token")) }
        throw ask(
            "nothing shows whether they are the class token or the mean of the patches" + (projected == width ? ", or a projection" : "")
                + "; give it")
    }
}
