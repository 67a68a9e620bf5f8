extension KeyMap {
    /// What `transformers`' BEiT and data2vec add to the names of its ViT, in files and, since version 5, in memory.
    static let beitNames: [(published: String, ours: String)] =
        [
            ("pooler.layernorm", "fc_norm"),
            ("encoder.relative_position_bias.relative_position_bias_table", "relative_position_bias_table"),
            ("shared_position_bias.relative_position_bias_table", "relative_position_bias_table"),
        ]
        + ["encoder.layer.#.", "layers.#."].flatMap { block in
            [
                ("lambda_1", "ls1.gamma"),
                ("lambda_2", "ls2.gamma"),
                ("attention.attention.relative_position_bias.relative_position_bias_table", "attn.relative_position_bias_table"),
                ("relative_position_bias.relative_position_bias_table", "attn.relative_position_bias_table"),
            ].map { (published: block + $0.0, ours: "blocks.#." + $0.1) }
        }
}
