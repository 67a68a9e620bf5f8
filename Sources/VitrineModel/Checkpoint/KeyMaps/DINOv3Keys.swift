extension KeyMap {
    /// `transformers`' DINOv3: in files (`layer.#`) and, since version 5, in memory (`model.layer.#`). Its patch embedding is no module of
    /// its own, by which it is told from Hugging Face's other vision transformers.
    static let dinov3 = KeyMap(
        style: .huggingFace,
        anchor: "embeddings.patch_embeddings.weight",
        names: [
            ("embeddings.cls_token", "cls_token"),
            ("embeddings.register_tokens", "reg_token"),
            ("embeddings.patch_embeddings", "patch_embed.proj"),
            ("norm", "norm"),
            ("classifier", "head"),
        ]
            + ["layer.#.", "model.layer.#."].flatMap { block in
                [
                    ("norm1", "norm1"),
                    ("attention.q_proj", "attn.q"),
                    ("attention.k_proj", "attn.k"),
                    ("attention.v_proj", "attn.v"),
                    ("attention.o_proj", "attn.proj"),
                    ("layer_scale1.lambda1", "ls1.gamma"),
                    ("norm2", "norm2"),
                    ("mlp.gate_proj", "mlp.fc1_g"),
                    ("mlp.up_proj", "mlp.fc1_x"),
                    ("mlp.down_proj", "mlp.fc2"),
                    ("layer_scale2.lambda1", "ls2.gamma"),
                ].map { (published: block + $0.0, ours: "blocks.#." + $0.1) }
            },
        unused: [("embeddings.mask_token", "stands for hidden patches in masked pre-training")])
}
