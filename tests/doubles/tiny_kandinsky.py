"""A tiny Kandinsky 2.2: a decoder whose README names the prior that belongs to it, as on the Hub."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    DDIMScheduler,
    KandinskyV22Pipeline,
    KandinskyV22PriorPipeline,
    PriorTransformer,
    UnCLIPScheduler,
    UNet2DConditionModel,
)
from tiny_families_parts import WIDTH, clip_text_encoder, clip_tokenizer, movq, strengthen
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

SEED = 20


def save_tiny_kandinsky(folder: Path) -> Path:
    """Save both halves with the same weights every time; returns the folder of the decoder."""
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        prior, decoder = _prior(), _decoder()
    prior.save_pretrained(folder / "prior")
    decoder.save_pretrained(folder / "decoder")
    (folder / "decoder" / "README.md").write_text(f"---\nprior:\n- {folder / 'prior'}\n---\n", encoding="utf-8")
    return folder / "decoder"


def _prior() -> KandinskyV22PriorPipeline:
    prior = PriorTransformer(
        num_attention_heads=2, attention_head_dim=16, embedding_dim=WIDTH, num_layers=2, additional_embeddings=4
    )
    torch.nn.init.ones_(prior.clip_std)  # otherwise every embedding is zero
    vision = CLIPVisionConfig(
        hidden_size=WIDTH,
        projection_dim=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    return KandinskyV22PriorPipeline(
        prior=strengthen(prior, to_v=4, to_out=4, embedding_proj=4),
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        tokenizer=(tokenizer := clip_tokenizer()),
        text_encoder=clip_text_encoder(tokenizer, projection=True),
        scheduler=UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", clip_sample=True, clip_sample_range=10.0
        ),
        image_processor=CLIPImageProcessor(size=32, crop_size=32),
    )


def _decoder() -> KandinskyV22Pipeline:
    unet = UNet2DConditionModel(
        in_channels=4,
        out_channels=8,
        addition_embed_type="image",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        encoder_hid_dim=WIDTH,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=16,
        attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
        norm_num_groups=4,
    )
    return KandinskyV22Pipeline(
        unet=strengthen(unet, attentions=2),
        scheduler=DDIMScheduler(
            beta_schedule="linear",
            beta_start=0.00085,
            beta_end=0.012,
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        movq=movq(),
    )
