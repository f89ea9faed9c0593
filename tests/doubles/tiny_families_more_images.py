"""More tiny image pipelines that denoise with a transformer."""

from __future__ import annotations

from diffusers import (
    AuraFlowPipeline,
    AuraFlowTransformer2DModel,
    AutoencoderKLFlux2,
    DDPMScheduler,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    HunyuanDiT2DModel,
    HunyuanDiTPipeline,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from tiny_families_parts import (
    PRINTABLE,
    WIDTH,
    image_vae,
    qwen_tokenizer,
    strengthen,
    t5_encoder,
    t5_tokenizer,
    umt5_encoder,
)
from transformers import BertConfig, BertModel, BertTokenizer, Qwen3Config, Qwen3ForCausalLM, Qwen3Model


def z_image() -> DiffusionPipeline:
    transformer = ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=4,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[8, 4, 4],
        axes_lens=[1024, 32, 32],
    )
    tokenizer = qwen_tokenizer("<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n")
    return ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=image_vae(shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        tokenizer=tokenizer,
        text_encoder=Qwen3Model(_qwen3(len(tokenizer), layers=2)).eval(),
        transformer=strengthen(transformer, cap_embedder=4),
    )


def flux2_klein() -> DiffusionPipeline:
    """Its text encoder has 28 layers, for three of them are read by number."""
    transformer = Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=32,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    vae = AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=16,
    )
    tokenizer = qwen_tokenizer("<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\n")
    return Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=strengthen(vae, decoder__conv_out=1.5),
        tokenizer=tokenizer,
        text_encoder=Qwen3ForCausalLM(_qwen3(len(tokenizer), layers=28)).eval(),
        transformer=strengthen(transformer, context_embedder=2, norm_added_k=3, add_v_proj=8),
        is_distilled=False,
    )


def _qwen3(pieces: int, layers: int) -> Qwen3Config:
    return Qwen3Config(
        vocab_size=pieces,
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        initializer_range=0.5,  # so that hidden states, which no norm has seen, are of a useful size
        tie_word_embeddings=True,
    )


def hunyuandit() -> DiffusionPipeline:
    """It draws about 1024x1024 pixels, unless told use_resolution_binning=False."""
    transformer = HunyuanDiT2DModel(
        sample_size=16,
        num_layers=2,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=2,
        in_channels=4,
        hidden_size=16,
        mlp_ratio=2.0,
        cross_attention_dim=WIDTH,
        cross_attention_dim_t5=WIDTH,
        pooled_projection_dim=16,
        text_len=77,
        text_len_t5=256,
    )
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PRINTABLE, *(f"##{letter}" for letter in PRINTABLE)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    bert = BertConfig(
        vocab_size=len(pieces),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        initializer_range=0.2,
    )
    return HunyuanDiTPipeline(
        vae=image_vae(halvings=3),  # the pipeline counts on three
        tokenizer=BertTokenizer(vocab=vocabulary, model_max_length=77),
        text_encoder=BertModel(bert).eval(),
        transformer=strengthen(transformer, attn2=4),
        scheduler=DDPMScheduler(beta_schedule="scaled_linear", beta_end=0.03, prediction_type="v_prediction"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        tokenizer_2=(tokenizer_2 := t5_tokenizer()),
        text_encoder_2=t5_encoder(tokenizer_2),
    )


def auraflow() -> DiffusionPipeline:
    transformer = AuraFlowTransformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_mmdit_layers=1,
        num_single_dit_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=WIDTH,
        caption_projection_dim=32,
        pos_embed_max_size=256,
    )
    return AuraFlowPipeline(
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=umt5_encoder(tokenizer),
        vae=image_vae(),
        transformer=strengthen(transformer, add_v_proj=10, attn__to_out=10, norm1__linear=5, ff__=2),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.73),
    )
