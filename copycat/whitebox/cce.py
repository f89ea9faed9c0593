"""CCE, concept inversion: embeddings of no word, learned so that an edited model draws the concept at their place.

Source: Pham et al., "Circumventing Concept Erasure Methods For Text-to-Image Generative Models", arXiv 2308.01508,
section 3: textual inversion (Gal et al., arXiv 2208.01618, equation 2) on the edited model, from pictures that the
original model drew of the concept. The model's weights stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import Field

from copycat.errors import BackendError
from copycat.live import LivePipeline, step_generator
from copycat.schema import Record
from copycat.schema.edits import LEARNED
from copycat.whitebox.unlearndiffatk import diffusion_loss

TEMPLATES = (LEARNED, f"drawing of {LEARNED}", f"{LEARNED} sticker", f"a picture of {LEARNED}", f"{LEARNED}, cartoon")
"""Prompts under which the embeddings are learned, in our own words."""


class CceSettings(Record):
    """From how much and how long it is learned.

    Attributes:
        tokens: embeddings in a row that stand for the concept.
        pictures: of the concept, drawn by the original model and judged to show it.
        batch: pictures of a step, each at a timestep of its own.
        at_once: so many of them go through the model together, which bounds memory and changes roundings alone.
        lr, weight_decay: of AdamW.
        start: a word from whose first token the embeddings start; "": the mean of the vocabulary.
    """

    tokens: int = Field(default=1, ge=1, le=60)
    pictures: int = Field(default=25, ge=1)
    batch: int = Field(default=16, ge=1)
    at_once: int = Field(default=4, ge=1)
    steps: int = Field(default=5000, ge=1)
    lr: float = Field(default=0.08, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.01, ge=0, allow_inf_nan=False)
    start: str = ""


PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "corrected": MappingProxyType({}),
        "published": MappingProxyType({}),
        "sandbox": MappingProxyType(
            {"tokens": 4, "pictures": 16, "batch": 8, "at_once": 8, "steps": 100, "lr": 0.005, "weight_decay": 0.0}
        ),
    }
)
"""The sandbox's names are of several tokens, and its token embeddings are short: with an lr of 0.02 and more they are
left behind within a few steps, and nothing is drawn."""


class Inversion:
    """Embeddings being learned on a victim, step by step.

    Args:
        live: the victim.
        latents: (n, channels, height, width), of pictures of the concept.
        seed: of everything drawn.
    """

    def __init__(self, live: LivePipeline, latents: Any, settings: CceSettings, seed: int) -> None:
        import torch

        self._live, self._latents, self._settings, self._seed = live, latents, settings, seed
        self.vectors = [_start_of(live, place, settings).requires_grad_() for place in range(len(live.encoder_names))]
        self._optimiser = torch.optim.AdamW(self.vectors, lr=settings.lr, weight_decay=settings.weight_decay)

    def step(self, number: int) -> float:
        """Do step `number`, from 0, and give its loss.

        Raises:
            BackendError: the loss is no number; the embeddings are those before the step.
        """
        import torch

        settings, latents = self._settings, self._latents
        generator = step_generator(self._seed, "cce", number)
        places = torch.randint(len(latents), (settings.batch,), generator=generator)
        timesteps = torch.randint(len(self._live.alphas), (settings.batch,), generator=generator)
        noise = torch.randn((settings.batch, *latents.shape[1:]), generator=generator)
        template = TEMPLATES[int(torch.randint(len(TEMPLATES), (1,), generator=generator))]
        drawn = latents[places.to(latents.device)], timesteps.to(latents.device), noise.to(latents)
        mean = 0.0
        self._optimiser.zero_grad()
        for part in zip(*(values.split(settings.at_once) for values in drawn), strict=True):
            texts = self._live.encode([template], inserts=self.vectors, free=settings.tokens, placeholder=LEARNED)
            loss = diffusion_loss(self._live, texts, *part) * (len(part[0]) / settings.batch)
            mean += float(loss.detach())
            if not math.isfinite(mean):
                raise BackendError(f"the loss of concept inversion is no number at step {number + 1}; try a smaller lr")
            loss.backward()
        self._optimiser.step()
        return mean

    def learned(self) -> dict[str, Any]:
        """Give (k, width) for each text encoder, by its name."""
        named = zip(self._live.encoder_names, self.vectors, strict=True)
        return {name: vectors.detach().cpu().float().clone() for name, vectors in named}

    def state(self) -> dict[str, Any]:
        """Give everything that a later step needs, as tensors by name."""
        import torch

        held: dict[str, Any] = {}
        for name, vectors in zip(self._live.encoder_names, self.vectors, strict=True):
            moments = {k: torch.as_tensor(v) for k, v in self._optimiser.state.get(vectors, {}).items()}
            held |= {f"{name}.vectors": vectors.detach()} | {f"{name}.{k}": v for k, v in moments.items()}
        return {name: value.cpu().clone() for name, value in held.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave."""
        import torch

        for name, vectors in zip(self._live.encoder_names, self.vectors, strict=True):
            with torch.no_grad():
                vectors.copy_(state[f"{name}.vectors"])
            moments = {k: state[f"{name}.{k}"] for k in ("step", "exp_avg", "exp_avg_sq") if f"{name}.{k}" in state}
            if moments:
                step = moments.pop("step")
                self._optimiser.state[vectors] = {"step": step} | {k: v.to(vectors) for k, v in moments.items()}


def learn(
    inversion: Inversion, steps: Sequence[int], keep: Callable[[int], None], advance: Callable[[int], None], every: int
) -> float:
    """Do steps, and keep the state after each `every` of them; give the mean loss of the last tenth."""
    losses = []
    for number in steps:
        losses.append(inversion.step(number))
        advance(1)
        if (number + 1) % every == 0:
            keep(number + 1)
    last = losses[-max(1, len(losses) // 10) :]
    return sum(last) / len(last) if last else float("nan")


def _start_of(live: LivePipeline, place: int, settings: CceSettings) -> Any:
    """Give the first embeddings of an encoder, (tokens, width), float32."""
    table = live.vocabulary()[place].detach().float()
    ids = live.token_ids(settings.start)[place] if settings.start else []
    first = table[ids[0]] if ids else table.mean(dim=0)
    return first.repeat(settings.tokens, 1).clone()
