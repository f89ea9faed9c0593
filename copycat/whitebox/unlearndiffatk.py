"""UnlearnDiffAtk: tokens in front of a prompt, found by gradients, under which an edited model draws the concept.

Source: Zhang et al., "To Generate or Not? Safety-Driven Unlearned Diffusion Models Are Still Easy To Generate Unsafe
Images ... For Now", arXiv 2310.11868, section 4: the noise that the attacked model predicts for a noised picture of the
concept is brought to the noise that was added, so that the model itself says how likely the picture is under the
prompt; no second model and no classifier is needed for the gradient.

A token is relaxed to shares of all words of the vocabulary. Forwards the word with the largest share stands there,
backwards the gradient goes to all shares; after each step they are projected to the simplex. The gradient of a step is
its own: nothing is left over from the step before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import Field

from copycat.errors import BackendError, UnsupportedError
from copycat.live import LivePipeline, Texts, TokenRow, step_generator
from copycat.live.texts import encode_rows, token_row
from copycat.schema import Record
from copycat.whitebox.simplex import picked, project


class UnlearnDiffAtkSettings(Record):
    """How long and how hard it is searched.

    Attributes:
        tokens: of the prefix; the paper takes 3 for objects and styles, 5 for nudity.
        rounds: how often the timesteps are drawn anew; after each round a picture is drawn and judged, and where it
            shows the concept the search is over.
        iterations: steps of a round.
        timesteps: of a round, whose losses are averaged in each step.
        lr, weight_decay: of AdamW.
        keeps_best: of a round, whose losses can be compared, take the prefix with the lowest; without it the last one.
        start: "random": every token has random shares; "word": each begins as one random word.
        leaves_out_name: no token of the concept's name and aliases may be in the prefix.
    """

    tokens: int = Field(default=3, ge=1, le=60)
    rounds: int = Field(default=50, ge=1)
    iterations: int = Field(default=40, ge=1)
    timesteps: int = Field(default=1, ge=1)
    lr: float = Field(default=0.01, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    keeps_best: bool = True
    start: str = Field(default="random", pattern="^(random|word)$")
    leaves_out_name: bool = False


PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "corrected": MappingProxyType({}),
        "published": MappingProxyType({"keeps_best": False}),
        "sandbox": MappingProxyType({"rounds": 8, "iterations": 10, "timesteps": 4, "lr": 0.05}),
    }
)


class Target(NamedTuple):
    """What the victim is to draw again.

    Attributes:
        latents: (1, channels, height, width), of a picture of the concept by the original model.
        seed: of the noise and the timesteps.
    """

    latents: Any
    seed: int


class Found(NamedTuple):
    """What a search came to: the prefix of the last round, or of the first that succeeded."""

    prefix: tuple[int, ...]
    is_success: bool
    loss: float
    steps: int


Check = Callable[[tuple[int, ...]], bool]
"""Draws and judges a picture under a prefix: whether it shows the concept."""


def allowed_tokens(live: LivePipeline, words: Sequence[str] = ()) -> Any:
    """Say of each token whether a prefix may have it: special tokens never, nor those of `words`.

    Returns: (tokens,) of bool, for the first encoder.

    Raises:
        UnsupportedError: two encoders with different vocabularies, as a prefix has one list of tokens.
    """
    import torch

    vocabularies = [tokenizer.get_vocab() for tokenizer in live.tokenizers]
    if any(vocabulary != vocabularies[0] for vocabulary in vocabularies):
        raise UnsupportedError(f"'{live.name}': its text encoders have different vocabularies\n  use --method cce")
    banned = {token for tokenizer in live.tokenizers for token in tokenizer.all_special_ids}
    banned |= {token for word in words for token in live.token_ids(word)[0]}
    n_tokens = len(live.vocabulary()[0])
    known = set(vocabularies[0].values()) - banned
    return torch.tensor([token in known for token in range(n_tokens)], device=live.device)


def search_prefix(
    live: LivePipeline, prompt: str, target: Target, settings: UnlearnDiffAtkSettings, *, allowed: Any, check: Check
) -> Found:
    """Look for a prefix of `prompt` under which the victim draws the target again.

    Args:
        live: the victim; its weights stay as they are.
        allowed: of `allowed_tokens`.

    Raises:
        BackendError: a loss is no number.
    """
    import torch

    shares = _begin(settings, allowed, step_generator(target.seed, "start"))
    places = allowed.nonzero()[:, 0]
    tables = [table[places].float() for table in live.vocabulary()]
    rows = _rows(live, prompt, settings.tokens)
    optimiser = torch.optim.AdamW([shares], lr=settings.lr, weight_decay=settings.weight_decay)
    mean, steps = float("nan"), 0
    prefix: tuple[int, ...] = ()
    for round_ in range(settings.rounds):
        timesteps, noise = _draw_round(live, settings, target, round_)
        losses, tried = [], []
        for _ in range(settings.iterations):
            inserts = [picked(shares, table) for table in tables]
            tried.append(shares.argmax(dim=-1))
            texts = encode_rows(live.encoders, rows, inserts)
            loss = diffusion_loss(live, texts, target.latents, timesteps, noise)
            losses.append(float(loss.detach()))
            if not math.isfinite(losses[-1]):
                raise BackendError(f"the loss of the search for '{prompt}' is no number; try a smaller lr, or float32")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                shares.copy_(project(shares))
            steps += 1
        mean = sum(losses) / len(losses)
        words = tried[losses.index(min(losses))] if settings.keeps_best else shares.argmax(dim=-1)
        prefix = tuple(int(token) for token in places[words])
        if check(prefix):
            return Found(prefix, True, mean, steps)
    return Found(prefix, False, mean, steps)


def diffusion_loss(live: LivePipeline, texts: Texts, latents: Any, timesteps: Any, noise: Any) -> Any:
    """Give the mean squared error of the victim's prediction for a noised picture under a text (equation 5).

    Shapes:
        latents: (1, c, h, w) or (n, c, h, w). timesteps: (n,). noise: (n, c, h, w). texts: one row or n.
    """
    count = len(timesteps)
    clean = latents.expand(count, *latents.shape[1:])
    noisy = live.add_noise(clean, noise, timesteps)
    rows = texts.repeated(count) if len(texts.states) == 1 else texts
    predicted = live.predict(noisy, timesteps, rows)
    return (predicted - live.training_target(clean, noise, timesteps)).float().square().mean()


def _rows(live: LivePipeline, prompt: str, free: int) -> list[list[TokenRow]]:
    """Lay a prompt out behind its prefix; what an encoder does not read is cut off, as it is when it is drawn."""
    texts = zip(live.tokenizers, live.token_ids(prompt), strict=True)
    return [[token_row(tokenizer, ((), own), free, may_cut=True)] for tokenizer, own in texts]


def _begin(settings: UnlearnDiffAtkSettings, allowed: Any, generator: Any) -> Any:
    """Give the first shares (k, allowed tokens), with gradients."""
    import torch

    n_allowed = int(allowed.sum())
    if settings.start == "word":
        words = torch.randint(n_allowed, (settings.tokens,), generator=generator)
        shares = torch.nn.functional.one_hot(words, n_allowed).float()
    else:
        shares = torch.rand(settings.tokens, n_allowed, generator=generator)
        shares = shares / shares.sum(dim=-1, keepdim=True)
    return shares.to(allowed.device).requires_grad_()


def _draw_round(live: LivePipeline, settings: UnlearnDiffAtkSettings, target: Target, round_: int) -> tuple[Any, Any]:
    """Draw the timesteps of a round, one from each of equal parts of the schedule, and their noise.

    Over the rounds the parts themselves are gone through in turn, as the published search goes through 50 of them.
    """
    import torch

    generator = step_generator(target.seed, "round", round_)
    n_steps = len(live.alphas)
    n_parts = settings.rounds * settings.timesteps
    parts = torch.arange(settings.timesteps) * settings.rounds + (settings.rounds - 1 - round_)
    width = n_steps / n_parts
    within = torch.rand(settings.timesteps, generator=generator)
    timesteps = ((parts + within) * width).long().clamp(0, n_steps - 1)
    noise = torch.randn((settings.timesteps, *target.latents.shape[1:]), generator=generator)
    return timesteps.to(live.device), noise.to(target.latents.device, target.latents.dtype)
