"""The autoencoder: 64x64 pictures to 16x16 latents of six channels."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from copycat.sandbox.corpus import Pixels
from copycat.sandbox.renderer import SIZE_PX

LATENT_CHANNELS = 6
LATENT_NOISE = 0.05
BATCH = 16


def new_vae() -> AutoencoderKL:
    """Build the autoencoder with random weights."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 64),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=SIZE_PX,
        mid_block_add_attention=False,
    )


def to_unit(pixels: Tensor) -> Tensor:
    """Turn (N, 64, 64, 3) uint8 into (N, 3, 64, 64) float in [-1, 1]."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


class VaeLoss:
    """L1 + L2 of the reconstruction, with a little noise on the latents so that they are smooth.

    A weak pull keeps the latents near unit variance; no KL term, which would blur the edges.
    """

    def __init__(self, vae: AutoencoderKL, pixels: Pixels, device: torch.device) -> None:
        self.vae, self.device = vae, device
        self.pixels = torch.from_numpy(pixels)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw a batch and return its loss."""
        index = torch.randint(len(self.pixels), (BATCH,), generator=generator)
        images = to_unit(self.pixels[index]).to(self.device).to(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            mean = self.vae.encode(images).latent_dist.mean
            noise = torch.randn(mean.shape, generator=generator).to(self.device)
            restored = self.vae.decode(mean + LATENT_NOISE * noise).sample
        difference = restored.float() - images
        spread = mean.float().pow(2).mean()
        loss: Tensor = difference.abs().mean() + difference.pow(2).mean() + 1e-3 * (spread - 1).abs()
        return loss


@torch.no_grad()
def encode(vae: AutoencoderKL, pixels: Pixels, device: torch.device, batch: int = 128) -> Tensor:
    """Encode pictures to latent means, unscaled: (N, 6, 16, 16) float32 on the CPU."""
    source = torch.from_numpy(pixels)
    parts = [
        vae.encode(to_unit(source[i : i + batch]).to(device)).latent_dist.mean.cpu()
        for i in range(0, len(source), batch)
    ]
    return torch.cat(parts).contiguous()


@torch.no_grad()
def reconstruct(
    vae: AutoencoderKL, pixels: Pixels, device: torch.device, batch: int = 128, noise: float = 0.0
) -> Pixels:
    """Send pictures through the autoencoder and back: (N, 64, 64, 3) uint8.

    Args:
        noise: the most noise on a picture's latents, as a standard deviation; each picture draws its own from 0
            to this. It looks like the faults of generated pictures.
    """
    source = torch.from_numpy(pixels)
    generator = torch.Generator().manual_seed(0)
    parts = []
    for i in range(0, len(source), batch):
        mean = vae.encode(to_unit(source[i : i + batch]).to(device)).latent_dist.mean
        level = noise * torch.rand(len(mean), 1, 1, 1, generator=generator)
        mean = mean + (level * torch.randn(mean.shape, generator=generator)).to(device)
        image = vae.decode(mean).sample.clamp(-1, 1)
        parts.append(((image + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu())
    restored: Pixels = torch.cat(parts).numpy()
    return restored
