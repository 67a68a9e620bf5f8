import VitrineTensor

extension VisionTransformer {
    /// The same model for reading only: its maps are packed as they are used, once for all passes and workers.
    ///
    /// Results keep every bit. Memory stays as it is, since pages of the checkpoint that hold a packed weight are given back; a weight
    /// that is written stays unpacked from then on.
    public func packing() -> VisionTransformer {
        var model = self
        func pack(_ linear: inout Linear) { linear.packed = PackedWeight() }
        pack(&model.patchEmbedding)
        for l in model.blocks.indices {
            pack(&model.blocks[l].qkv)
            pack(&model.blocks[l].projection)
            pack(&model.blocks[l].fc1)
            pack(&model.blocks[l].fc2)
        }
        if model.attentionPool != nil {
            pack(&model.attentionPool!.keysValues)
            pack(&model.attentionPool!.projection)
            if model.attentionPool!.mlp != nil {
                pack(&model.attentionPool!.mlp!.fc1)
                pack(&model.attentionPool!.mlp!.fc2)
            }
        }
        return model
    }
}

extension LoadedModel {
    /// The same with a model for reading only.
    public func packing() -> LoadedModel { LoadedModel(model: model.packing(), report: report) }
}
