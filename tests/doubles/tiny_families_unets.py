"""Tiny pipelines that denoise with a U-Net."""

from __future__ import annotations

from typing import Any

from diffusers import (
    AnimateDiffPipeline,
    DDIMScheduler,
    DDPMScheduler,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    IFPipeline,
    IFSuperResolutionPipeline,
    Kandinsky3Pipeline,
    Kandinsky3UNet,
    MotionAdapter,
    StableDiffusionUpscalePipeline,
    StableDiffusionXLPipeline,
    TextToVideoSDPipeline,
    UNet2DConditionModel,
    UNet3DConditionModel,
)
from tiny_families_parts import (
    WIDTH,
    clip_text_encoder,
    clip_tokenizer,
    image_vae,
    movq,
    strengthen,
    t5_encoder,
    t5_tokenizer,
)

BETAS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
SMALL = {"block_out_channels": (8, 16), "layers_per_block": 1, "attention_head_dim": 4, "norm_num_groups": 4}


def sdxl() -> DiffusionPipeline:
    unet = UNet2DConditionModel(
        **SMALL,
        sample_size=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        use_linear_projection=True,
        cross_attention_dim=2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=WIDTH + 6 * 8,
    )
    return StableDiffusionXLPipeline(
        vae=image_vae(),
        tokenizer=(tokenizer := clip_tokenizer()),
        text_encoder=clip_text_encoder(tokenizer),
        tokenizer_2=(tokenizer_2 := clip_tokenizer()),
        text_encoder_2=clip_text_encoder(tokenizer_2, projection=True),
        unet=strengthen(unet, attn2=4),
        scheduler=EulerDiscreteScheduler(**BETAS, steps_offset=1, timestep_spacing="leading"),
        force_zeros_for_empty_prompt=True,
        add_watermarker=False,
    )


def video_sd() -> DiffusionPipeline:
    unet = UNet3DConditionModel(
        **SMALL,
        sample_size=8,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=WIDTH,
    )
    return TextToVideoSDPipeline(
        vae=image_vae(),
        tokenizer=(tokenizer := clip_tokenizer()),
        text_encoder=clip_text_encoder(tokenizer),
        unet=strengthen(unet, attn2=4),
        scheduler=DDIMScheduler(**BETAS, clip_sample=False, steps_offset=1),
    )


def animatediff() -> DiffusionPipeline:
    unet = UNet2DConditionModel(
        **SMALL,
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
    )
    adapter = MotionAdapter(
        block_out_channels=(8, 16), motion_layers_per_block=1, motion_norm_num_groups=4, motion_num_attention_heads=4
    )
    return AnimateDiffPipeline(
        vae=image_vae(),
        tokenizer=(tokenizer := clip_tokenizer()),
        text_encoder=clip_text_encoder(tokenizer),
        unet=strengthen(unet, attn2=4),
        motion_adapter=adapter.eval(),
        scheduler=DDIMScheduler(beta_schedule="linear", clip_sample=False, steps_offset=1),
    )


def kandinsky3() -> DiffusionPipeline:
    """Width and height: multiples of 64."""
    unet = Kandinsky3UNet(
        in_channels=4,
        time_embedding_dim=8,
        groups=2,
        attention_head_dim=4,
        layers_per_block=3,
        block_out_channels=(8, 16),
        cross_attention_dim=8,
        encoder_hid_dim=WIDTH,
    )
    return Kandinsky3Pipeline(
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=t5_encoder(tokenizer),
        unet=strengthen(unet, encoder_hid_proj=4),
        scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2", clip_sample=True),
        movq=movq(),
    )


def if_1() -> DiffusionPipeline:
    """The first stage: 16x16 pixels from a text."""
    return IFPipeline(
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=t5_encoder(tokenizer),
        unet=_if_unet(sample_size=16, in_channels=3),
        scheduler=_if_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )


def if_2() -> DiffusionPipeline:
    """The second stage: 32x32 pixels from a text and a smaller picture."""
    return IFSuperResolutionPipeline(
        tokenizer=(tokenizer := t5_tokenizer()),
        text_encoder=t5_encoder(tokenizer),
        unet=_if_unet(sample_size=32, in_channels=6, class_embed_type="timestep"),
        scheduler=_if_scheduler(),
        image_noising_scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2"),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )


def if_3() -> DiffusionPipeline:
    """The third stage: four times as many pixels each way, from a text and a picture."""
    unet = UNet2DConditionModel(
        **SMALL,
        sample_size=32,
        in_channels=7,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        num_class_embeds=1000,
    )
    return StableDiffusionUpscalePipeline(
        vae=image_vae(halvings=2, scaling_factor=0.08333),
        tokenizer=(tokenizer := clip_tokenizer()),
        text_encoder=clip_text_encoder(tokenizer),
        unet=strengthen(unet, attn2=4),
        low_res_scheduler=DDPMScheduler(**BETAS),
        scheduler=DDIMScheduler(**BETAS, clip_sample=False, steps_offset=1),
        max_noise_level=350,
    )


def _if_scheduler() -> DDPMScheduler:
    return DDPMScheduler(
        beta_schedule="squaredcos_cap_v2",
        variance_type="learned_range",
        thresholding=True,
        dynamic_thresholding_ratio=0.95,
        sample_max_value=1.5,
    )


def _if_unet(**settings: Any) -> UNet2DConditionModel:
    unet = UNet2DConditionModel(
        **SMALL,
        out_channels=6,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        cross_attention_dim=WIDTH,
        encoder_hid_dim=WIDTH,
        encoder_hid_dim_type="text_proj",
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        cross_attention_norm="group_norm",
        resnet_time_scale_shift="scale_shift",
        act_fn="gelu",
        **settings,
    )
    return strengthen(unet, attentions=2)
