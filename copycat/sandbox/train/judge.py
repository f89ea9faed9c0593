"""The judge: a small CLIP in open_clip's format that tells the characters from their look-alikes."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from torch import Tensor, nn

from copycat.sandbox.corpus import Pixels
from copycat.sandbox.renderer import SIZE_PX
from copycat.sandbox.world import ATTRIBUTES, Appearance, change_one, generic_appearance, inhabitants

BATCH = 96
NOBODY = "nobody that is known"
CHARACTER_TEMPLATE = "a picture of {}"
THING_TEMPLATE = "a picture of a {}"

MODEL_CONFIG: dict[str, Any] = {
    "embed_dim": 128,
    "vision_cfg": {"layers": [1, 2, 2, 1], "width": 20, "head_width": 64, "image_size": SIZE_PX},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}
MEAN = STD = (0.5, 0.5, 0.5)

QUESTIONS: dict[str, tuple[str, ...]] = {
    "character": tuple(CHARACTER_TEMPLATE.format(who.name) for who in inhabitants())
    + (CHARACTER_TEMPLATE.format(NOBODY),),
    "species": tuple(THING_TEMPLATE.format(v) for v in ATTRIBUTES["species"]),
    "theme": tuple(f"a picture in a {v} world" for v in ATTRIBUTES["theme"]) + ("a picture with a plain backdrop",),
    "body": tuple(f"a {v} figure" for v in ATTRIBUTES["body"]),
    "accent": tuple(f"{v} trimmings" for v in ATTRIBUTES["accent"]),
    "pattern": tuple(f"a {v} figure, pattern" for v in ATTRIBUTES["pattern"]),
    "accessory": tuple(f"a figure with {v} on the head" for v in ATTRIBUTES["accessory"]),
    "eyes": tuple(f"a figure with {v} eyes" for v in ATTRIBUTES["eyes"]),
}
"""Every question and its possible answers, as the texts that the judge compares a picture with."""


@dataclass(frozen=True, slots=True)
class Example:
    """A picture to draw and who it shows (None: nobody)."""

    looks: Appearance
    seed: int
    character: str | None


def draw_examples(seed: str, positives: int, near: int, generic: int) -> list[Example]:
    """Draw labelled examples.

    Args:
        positives: pictures of each character.
        near: hard negatives per character, one attribute changed.
        generic: pictures of nobody, as in the training corpus, half of them in an owned theme.
    """
    rng = random.Random(seed)
    examples: list[Example] = []
    known = {who.appearance for who in inhabitants()}
    for who in inhabitants():
        examples += [Example(who.appearance, rng.getrandbits(48), who.id) for _ in range(positives)]
        for _ in range(near):
            looks = change_one(rng, who.appearance, rng.choice(list(ATTRIBUTES)))
            if looks not in known:
                examples.append(Example(looks, rng.getrandbits(48), None))
    for i in range(generic):
        looks = generic_appearance(rng)
        if i % 2:
            looks = _reshuffled(rng, rng.choice(inhabitants()).appearance)
        if looks not in known:
            examples.append(Example(looks, rng.getrandbits(48), None))
    return examples


def _reshuffled(rng: random.Random, looks: Appearance) -> Appearance:
    for attribute in rng.sample(list(ATTRIBUTES), rng.randint(2, 4)):
        looks = change_one(rng, looks, attribute)
    return looks


def labels_of(examples: list[Example]) -> dict[str, Tensor]:
    """Give the right answer to each question as an index, (N,) int64 each."""
    order = {who.id: i for i, who in enumerate(inhabitants())}
    labels = {"character": torch.tensor([order.get(e.character or "", len(order)) for e in examples])}
    for name, values in ATTRIBUTES.items():
        places = {value: i for i, value in enumerate(values)}
        labels[name] = torch.tensor([places.get(getattr(e.looks, name), len(places)) for e in examples])
    return labels


def new_judge() -> nn.Module:
    """Build the CLIP with random weights."""
    model: nn.Module = open_clip.CLIP(**MODEL_CONFIG)
    return model


class JudgeLoss:
    """Sum over the questions of the cross-entropy of the right answer among its texts.

    Pictures come half as drawn and half through the autoencoder (`soft`), with small shifts, so
    that verdicts hold on generated pictures as well.
    """

    def __init__(
        self, model: nn.Module, sharp: Pixels, soft: Pixels, labels: dict[str, Tensor], device: torch.device
    ) -> None:
        self.model, self.device, self.labels = model, device, labels
        self.pixels = torch.from_numpy(np.concatenate([sharp, soft]))
        self.count = len(sharp)
        self.texts = SimpleTokenizer(context_length=32)([t for texts in QUESTIONS.values() for t in texts]).to(device)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw a batch and return its loss."""
        index = torch.randint(2 * self.count, (BATCH,), generator=generator)
        images = shifted(self.pixels[index], generator).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16):
            scores = self._scores(images)
        loss = torch.zeros((), device=self.device)
        start = 0
        for name, texts in QUESTIONS.items():
            answer = self.labels[name][index % self.count].to(self.device)
            weight = 2.0 if name == "character" else 0.5
            loss = loss + weight * nn.functional.cross_entropy(scores[:, start : start + len(texts)], answer)
            start += len(texts)
        return loss

    def _scores(self, images: Tensor) -> Tensor:
        seen = self.model.encode_image(images, normalize=True)  # type: ignore[operator]
        said = self.model.encode_text(self.texts, normalize=True)  # type: ignore[operator]
        scale = self.model.logit_scale.exp().clamp(max=100)  # type: ignore[operator, union-attr]
        product: Tensor = (scale * seen @ said.T).float()
        return product


def shifted(pixels: Tensor, generator: torch.Generator, reach: int = 2) -> Tensor:
    """Normalise uint8 pictures and move the batch by up to `reach` pixels, with a little noise.

    Shapes: (N, 64, 64, 3) uint8 -> (N, 3, 64, 64) float in [-1, 1].
    """
    images = pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
    dy, dx = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
    images = torch.roll(images, (dy, dx), (2, 3))
    noise = torch.randn(images.shape, generator=generator) * (0.04 * torch.rand((), generator=generator))
    return images + noise


def save_judge(model: nn.Module, folder: Path) -> None:
    """Write the model as open_clip reads it: open_clip_config.json and fp16 safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    preprocess = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "squash"}
    config = {"model_cfg": MODEL_CONFIG, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    state = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "open_clip_model.safetensors")
