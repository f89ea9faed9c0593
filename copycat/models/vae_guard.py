"""A second chance for a picture that half precision spoilt: decode its latents again in float32.

An overflow in the VAE gives NaN, which becomes a black picture with no more than a warning
(huggingface/diffusers#4325). The guard stands where the pipeline calls `vae.decode`.
"""

from __future__ import annotations

from typing import Any


class VaeGuard:
    """Replaces `decode` of a pipeline's VAE, and remembers which rows of a batch were decoded again."""

    def __init__(self, vae: Any) -> None:
        self._vae, self._decode = vae, vae.decode
        self._decoded, self._rescued = 0, set[int]()
        vae.decode = self.decode

    def begin(self) -> None:
        """Forget the last batch."""
        self._decoded, self._rescued = 0, set()

    def rescued(self, pictures: int) -> set[int]:
        """Give the places of the pictures, or clips, of this batch that were decoded again.

        Some pipelines decode a clip frame by frame, in one call or in several: then a picture has many rows.
        """
        return {row * pictures // self._decoded for row in self._rescued}

    def decode(self, latents: Any, *args: Any, **settings: Any) -> Any:
        """Decode, and once more in float32 what came out not finite or of one colour; other rows stay as they are."""
        import torch

        output = self._decode(latents, *args, **settings)
        pixels = output[0]
        before_these = self._decoded
        self._decoded += len(pixels)
        spoilt = [i for i, row in enumerate(pixels) if is_spoilt(row)]
        if not spoilt or pixels.dtype == torch.float32 or not torch.isfinite(latents[spoilt]).all():
            return output
        kept = pixels.clone()
        before = self._vae.dtype
        try:
            self._vae.to(dtype=torch.float32)
            again = self._decode(latents[spoilt].float(), *args, **settings)[0]
        finally:
            self._vae.to(dtype=before)
        kept[spoilt] = again.to(kept.dtype)
        self._rescued |= {before_these + row for row in spoilt}
        return (kept,) if isinstance(output, tuple) else type(output)(sample=kept)


def is_spoilt(pixels: Any) -> bool:
    """Whether a tensor of pixels is not finite somewhere, or the same everywhere."""
    return not bool(pixels.isfinite().all()) or bool(pixels.amax() == pixels.amin())
