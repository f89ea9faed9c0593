"""Erasing, whatever the method: from an order to a folder with a card and a delta, through checkpoints.

A run that was broken off goes on from its last checkpoint and ends with the same weights as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from copycat.console import noted_progress, progress_bar, say
from copycat.erasure import ERASERS
from copycat.erasure.checkpoints import Asked, Checkpoint, Workplace, save_tensors
from copycat.erasure.concepts import check_concepts
from copycat.erasure.eraser import Concept, Eraser, NoAnchorError
from copycat.erasure.settings import MethodSettings, build_settings, is_small, with_preserved
from copycat.errors import UnknownNameError, UnsupportedError
from copycat.live import LIVE_PIPELINES, LivePipeline, check_schedule, live_models
from copycat.models import ModelRow
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.erased import CARD, DELTA, read_card
from copycat.models.hub import INDEX, Source
from copycat.models.loading import load_pipeline
from copycat.paths import file_sha256
from copycat.runs.environment import describe_environment
from copycat.runs.folder import write_json
from copycat.runs.interrupts import deferred_interrupt
from copycat.schema import ErasureCard, Record

DTYPES = ("float32", "bfloat16")
CHECKPOINTS_OF_A_RUN = 10
MOST_LOST_SECONDS = 60.0
"""Of work that breaking off costs: a checkpoint comes after so long, if not earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to erase from which model, and how.

    `typed` are settings as on a command line; `others` are the names that 'set' stands for in `preserve`;
    `dtype` is that of the frozen parts, the edited ones are float32 always; `character_set` is where concepts were
    looked for, and `command` what was typed, both for messages alone.
    """

    row: ModelRow
    method: str
    concepts: tuple[Concept, ...]
    preset: str = "corrected"
    typed: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    seed: int = 0
    device: str = "cpu"
    dtype: str = "float32"
    character_set: str = ""
    command: str = ""


class Progress(NamedTuple):
    """How far a run came; `diverged` is the step whose loss or weight was no number."""

    steps: int
    seconds: float
    diverged: int | None = None


def run_erasure(
    order: Order, folder: Path, *, checkpoint_every: int | None = None, is_fresh: bool = False
) -> ErasureCard:
    """Erase, or go on erasing, or find the finished erasure.

    Args:
        folder: where card.json and delta.safetensors go.
        checkpoint_every: steps between two checkpoints; default a tenth of the run.
        is_fresh: forget what the folder holds.

    Returns: the card; its status is "diverged" where a loss or a weight was no number.

    Raises:
        UnsupportedError: the model has no part that the method could edit.
        ResumeMismatchError: the folder holds an erasure of other settings.
        UserError: a setting or a concept cannot be.
    """
    chosen = settle(order)
    asked = _asked(order, chosen)
    place = Workplace(folder)
    with place.held():
        if not is_fresh:
            place.check(asked)
            if (folder / CARD).exists():
                place.tidy()
                return read_card(folder)
        live = load_live(order)
        check_concepts(live, order.concepts)
        eraser = _build(order, live, chosen.settings)
        for parameter in eraser.edited().values():
            parameter.data = parameter.data.float()
        if is_fresh:  # not before it is certain that the method can do this
            place.clear()
        place.take(asked, order.command)
        return _finish(eraser, place, asked, _run(eraser, place, order, checkpoint_every), order.device)


def _build(order: Order, live: LivePipeline, settings: Record) -> Eraser:
    try:
        eraser: Eraser = ERASERS.load(order.method)(live, order.concepts, settings, order.seed)
    except NoAnchorError as error:
        if not order.character_set:
            raise
        raise UnsupportedError(
            f"{error}\n  a character has an anchor of its own, and '{order.character_set}' has none of that name: "
            "other characters are found with --characters SET|FILE"
        ) from error
    return eraser


def settle(order: Order) -> MethodSettings:
    """Work out every setting, and refuse a model that cannot be taken apart; loads no weights.

    Raises:
        UnsupportedError: see above.
        UserError: a setting cannot be.
    """
    config = unet_config(order.row)
    found = build_settings(
        ERASERS.load(order.method), order.preset, order.typed, name=order.method, is_for_small=is_small(config)
    )
    return found._replace(settings=with_preserved(found.settings, order.others))


def unet_config(row: ModelRow) -> dict[str, Any]:
    """Read the config of a model's denoiser.

    Raises:
        UnsupportedError: it is no pipeline whose parts can be called one by one.
    """
    works = (
        f"  it works with {', '.join(live_models())}, and a folder or Hub repository of {' or '.join(LIVE_PIPELINES)}"
    )
    if row.is_service:
        raise UnsupportedError(f"'{row.name}' runs on somebody else's machine: its weights cannot be edited\n{works}")
    source = Source(row.source, row.name, row.revision)
    kind = row.pipeline or str(source.read_json(INDEX).get("_class_name"))
    if kind not in LIVE_PIPELINES:
        raise UnsupportedError(f"'{row.name}' ({kind}) has no UNet that attends to CLIP, which erasing edits\n{works}")
    check_schedule(row.name)
    return source.read_json("unet/config.json")


def frozen_dtype(asked: str | None, device: str) -> str:
    """Give the dtype of the frozen parts: what was asked for, else bfloat16 on a GPU and float32 elsewhere.

    Raises:
        UnknownNameError: float16, or no dtype.
    """
    if asked is None:
        return "bfloat16" if device.startswith("cuda") else "float32"
    if asked not in DTYPES:
        raise UnknownNameError("dtype", asked, DTYPES, "float16 is too coarse to train with")
    return asked


def load_live(order: Order) -> LivePipeline:
    """Load a model for training: frozen parts in the dtype asked for."""
    import torch

    say(f"loading {order.row.name}")
    changes = {"dtype": order.dtype, "compile": None}
    sampling = order.row.sampling.model_copy(update=changes)
    source = Source(order.row.source, order.row.name, order.row.revision)
    live = LivePipeline(load_pipeline(source, order.row, sampling, order.device, "all"), order.row.name)
    if order.dtype != "float32":
        live.autocast = getattr(torch, order.dtype)
    return live


def _asked(order: Order, chosen: MethodSettings) -> Asked:
    source, revision = DiffusersModel(order.row, order.device).identify()
    return Asked(
        method=order.method,
        preset=chosen.preset,
        settings=_plain(chosen.settings),
        small=chosen.small,
        concepts=order.concepts,
        seed=order.seed,
        model=order.row.name,
        source=source,
        revision=revision,
        pipeline=order.row.pipeline,
        dtype=order.dtype,
    )


def _plain(settings: Record) -> dict[str, Any]:
    return dict(sorted(settings.model_dump(mode="json").items()))


def _run(eraser: Eraser, place: Workplace, order: Order, checkpoint_every: int | None) -> Progress:
    started = time.monotonic()
    # on the CPU: it is wanted only if the run diverges before its first checkpoint
    original = {name: parameter.detach().to("cpu", copy=True) for name, parameter in eraser.edited().items()}
    eraser.prepare(place.prepared, progress_bar)
    done = Progress(0, time.monotonic() - started)
    if (last := place.read_last()) is not None:
        _put(eraser, last)
        done = Progress(last.steps, last.seconds)
    place.cut_losses(done.steps)
    every = checkpoint_every or max(1, eraser.n_steps // CHECKPOINTS_OF_A_RUN)
    done = _steps(eraser, place, order.method, done, every)
    if done.diverged is not None:
        last = place.read_last() or Checkpoint(0, 0.0, original, {})
        _put_edited(eraser, last)
        place.cut_losses(last.steps)
        done = done._replace(steps=last.steps)
    return done


def _steps(eraser: Eraser, place: Workplace, title: str, done: Progress, every: int) -> Progress:
    """Do the steps that are left; Ctrl-C waits for the step under way and leaves a checkpoint of it."""
    begun, before = time.monotonic(), done.seconds
    saved = begun
    with noted_progress(title, eraser.n_steps) as advance, deferred_interrupt() as interrupt:
        advance(done.steps, "")
        for number in range(done.steps, eraser.n_steps):
            losses = eraser.step(number)
            now = time.monotonic()
            done = Progress(number + 1, before + now - begun)
            if not (_are_numbers(losses) and _are_finite(eraser)):
                return done._replace(diverged=number)
            place.add_losses(number, losses)
            advance(1, ", ".join(f"{name} {loss:.4g}" for name, loss in losses.items()))
            is_due = (number + 1) % every == 0 or now - saved > MOST_LOST_SECONDS or interrupt.is_wanted
            if is_due and number + 1 < eraser.n_steps:
                place.save(_checkpoint(eraser, done))
                saved = now
            interrupt.check()
    return done


def _are_numbers(losses: Mapping[str, float]) -> bool:
    return all(math.isfinite(loss) for loss in losses.values())


def _are_finite(eraser: Eraser) -> bool:
    return all(bool(parameter.detach().isfinite().all()) for parameter in eraser.edited().values())


def _checkpoint(eraser: Eraser, done: Progress) -> Checkpoint:
    edited = {name: parameter.detach() for name, parameter in eraser.edited().items()}
    return Checkpoint(done.steps, done.seconds, edited, dict(eraser.state()))


def _put(eraser: Eraser, checkpoint: Checkpoint) -> None:
    _put_edited(eraser, checkpoint)
    eraser.load_state(checkpoint.state)


def _put_edited(eraser: Eraser, checkpoint: Checkpoint) -> None:
    for name, parameter in eraser.edited().items():
        parameter.data.copy_(checkpoint.edited[name])


def _finish(eraser: Eraser, place: Workplace, asked: Asked, done: Progress, device: str) -> ErasureCard:
    """Write the delta, and then the card, which says that all is there."""
    edited = {name: parameter.detach().float() for name, parameter in eraser.edited().items()}
    save_tensors(place.path / DELTA, edited)
    status: Literal["finished", "diverged"] = "finished" if done.diverged is None else "diverged"
    environment = describe_environment(device)
    card = ErasureCard(
        **asked.model_dump(exclude={"concepts"}),
        concepts=tuple(concept.name for concept in asked.concepts),
        anchors=tuple(concept.anchor for concept in asked.concepts),
        delta_sha256=file_sha256(place.path / DELTA),
        n_parameters=sum(tensor.numel() for tensor in edited.values()),
        steps=done.steps,
        planned=eraser.n_steps,
        status=status,
        losses=_last_losses(place, eraser.n_steps),
        seconds=round(done.seconds, 2),
        device=environment.pop("device"),
        versions=environment,
    )
    write_json(place.path / CARD, card.model_dump(mode="json"))
    place.tidy()
    return card


def steps_of_mean(planned: int) -> int:
    """Give over how many of the last steps the losses of a card are means: a tenth of the run."""
    return max(1, planned // 10)


def _last_losses(place: Workplace, planned: int) -> dict[str, float]:
    """Give, by name, the mean of the last tenth of the steps."""
    lines = place.read_losses()[-steps_of_mean(planned) :]
    names = dict.fromkeys(name for line in lines for name in line.losses)
    found = {name: [line.losses[name] for line in lines if name in line.losses] for name in names}
    return {name: sum(values) / len(values) for name, values in found.items()}
