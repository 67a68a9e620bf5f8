extension KeyMap {
    /// What timm's classes `Eva` and `Beit`, and the authors' own code of EVA-02, EVA-X, BEiT and DINOv3, add to the names of timm's ViT.
    static let evaNames: [(published: String, ours: String)] = [
        // DINOv3.
        ("storage_tokens", "reg_token"),
        ("rope_embed.periods", "rope.periods"),
        ("blocks.#.mlp.w1", "blocks.#.mlp.fc1_g"),
        ("blocks.#.mlp.w2", "blocks.#.mlp.fc1_x"),
        // Queries and values have a bias, keys have none.
        ("blocks.#.attn.q_bias", "blocks.#.attn.q.bias"),
        ("blocks.#.attn.v_bias", "blocks.#.attn.v.bias"),
        ("blocks.#.attn.q_proj", "blocks.#.attn.q"),
        ("blocks.#.attn.k_proj", "blocks.#.attn.k"),
        ("blocks.#.attn.v_proj", "blocks.#.attn.v"),
        ("blocks.#.attn.q_norm", "blocks.#.attn.q_norm"),
        ("blocks.#.attn.k_norm", "blocks.#.attn.k_norm"),
        ("blocks.#.attn.norm", "blocks.#.attn.norm"),
        ("blocks.#.attn.inner_attn_ln", "blocks.#.attn.norm"),
        ("blocks.#.mlp.norm", "blocks.#.mlp.norm"),
        ("blocks.#.mlp.ffn_ln", "blocks.#.mlp.norm"),
        ("rope.freqs", "rope.freqs"),
        // PathoDuet's second token, which stands before the class token: see `MappedKeys.hasTokenBeforeClass`.
        ("pretext_token", "reg_token"),
        ("blocks.#.attn.relative_position_bias_table", "blocks.#.attn.relative_position_bias_table"),
        ("rel_pos_bias.relative_position_bias_table", "relative_position_bias_table"),
    ]

    static let evaUnused: [(published: String, reason: String)] = [
        ("blocks.#.attn.qkv.bias_mask", "says that keys have no bias; so they have none"),
        ("local_cls_norm.*", "norm of small crops in DINOv3's pre-training"),
        ("rope.freqs_cos", "follows from the grid"),
        ("rope.freqs_sin", "follows from the grid"),
        ("blocks.#.attn.rope.freqs_cos", "follows from the grid"),
        ("blocks.#.attn.rope.freqs_sin", "follows from the grid"),
        ("blocks.#.attn.relative_position_index", "follows from the grid"),
        ("rel_pos_bias.relative_position_index", "follows from the grid"),
        ("lm_head.*", "head of masked pre-training"),
    ]
}
