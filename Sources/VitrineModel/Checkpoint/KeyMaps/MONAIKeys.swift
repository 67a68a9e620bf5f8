extension KeyMap {
    private static let monaiNames: [(published: String, ours: String)] = [
        ("cls_token", "cls_token"),
        ("patch_embedding.position_embeddings", "pos_embed"),
        ("patch_embedding.patch_embeddings", "patch_embed.proj"),
        ("patch_embedding.patch_embeddings.1", "patch_embed.proj"),
        ("blocks.#.norm1", "blocks.#.norm1"),
        ("blocks.#.attn.qkv", "blocks.#.attn.qkv"),
        ("blocks.#.attn.out_proj", "blocks.#.attn.proj"),
        ("blocks.#.norm2", "blocks.#.norm2"),
        ("blocks.#.mlp.linear1", "blocks.#.mlp.fc1"),
        ("blocks.#.mlp.linear2", "blocks.#.mlp.fc2"),
        ("norm", "norm"),
        // With a Tanh behind it, and without.
        ("classification_head.0", "head"),
        ("classification_head", "head"),
    ]

    private static let monaiUnused: [(published: String, reason: String)] = [
        ("blocks.#.norm_cross_attn.weight", "of cross-attention, which MONAI's ViT does not have"),
        ("blocks.#.norm_cross_attn.bias", "of cross-attention, which MONAI's ViT does not have"),
        ("blocks.#.cross_attn.q.weight", "of cross-attention, which MONAI's ViT does not have"),
        ("blocks.#.cross_attn.to_q.weight", "of cross-attention, which MONAI's ViT does not have"),
        ("blocks.#.cross_attn.to_k.weight", "of cross-attention, which MONAI's ViT does not have"),
        ("blocks.#.cross_attn.to_v.weight", "of cross-attention, which MONAI's ViT does not have"),
        ("blocks.#.cross_attn.out_proj.weight", "of cross-attention, which MONAI's ViT does not have"),
        ("blocks.#.cross_attn.out_proj.bias", "of cross-attention, which MONAI's ViT does not have"),
    ]

    /// `monai.networks.nets.ViT` whose patch embedding is a convolution.
    static let monai = KeyMap(
        style: .monai, anchor: "patch_embedding.patch_embeddings.weight", names: monaiNames, unused: monaiUnused)

    /// The same with a linear map on rearranged pixels (`proj_type="perceptron"`).
    static let monaiPerceptron = KeyMap(
        style: .monai, anchor: "patch_embedding.patch_embeddings.1.weight", names: monaiNames, unused: monaiUnused)
}
