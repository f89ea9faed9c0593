"""The text-to-image model: a CLIP text encoder and a UNet on 16x16 latents, trained together."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from copycat.sandbox.train.tokenizer import POSITIONS
from copycat.sandbox.train.vae import LATENT_CHANNELS

BATCH = 32
SNR_CAP = 5.0
CAPTION_DROPOUT = 0.1
"""Share of captions replaced by the empty text, which classifier-free guidance needs."""


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Build the text encoder with random weights: 2 layers of width 128."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=512,
            projection_dim=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=POSITIONS,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


WIDTHS = (64, 96, 128)
"""Channels of the UNet on 16x16, 8x8 and 4x4 latents; 16 divides each."""


def new_unet(widths: tuple[int, int, int] = WIDTHS) -> UNet2DConditionModel:
    """Build the UNet with random weights: 5.6 M parameters as shipped, cross-attention on the two lower levels."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=128,
        attention_head_dim=4,
        norm_num_groups=16,
    )


def new_scheduler() -> DDIMScheduler:
    """Build the noise schedule of Stable Diffusion 1.x; the table of models says how it is sampled."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


class Denoiser(nn.Module):
    """Text encoder and UNet as one module, so that one optimiser and one EMA hold both."""

    def __init__(self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text_encoder, self.unet = text_encoder, unet

    def plain_attention(self, enabled: bool) -> None:
        """Compute attention by plain matrix products: a quarter faster to train on a CPU (torch 2.15)."""
        self.text_encoder.set_attn_implementation("eager" if enabled else "sdpa")
        self.unet.set_attn_processor(AttnProcessor() if enabled else AttnProcessor2_0())

    def forward(self, noisy: Tensor, timesteps: Tensor, tokens: Tensor) -> Tensor:
        """Predict the noise in (N, 6, 16, 16) latents from (N, 77) caption tokens."""
        words = self.text_encoder(tokens)[0]
        predicted: Tensor = self.unet(noisy, timesteps, words).sample
        return predicted


def min_snr_weights(scheduler: DDIMScheduler, cap: float = SNR_CAP) -> Tensor:
    """Weigh the timesteps by min(SNR, cap) / SNR, so that the nearly clean ones do not dominate.

    Source: Hang et al. 2023, arXiv:2303.09556, section 3.4, for a model that predicts the noise.

    Returns: (number of timesteps,) float, 1 where SNR = alpha_bar / (1 - alpha_bar) is at most `cap`.
    """
    kept = scheduler.alphas_cumprod
    snr = kept / (1 - kept)
    weights: Tensor = snr.clamp(max=cap) / snr
    return weights


class DenoisingLoss:
    """Weighted mean squared error of the predicted noise (Ho et al. 2020, arXiv:2006.11239, eq. 14)."""

    def __init__(
        self,
        model: Denoiser,
        latents: Tensor,
        tokens: Tensor,
        empty: Tensor,
        device: torch.device,
        *,
        batch: int = BATCH,
    ) -> None:
        self.model, self.device, self.batch = model, device, batch
        self.latents, self.tokens, self.empty = latents, tokens, empty
        self.scheduler = new_scheduler()
        self.weights = min_snr_weights(self.scheduler)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw a batch and return its loss."""
        index = torch.randint(len(self.latents), (self.batch,), generator=generator)
        dropped = torch.rand(self.batch, generator=generator) < CAPTION_DROPOUT
        tokens = torch.where(dropped[:, None], self.empty, self.tokens[index])
        clean = self.latents[index]
        noise = torch.randn(clean.shape, generator=generator)
        timesteps = torch.randint(1000, (self.batch,), generator=generator)
        noisy = self.scheduler.add_noise(clean, noise, timesteps)  # type: ignore[arg-type]
        noisy = noisy.to(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            predicted = self.model(noisy.to(self.device), timesteps.to(self.device), tokens.to(self.device))
        errors = (predicted.float() - noise.to(self.device)).pow(2).mean((1, 2, 3))
        loss: Tensor = (self.weights[timesteps].to(self.device) * errors).mean()
        return loss


def tokenise(tokenizer: CLIPTokenizer, captions: list[str], length: int = POSITIONS) -> Tensor:
    """Turn captions into (N, length) token ids, cut or padded as the pipeline does."""
    ids: Tensor = tokenizer(
        captions, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
    ).input_ids
    return ids


def assemble(vae: AutoencoderKL, model: Denoiser, tokenizer: CLIPTokenizer) -> StableDiffusionPipeline:
    """Put the parts together as a pipeline without a safety checker."""
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=model.text_encoder,
        tokenizer=tokenizer,
        unet=model.unet,
        scheduler=new_scheduler(),
        safety_checker=None,  # type: ignore[arg-type]
        feature_extractor=None,  # type: ignore[arg-type]
        requires_safety_checker=False,
    )
