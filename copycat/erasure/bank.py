"""Noisy latents with what the original model predicts there: drawn afresh, or kept in a bank.

Drawings are guided by the original texts through a denoiser that stays as it is, so nothing here depends on the text
encoder in training: the same pairs may be used again and again (reuse of samples, not another algorithm).
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from copycat.catalog import canonical_sha256
from copycat.errors import DataError
from copycat.live import LivePipeline, Texts, step_generator
from copycat.paths import shown
from copycat.runs.folder import write_bytes, write_json
from copycat.schema import Record

BANK, RECIPE = "bank.safetensors", "bank.json"
"""A bank's latents, and what made them."""

_PARTS = "bank-parts"


class Subject(NamedTuple):
    """What drawings are of: a concept, the retain prompts in turn, or the empty prompt.

    Attributes:
        texts: encoded by the original model, a row for each of `prompts`.
        size: how many noisy latents of it a bank keeps.
    """

    label: str
    prompts: tuple[str, ...]
    texts: Texts
    size: int


class Pairs(NamedTuple):
    """Noisy latents and what the original denoiser predicts there.

    Attributes:
        x: (n, channels, height, width). t: (n,) timesteps of the training schedule.
        under: prediction under the subject's text. without: under the empty prompt.
        rows: which of the subject's prompts each is of.
    """

    x: Any
    t: Any
    under: Any
    without: Any
    rows: list[int]

    @classmethod
    def joined(cls, drawn: Sequence[Pairs]) -> Pairs:
        """Put pairs under each other."""
        import torch

        x, t, under, without = (torch.cat(parts) for parts in zip(*(one[:4] for one in drawn), strict=True))
        return cls(x, t, under, without, [row for one in drawn for row in one.rows])


class RolloutRules(Record):
    """How noisy latents are drawn: settings of the same names in `AdvUnlearnSettings`."""

    rollout_steps: int
    guidance: float
    exact_timesteps: bool
    per_rollout: int = 1


class Source(Protocol):
    """Gives pairs by their places, from 0 on: the same place, the same pair."""

    def draw(self, subject: Subject, numbers: Sequence[int]) -> Pairs:
        """Give the pairs of these numbers; a source that has fewer begins again in another order."""


class Rollouts:
    """Draws each pair afresh: noise, denoised by DDIM until a random timestep.

    With exact timesteps x_t is of timestep t itself. Without them, as in the code of arXiv 2405.15234, t is any
    timestep of the k-th of equal stretches, and the latents are those of stretch k - 2: cleaner than t says.
    """

    def __init__(self, live: LivePipeline, null: Texts, rules: RolloutRules, seed: int) -> None:
        self.live, self.null, self.rules, self.seed = live, null, rules, seed

    def draw(self, subject: Subject, numbers: Sequence[int]) -> Pairs:
        """Draw the pairs of these numbers, each with a drawing of its own."""
        return Pairs.joined([self.walk(subject, [number], 1) for number in numbers])

    def walk(self, subject: Subject, rollouts: Sequence[int], count: int) -> Pairs:
        """Do these drawings side by side and keep `count` pairs of each, one drawing after the other."""
        import torch

        plans = [self._plan(subject, rollout, count) for rollout in rollouts]
        texts = subject.texts.picked([row for row, _, _ in plans])
        found = self._latents(torch.cat([noise for _, noise, _ in plans]), texts, [stops for _, _, stops in plans])
        t = torch.tensor([t for _, _, stops in plans for t, _ in stops], device=found.device)
        of_each = texts.repeated(count)
        with torch.no_grad():
            under = self.live.predict(found, t, of_each)
            without = self.live.predict(found, t, self.null.repeated(len(found)))
        return Pairs(found, t, under, without, [row for row, _, _ in plans for _ in range(count)])

    def _plan(self, subject: Subject, rollout: int, count: int) -> tuple[int, Any, list[tuple[int, int]]]:
        """Choose the prompt, the noise, and for each pair its timestep and after how many steps its latents stand."""
        import torch

        generator = step_generator(self.seed, "rollout", subject.label, rollout)
        noise = self.live.noise(1, generator)
        steps = self.rules.rollout_steps
        places = torch.randperm(steps, generator=generator)[:count].tolist()
        if self.rules.exact_timesteps:
            timesteps = self.live.sampling_timesteps(steps)
            stops = [(timesteps[place], place) for place in places]
        else:
            stretch = len(self.live.alphas) // steps
            within = torch.randint(stretch, (count,), generator=generator).tolist()
            stops = [((steps - 1 - p) * stretch + w, min(p + 2, steps)) for p, w in zip(places, within, strict=True)]
        return _in_turn(len(subject.prompts), rollout, self.seed, subject.label), noise, stops

    def _latents(self, noise: Any, texts: Texts, stops: Sequence[Sequence[tuple[int, int]]]) -> Any:
        """Denoise as far as anything is wanted; give what was wanted, drawing by drawing."""
        import torch

        last = max(place for own in stops for _, place in own)
        rules, kept = self.rules, []
        walk = self.live.rollout(noise, texts, self.null, steps=rules.rollout_steps, guidance=rules.guidance)
        for place, (_, x) in enumerate(walk):
            kept.append(x)
            if place == last:
                break
        return torch.stack([kept[place][row] for row, own in enumerate(stops) for _, place in own])


