"""Tiny image pipelines that denoise with a transformer."""

from __future__ import annotations

from diffusers import (
    AutoencoderDC,
    AutoencoderKLQwenImage,
    DiffusionPipeline,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    SanaPipeline,
    SanaTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from tiny_families_parts import (
    PRINTABLE,
    WIDTH,
    clip_text_encoder,
    clip_tokenizer,
    image_vae,
    qwen_tokenizer,
    strengthen,
    t5_encoder,
    t5_tokenizer,
)
from transformers import (
    Gemma2Config,
    Gemma2Model,
    GemmaTokenizer,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)

QWEN_TEMPLATE = (
    "<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, quantity, text, spatial "
    "relationships of the objects and background:<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)  # of QwenImagePipeline, which drops its first 34 tokens


def pixart() -> DiffusionPipeline:
    """Draws 256x256 pixels and resizes them, unless told use_resolution_binning=False."""
    transformer = PixArtTransformer2DModel(
        sample_size=32,
        num_layers=1,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=2,
        caption_channels=WIDTH,
        in_channels=4,
        cross_attention_dim=16,
        out_channels=8,
        use_additional_conditions=False,
    )
    return PixArtAlphaPipeline(
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=t5_encoder(tokenizer),
        vae=image_vae(halvings=3),
        transformer=strengthen(transformer, attn2=4),
        scheduler=DPMSolverMultistepScheduler(),
    )


def sd3() -> DiffusionPipeline:
    transformer = SD3Transformer2DModel(
        sample_size=8,
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_projection_dim=32,
        joint_attention_dim=2 * WIDTH,
        pooled_projection_dim=2 * WIDTH,
        pos_embed_max_size=32,
    )
    return StableDiffusion3Pipeline(
        transformer=strengthen(transformer, context_embedder=4, add_v_proj=4, text_embedder=4),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=image_vae(shift_factor=0.06),
        tokenizer=(tokenizer := clip_tokenizer()),
        text_encoder=clip_text_encoder(tokenizer, projection=True),
        tokenizer_2=(tokenizer_2 := clip_tokenizer()),
        text_encoder_2=clip_text_encoder(tokenizer_2, projection=True),
        tokenizer_3=(tokenizer_3 := t5_tokenizer()),
        text_encoder_3=t5_encoder(tokenizer_3, width=2 * WIDTH),
    )


def flux(*, guided: bool) -> DiffusionPipeline:
    """The guided one has a guidance embedding, as FLUX.1-dev; the other has none, as FLUX.1-schnell."""
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        guidance_embeds=guided,
        axes_dims_rope=(4, 4, 8),
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0 if guided else 1.0, use_dynamic_shifting=guided),
        vae=image_vae(shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        tokenizer=(tokenizer := clip_tokenizer()),
        text_encoder=clip_text_encoder(tokenizer),
        tokenizer_2=(tokenizer_2 := t5_tokenizer()),
        text_encoder_2=t5_encoder(tokenizer_2),
        transformer=strengthen(transformer, context_embedder=3, add_v_proj=3, text_embedder=3),
    )


def sana() -> DiffusionPipeline:
    """Draws 512x512 pixels and resizes them, unless told use_resolution_binning=False."""
    transformer = SanaTransformer2DModel(
        sample_size=16,
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=8,
        num_cross_attention_heads=2,
        cross_attention_head_dim=8,
        cross_attention_dim=16,
        caption_channels=WIDTH,
    )
    return SanaPipeline(
        tokenizer=(tokenizer := _gemma_tokenizer()),
        text_encoder=_gemma(tokenizer),
        vae=_sana_vae(),
        transformer=strengthen(transformer, attn2=6),
        scheduler=DPMSolverMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, final_sigmas_type="zero"
        ),
    )


def _sana_vae() -> AutoencoderDC:
    """As the real one, it halves five times."""
    blocks = 6
    vae = AutoencoderDC(
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock",) * blocks,
        decoder_block_types=("ResBlock",) * blocks,
        encoder_block_out_channels=(8,) * blocks,
        decoder_block_out_channels=(8,) * blocks,
        encoder_layers_per_block=(1,) * blocks,
        decoder_layers_per_block=(1,) * blocks,
        encoder_qkv_multiscales=((),) * blocks,
        decoder_qkv_multiscales=((),) * blocks,
    )
    return strengthen(vae, decoder__conv_out=1.5)


def _gemma_tokenizer() -> GemmaTokenizer:
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", "\n", *PRINTABLE]
    return GemmaTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], model_max_length=4096
    )


def _gemma(tokenizer: GemmaTokenizer) -> Gemma2Model:
    config = Gemma2Config(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Gemma2Model(config).eval()


def qwen() -> DiffusionPipeline:
    transformer = QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
    )
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1],
        num_res_blocks=1,
        temperal_downsample=[False],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    return QwenImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0, use_dynamic_shifting=True),
        vae=strengthen(vae, decoder__conv_out=2),
        tokenizer=(tokenizer := qwen_tokenizer(QWEN_TEMPLATE)),
        text_encoder=_qwen2_5_vl(len(tokenizer)),
        transformer=strengthen(transformer, norm_added_k=4, add_v_proj=10, to_out=4),
    )


def _qwen2_5_vl(pieces: int) -> Qwen2_5_VLForConditionalGeneration:
    text = {
        "vocab_size": pieces,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e6},
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": WIDTH}
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision)).eval()
