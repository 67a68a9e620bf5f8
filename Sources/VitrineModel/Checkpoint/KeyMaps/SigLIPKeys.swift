extension KeyMap {
    /// `transformers`' SigLIP and SigLIP 2 of fixed resolution, the vision tower `vision_model`. CLIP's has a class token beside the same names.
    static let huggingFaceSigLIP = KeyMap(
        style: .huggingFace,
        anchor: "embeddings.patch_embedding.weight",
        names: [
            ("head.probe", "attn_pool.latent"),
            ("head.attention.in_proj_weight", "attn_pool.in_proj.weight"),
            ("head.attention.in_proj_bias", "attn_pool.in_proj.bias"),
            ("head.attention.out_proj", "attn_pool.proj"),
            ("head.layernorm", "attn_pool.norm"),
            ("head.mlp.fc1", "attn_pool.mlp.fc1"),
            ("head.mlp.fc2", "attn_pool.mlp.fc2"),
        ] + huggingFaceTower,
        unused: [
            ("embeddings.position_ids", "numbers of the positions"),
            ("text_model.*", "the text tower"),
        ],
        isTower: true)

    /// What attention pooling adds to the names of timm's ViT.
    static let timmPoolNames: [(published: String, ours: String)] = [
        "attn_pool.latent", "attn_pool.q", "attn_pool.kv", "attn_pool.proj", "attn_pool.norm", "attn_pool.mlp.fc1", "attn_pool.mlp.fc2",
    ].map { ($0, $0) }
}