class Bank:
    """Pairs that were drawn once, by subject."""

    def __init__(self, held: Mapping[str, Pairs], dtype: Any, device: Any, seed: int) -> None:
        self.held, self.dtype, self.device, self.seed = held, dtype, device, seed

    def draw(self, subject: Subject, numbers: Sequence[int]) -> Pairs:
        """Give the kept pairs; when all were used once, they come again in another order."""
        held = self.held[subject.label]
        places = [_in_turn(len(held.t), number, self.seed, subject.label) for number in numbers]
        x, under, without = (part[places].to(self.device, self.dtype) for part in (held.x, held.under, held.without))
        return Pairs(x, held.t[places].to(self.device), under, without, [held.rows[place] for place in places])


def fill_bank(
    folder: Path,
    rollouts: Rollouts,
    subjects: Sequence[Subject],
    progress: Callable[[str, int], Any],
    *,
    weights: str,
    dtype: str,
    batch: int,
) -> Bank:
    """Read a bank from a folder, or draw what it lacks and write it there. Each batch of drawings is kept at once.

    Args:
        weights: the hash of the model that draws; see `weights_sha256`.
        dtype: "float16" or "float32", as pairs are kept.
        batch: drawings side by side.

    Raises:
        DataError: the folder holds a bank from other settings, or a damaged one.
    """
    recipe = _recipe(rollouts, subjects, weights, dtype)
    _check_recipe(folder, recipe)
    write_json(folder / RECIPE, recipe)
    if not (folder / BANK).exists():
        _draw_parts(folder / _PARTS, rollouts, subjects, progress, dtype=dtype, batch=batch)
        _join_parts(folder, subjects, rollouts.rules.per_rollout)
    shutil.rmtree(folder / _PARTS, ignore_errors=True)
    held = _read_bank(folder / BANK, subjects)
    return Bank(held, rollouts.live.unet.dtype, rollouts.live.device, rollouts.seed)


def weights_sha256(live: LivePipeline) -> str:
    """Hash all that predicts: denoiser, text encoders, and the schedule."""
    import torch

    # diffusers notes of its own begin with an underscore; one is a list in another order in each process
    schedule = sorted((key, value) for key, value in live.pipeline.scheduler.config.items() if key[0] != "_")
    whole = hashlib.sha256(repr(schedule).encode())
    for module in (live.unet, *live.encoders):
        for name, tensor in module.state_dict().items():
            whole.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            whole.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


# ------------------------------------------------------------------------------------ files of a bank


