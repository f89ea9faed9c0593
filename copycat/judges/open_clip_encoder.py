"""Pictures and texts as unit vectors of one space, by a model of open_clip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from PIL.Image import Image

from copycat.judges.open_clip_weights import Loaded, Weights

BATCH = 64


class OpenClipEncoder:
    """Reads its weights on first use; texts are encoded once."""

    def __init__(self, weights: Weights, device: str) -> None:
        self.weights, self.device = weights, device
        self._texts: dict[tuple[str, ...], Any] = {}

    def embed_pictures(self, pictures: Sequence[Image]) -> Any:
        """Give (N, D) float32, each row of length 1, on the device."""
        import torch

        model, preprocess, _ = self._loaded
        parts = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
        with torch.inference_mode():
            encoded = [
                model.encode_image(stack_pixels(preprocess, part).to(self.device), normalize=True) for part in parts
            ]
        return torch.cat(encoded)

    def embed_texts(self, texts: tuple[str, ...]) -> Any:
        """Give (len(texts), D) float32, each row of length 1, on the device; the same object for the same texts."""
        import torch

        model, _, tokenizer = self._loaded
        if texts not in self._texts:
            parts = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
            with torch.inference_mode():
                encoded = [model.encode_text(tokenizer(part).to(self.device), normalize=True) for part in parts]
            self._texts[texts] = torch.cat(encoded)
        return self._texts[texts]

    @property
    def scale(self) -> float:
        """What a cosine is multiplied with to give a logit."""
        return float(self._loaded.model.logit_scale.detach().exp())

    @property
    def preprocess(self) -> Any:
        """What makes a picture ready for the model."""
        return self._loaded.preprocess

    @cached_property
    def _loaded(self) -> Loaded:
        return self.weights.load(self.device)


def stack_pixels(preprocess: Any, pictures: Sequence[Image]) -> Any:
    """Give what `preprocess` makes of each picture, as one batch (N, 3, H, W) float32.

    To numbers and to the model's mean and deviation all at once: the same arithmetic on each pixel, and so
    the same bits, in less time.
    """
    import numpy as np
    import torch

    steps: list[Any] = list(getattr(preprocess, "transforms", []))
    if [type(step).__name__ for step in steps[-2:]] != ["MaybeToTensor", "Normalize"]:  # another version of open_clip
        return torch.stack([preprocess(picture.convert("RGB")) for picture in pictures])
    prepared = []
    for picture in pictures:
        ready = picture.convert("RGB")
        for step in steps[:-2]:
            ready = step(ready)
        prepared.append(np.asarray(ready))
    pixels = torch.from_numpy(np.stack(prepared)).permute(0, 3, 1, 2).contiguous()
    return steps[-1](pixels.to(torch.float32).div(255))
