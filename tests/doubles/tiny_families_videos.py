"""Tiny video pipelines that denoise with a transformer."""

from __future__ import annotations

from diffusers import (
    AutoencoderKLCogVideoX,
    AutoencoderKLHunyuanVideo,
    AutoencoderKLLTXVideo,
    AutoencoderKLMochi,
    AutoencoderKLWan,
    CogVideoXDDIMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
    DiffusionPipeline,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideoPipeline,
    HunyuanVideoTransformer3DModel,
    LTXPipeline,
    LTXVideoTransformer3DModel,
    MochiPipeline,
    MochiTransformer3DModel,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from diffusers.pipelines.hunyuan_video.pipeline_hunyuan_video import DEFAULT_PROMPT_TEMPLATE
from tiny_families_parts import (
    WIDTH,
    clip_text_encoder,
    clip_tokenizer,
    qwen_tokenizer,
    strengthen,
    t5_encoder,
    t5_tokenizer,
    umt5_encoder,
)
from tokenizers.processors import TemplateProcessing
from transformers import LlamaConfig, LlamaModel, Qwen2Tokenizer

BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
HUNYUAN_TEMPLATE = DEFAULT_PROMPT_TEMPLATE["template"]  # its first 95 tokens are dropped, with the begin marker


def wan() -> DiffusionPipeline:
    """Frames: 4 n + 1."""
    transformer = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=WIDTH,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
    )
    vae = AutoencoderKLWan(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    return WanPipeline(
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=umt5_encoder(tokenizer),
        vae=strengthen(vae, decoder__conv_out=1.5),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, num_train_timesteps=1000
        ),
        transformer=strengthen(transformer, text_embedder=4, attn2=4),
    )


def cogvideox() -> DiffusionPipeline:
    """Frames: 4 n + 1."""
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=4,
        attention_head_dim=8,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=WIDTH,
        num_layers=1,
        sample_width=4,
        sample_height=4,
        sample_frames=9,
        max_text_seq_length=226,
    )
    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8), latent_channels=4, layers_per_block=1, norm_num_groups=2
    )
    return CogVideoXPipeline(
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=t5_encoder(tokenizer),
        vae=strengthen(vae, decoder__conv_out=1.5),
        transformer=strengthen(transformer, text_proj=4, norm_q=2, norm_k=2, attn1__to_v=4),
        scheduler=CogVideoXDDIMScheduler(**BETAS, prediction_type="v_prediction"),
    )


def ltx() -> DiffusionPipeline:
    """Frames: 4 n + 1."""
    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=WIDTH,
    )
    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, False, False),
        decoder_spatio_temporal_scaling=(True, True, False, False),
        patch_size=1,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    )
    return LTXPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0, use_dynamic_shifting=True),
        vae=strengthen(vae, decoder__conv_out=1.5),
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=t5_encoder(tokenizer),
        transformer=strengthen(transformer, attn2=4),
    )


def hunyuan_video() -> DiffusionPipeline:
    """Frames: 4 n + 1."""
    transformer = HunyuanVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=16,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=1,
        guidance_embeds=True,
        text_embed_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        rope_axes_dim=(4, 4, 8),
    )
    vae = AutoencoderKLHunyuanVideo(
        latent_channels=4, block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4
    )
    tokenizer = _llama_tokenizer()
    llama = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=3,
        num_attention_heads=2,
        initializer_range=0.5,  # so that hidden states, which no norm has seen, are of a useful size
    )
    return HunyuanVideoPipeline(
        tokenizer=tokenizer,
        text_encoder=LlamaModel(llama).eval(),
        tokenizer_2=(tokenizer_2 := clip_tokenizer()),
        text_encoder_2=clip_text_encoder(tokenizer_2),
        transformer=strengthen(transformer, context_embedder=2, add_v_proj=4),
        vae=strengthen(vae, decoder__conv_out=1.5),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
    )


def _llama_tokenizer() -> Qwen2Tokenizer:
    """Bytes as those of Llama 3, which begin with a marker."""
    special = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
    tokenizer = qwen_tokenizer(HUNYUAN_TEMPLATE, special)
    begin = special[0]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=[begin, "$A"], special_tokens=[(begin, tokenizer.convert_tokens_to_ids(begin))]
    )
    return tokenizer


def mochi() -> DiffusionPipeline:
    """Frames: 6 n + 1."""
    transformer = MochiTransformer3DModel(
        patch_size=2,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        in_channels=12,
        text_embed_dim=WIDTH,
        time_embed_dim=8,
        max_sequence_length=256,
    )
    vae = AutoencoderKLMochi(
        encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32),
        layers_per_block=(1, 1, 1, 1, 1),
    )
    return MochiPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
        vae=strengthen(vae, decoder__proj_out=1.5),
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=t5_encoder(tokenizer),
        transformer=strengthen(transformer, add_v_proj=4),
        force_zeros_for_empty_prompt=True,
    )
