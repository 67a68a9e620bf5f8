/// Architectures that are recognised in order to be refused by their names.
///
/// Each is told by parts of names that no supported model has together. An architecture that becomes supported loses its line here.
struct ForeignArchitecture {
    let name: String
    /// Each is part of at least one key.
    let parts: [String]
    /// None is part of any key.
    var without: [String] = []

    static let all: [ForeignArchitecture] = [
        .init(name: "a PEFT (LoRA) adapter without the model it adapts", parts: ["lora_A", "lora_B"]),
        .init(name: "SAM's image encoder", parts: ["attn.rel_pos_h", "attn.rel_pos_w"]),
        .init(name: "Swin V2", parts: ["logit_scale", "cpb_mlp"]),
        .init(name: "Swin V2", parts: ["logit_scale", "continuous_position_bias_mlp"]),
        .init(name: "Swin V2 (CR)", parts: ["meta_mlp", "stages.0"]),
        .init(name: "Swin", parts: ["relative_position_bias_table", "reduction.weight"]),
        .init(name: "MaxViT or CoAtNet", parts: ["rel_pos.relative_position_bias_table", "stages.0"]),
        .init(
            name: "a ViT with relative positions (relpos)", parts: ["rel_pos.", "blocks.0.attn.qkv"], without: ["relative_position_bias"]),
        .init(name: "NaFlexViT", parts: ["embeds.proj", "blocks.0.attn"]),
        .init(name: "Sapiens 2", parts: ["attn.wq.weight", "ffn.w12.weight"]),
        .init(name: "a Perception Encoder", parts: ["attn_pool.latent", "norm_pre.weight", "gamma_1"]),
        .init(name: "AIMv2", parts: ["mlp.fc1_g.weight", "patch_embed.norm.weight"]),
        .init(name: "CaiT", parts: ["blocks_token_only", "attn.proj_l"]),
        .init(name: "XCiT", parts: ["cls_attn_blocks", "local_mp"]),
        .init(name: "ConViT", parts: ["attn.gating_param", "attn.pos_proj"]),
        .init(name: "CrossViT", parts: ["fusion.0", "revert_projs"]),
        .init(name: "Hiera", parts: ["patch_embed.proj", "pos_embed_win"]),
        .init(name: "Hiera", parts: ["blocks.0.attn.qkv", "blocks.2.proj.weight"]),
        .init(name: "MViT", parts: ["pool_q", "attn.norm_k"]),
        .init(name: "LeViT", parts: ["attention_biases", "stem."]),
        .init(name: "PiT", parts: ["transformers.0.blocks", "patch_embed.conv"]),
        .init(name: "a hybrid of ResNet and ViT", parts: ["patch_embed.backbone", "blocks.0.attn"]),
        .init(name: "vit-pytorch's ViT", parts: ["to_patch_embedding", "transformer.layers.0.0"]),
        .init(name: "YOLOS", parts: ["detection_tokens", "embeddings.patch_embeddings"]),
        .init(name: "an audio spectrogram transformer", parts: ["audio_spectrogram_transformer", "embeddings"]),
        .init(name: "a video transformer (TimeSformer, ViViT or VideoMAE)", parts: ["temporal_attention", "embeddings"]),
        .init(name: "a video transformer (TimeSformer, ViViT or VideoMAE)", parts: ["tubelet_embeddings", "vivit"]),
        .init(name: "DPT", parts: ["neck.reassemble_stage", "embeddings.patch_embeddings"]),
        .init(name: "MobileViT", parts: ["mobilevit", "conv_stem"]),
        .init(name: "ConvNeXt", parts: ["dwconv.weight", "pwconv1.weight"]),
        .init(name: "ConvNeXt", parts: ["conv_dw.weight", "stages.0.blocks.0"]),
        .init(name: "a ResNet", parts: ["layer1.0.conv1.weight", "bn1.weight"]),
        .init(name: "a language model (BERT or the like)", parts: ["word_embeddings", "token_type_embeddings"]),
    ]

    /// The name of the architecture that these keys belong to.
    static func name(of keys: some Collection<String>) -> String? {
        all.first { candidate in
            candidate.parts.allSatisfy { part in keys.contains { $0.contains(part) } }
                && !candidate.without.contains { part in keys.contains { $0.contains(part) } }
        }?.name
    }
}