def _recipe(rollouts: Rollouts, subjects: Sequence[Subject], weights: str, dtype: str) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "weights": weights,
        "rollouts": rollouts.rules.model_dump(mode="json"),
        "seed": rollouts.seed,
        "dtype": dtype,
        "subjects": {
            s.label: {"size": s.size, "prompts": list(s.prompts), "sha256": canonical_sha256(list(s.prompts))}
            for s in subjects
        },
    }


def _check_recipe(folder: Path, recipe: Mapping[str, Any]) -> None:
    import json

    path = folder / RECIPE
    fix = "  erase into a new folder, or delete the bank there: it is drawn again"
    if not path.exists():
        if (folder / BANK).exists():
            raise DataError([f"{shown(folder / BANK)}: nothing says what made it ({RECIPE} is missing)"], fix)
        return
    try:
        found = json.loads(path.read_bytes())
        other = [key for key in recipe if found.get(key) != recipe[key]]
    except (ValueError, AttributeError) as error:
        raise DataError([f"{shown(path)}: cannot be read"], fix) from error
    if other:
        raise DataError([f"{shown(path)}: made with other settings ({', '.join(other)})"], fix)


def _draw_parts(
    folder: Path,
    rollouts: Rollouts,
    subjects: Sequence[Subject],
    progress: Callable[[str, int], Any],
    *,
    dtype: str,
    batch: int,
) -> None:
    per = rollouts.rules.per_rollout
    with progress("bank", sum(subject.size for subject in subjects)) as advance:
        for subject in subjects:
            n_rollouts = math.ceil(subject.size / per)
            for first in range(0, n_rollouts, batch):
                numbers = range(first, min(first + batch, n_rollouts))
                path = folder / f"{subject.label}-{first:06d}.safetensors"
                if not path.exists():
                    write_bytes(path, _packed(rollouts.walk(subject, numbers, per), dtype))
                advance(min(len(numbers) * per, subject.size - first * per))


def _packed(pairs: Pairs, dtype: str) -> bytes:
    import torch
    from safetensors.torch import save

    kind = getattr(torch, dtype)
    tensors = {name: getattr(pairs, name).to("cpu", kind).contiguous() for name in ("x", "under", "without")}
    content: bytes = save({**tensors, "t": pairs.t.cpu(), "rows": torch.tensor(pairs.rows)})
    return content


def _join_parts(folder: Path, subjects: Sequence[Subject], per_rollout: int) -> None:
    """Put the parts in one file: first each drawing's first pair, then each one's second, so that neighbours differ."""
    import torch
    from safetensors.torch import load_file, save

    whole: dict[str, Any] = {}
    for subject in subjects:
        parts = [load_file(path) for path in sorted((folder / _PARTS).glob(f"{subject.label}-[0-9]*.safetensors"))]
        for name in parts[0]:
            drawn = torch.cat([part[name] for part in parts])
            by_drawing = drawn.reshape(-1, per_rollout, *drawn.shape[1:]).transpose(0, 1)
            whole[f"{subject.label}.{name}"] = by_drawing.reshape(drawn.shape)[: subject.size].contiguous()
    write_bytes(folder / BANK, save(whole))


def _read_bank(path: Path, subjects: Sequence[Subject]) -> dict[str, Pairs]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        whole = load_file(path)
        return {s.label: _held(whole, s.label) for s in subjects}
    except (SafetensorError, KeyError) as error:
        raise DataError([f"{shown(path)}: damaged"], "  delete it: the bank is drawn again") from error


def _held(whole: Mapping[str, Any], label: str) -> Pairs:
    x, t, under, without, rows = (whole[f"{label}.{name}"] for name in ("x", "t", "under", "without", "rows"))
    return Pairs(x, t, under, without, rows.tolist())


# ------------------------------------------------------------------------------------ order


def _in_turn(count: int, number: int, seed: int, label: str) -> int:
    """Give the item of a number: 0 to count - 1 as they stand, and from then on each time in a random order."""
    import torch

    turn, place = divmod(number, count)
    if turn == 0:
        return place
    order = torch.randperm(count, generator=step_generator(seed, "order", label, count, turn))
    return int(order[place])
