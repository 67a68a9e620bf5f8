extension KeyMap {
    /// `transformers`' CLIP, its vision tower `vision_model`.
    static let huggingFaceCLIP = KeyMap(
        style: .huggingFace,
        anchor: "embeddings.class_embedding",
        names: [
            ("embeddings.class_embedding", "cls_token"),
            ("pre_layrnorm", "norm_pre"),
            ("visual_projection", "visual_projection"),
        ] + huggingFaceTower,
        unused: [
            ("embeddings.position_ids", "numbers of the positions"),
            ("text_model.*", "the text tower"),
            ("text_projection", "the text tower"),
        ],
        isTower: true)

    /// What the vision towers of `transformers`' models of images and texts share.
    static let huggingFaceTower: [(published: String, ours: String)] = [
        ("embeddings.patch_embedding", "patch_embed.proj"),
        ("embeddings.position_embedding.weight", "pos_embed"),
        ("encoder.layers.#.layer_norm1", "blocks.#.norm1"),
        ("encoder.layers.#.self_attn.q_proj", "blocks.#.attn.q"),
        ("encoder.layers.#.self_attn.k_proj", "blocks.#.attn.k"),
        ("encoder.layers.#.self_attn.v_proj", "blocks.#.attn.v"),
        ("encoder.layers.#.self_attn.out_proj", "blocks.#.attn.proj"),
        ("encoder.layers.#.layer_norm2", "blocks.#.norm2"),
        ("encoder.layers.#.mlp.fc1", "blocks.#.mlp.fc1"),
        ("encoder.layers.#.mlp.fc2", "blocks.#.mlp.fc2"),
        ("post_layernorm", "norm"),
        ("classifier", "head"),
        ("logit_scale", "logit_scale"),
        ("logit_bias", "logit_bias"),
    ]

    /// OpenAI's CLIP and open_clip's own vision transformer, `visual`.
    static let openCLIP = KeyMap(
        style: .openCLIP,
        anchor: "class_embedding",
        names: [
            ("class_embedding", "cls_token"),
            ("conv1", "patch_embed.proj"),
            ("positional_embedding", "pos_embed"),
            ("ln_pre", "norm_pre"),
            ("transformer.resblocks.#.ln_1", "blocks.#.norm1"),
            ("transformer.resblocks.#.attn.in_proj_weight", "blocks.#.attn.qkv.weight"),
            ("transformer.resblocks.#.attn.in_proj_bias", "blocks.#.attn.qkv.bias"),
            ("transformer.resblocks.#.attn.out_proj", "blocks.#.attn.proj"),
            ("transformer.resblocks.#.ls_1.gamma", "blocks.#.ls1.gamma"),
            ("transformer.resblocks.#.ln_2", "blocks.#.norm2"),
            ("transformer.resblocks.#.mlp.c_fc", "blocks.#.mlp.fc1"),
            ("transformer.resblocks.#.mlp.c_proj", "blocks.#.mlp.fc2"),
            ("transformer.resblocks.#.ls_2.gamma", "blocks.#.ls2.gamma"),
            ("ln_post", "norm"),
            ("proj", "visual_projection.transposed"),
            ("logit_scale", "logit_scale"),
            ("logit_bias", "logit_bias"),
        ] + attentionalPooler("attn_pool."),
        unused: openCLIPText + captionUnused, isTower: true)

    /// The rest of an open_clip model, beside its vision tower.
    static let openCLIPText: [(published: String, reason: String)] = [
        ("text.*", "the text tower"),
        ("token_embedding.*", "the text tower"),
        ("transformer.resblocks.*", "the text tower"),
        ("positional_embedding", "the text tower"),
        ("ln_final.*", "the text tower"),
        ("text_projection", "the text tower"),
        ("attn_mask", "the text tower"),
        ("input_resolution", "the size of CLIP's images"),
        ("context_length", "the text tower"),
        ("vocab_size", "the text tower"),
    ]

    /// What a CLIP tower adds to the names of timm's ViT: timm's own files, and `visual.trunk` with `visual.head` in open_clip's.
    static let timmTowerNames: [(published: String, ours: String)] = [
        ("norm_pre", "norm_pre"),
        ("head.proj", "visual_projection"),
        // Our own: the projection where there is a head behind it.
        ("visual_projection", "visual_projection"),
        ("logit_scale", "logit_scale"),
        ("logit_bias", "logit_bias"),
    ]
}
