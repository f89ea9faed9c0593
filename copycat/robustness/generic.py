"""How far pictures of nobody moved: of the same prompt and seed, drawn by the original and by the edited weights."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from PIL import Image

from copycat.console import say
from copycat.errors import UserError
from copycat.measures import Setting
from copycat.measures.encoders import encoder_of
from copycat.metrics.effective import clustered_mean, t_quantile
from copycat.runs.folder import RunFolder
from copycat.schema import Record, Sample

Metric = Literal["pixels", "embedding"]


class Moved(Record):
    """Two pictures of one prompt.

    Attributes:
        prompt: the id of the benign prompt.
        pixels: root of the mean squared difference of their values, in [0, 1].
        embedding: 1 - cosine of what a picture encoder makes of them, in [0, 2]; null where it could not be had.
    """

    prompt: str
    repeat: int
    pixels: float
    embedding: float | None


class Distance(Record):
    """A mean distance with a 95 % interval, null where there is one cluster only.

    `of_another_seed` is the same distance between two pictures of the original model with different seeds: what
    having nothing but the prompt in common comes to; null where there was one seed.
    """

    metric: Metric
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    of_another_seed: float | None = None


class _Seen(NamedTuple):
    sample: Sample
    picture: Image.Image


def moved_between(original: RunFolder, erased: RunFolder, setting: Setting) -> tuple[Moved, ...]:
    """Compare the pictures of two runs on benign prompts, pair by pair of prompt and seed.

    Args:
        setting: which picture encoder; see `copycat.measures`.
    """
    before, after = _by_place(original), _by_place(erased)
    places = [place for place in before if place in after]
    return _compared([(before[place], after[place]) for place in places], setting)


def moved_by_seed(original: RunFolder, setting: Setting) -> tuple[Moved, ...]:
    """Compare each picture of a run with the one of the same prompt and the next repeat."""
    found = _by_place(original)
    pairs = [(found[prompt, n], found[prompt, n + 1]) for prompt, n in found if (prompt, n + 1) in found]
    return _compared(pairs, setting)


def distance(metric: Metric, groups: dict[str, Sequence[Moved]], by_seed: Sequence[Moved] = ()) -> Distance:
    """Give the mean distance over groups, such as erased concepts, with an interval over them, or over prompts of one.

    Unit: see `Moved`.
    Direction: lower is closer to the original model.
    """
    rows = [
        (value, name if len(groups) > 1 else row.prompt)
        for name, of in groups.items()
        for row in of
        if (value := getattr(row, metric)) is not None
    ]
    of_another_seed = _mean([value for row in by_seed if (value := getattr(row, metric)) is not None])
    if not rows:
        return Distance(metric=metric, value=None, n=0, of_another_seed=of_another_seed)
    found = clustered_mean([value for value, _ in rows], [cluster for _, cluster in rows])
    half = t_quantile(found.n_clusters - 1) * math.sqrt(found.variance) if found.n_clusters > 1 else None
    return Distance(
        metric=metric,
        value=found.mean,
        low=None if half is None else max(0.0, found.mean - half),
        high=None if half is None else found.mean + half,
        n=len(rows),
        of_another_seed=of_another_seed,
    )


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _by_place(folder: RunFolder) -> dict[tuple[str, int], _Seen]:
    found = {}
    for sample in folder.read_samples():
        if sample.status == "ok" and (content := folder.read_image(sample)) is not None:
            picture = Image.open(io.BytesIO(content)).convert("RGB")
            found[sample.character, sample.repeat] = _Seen(sample, picture)
    return found


def _compared(pairs: Sequence[tuple[_Seen, _Seen]], setting: Setting) -> tuple[Moved, ...]:
    if not pairs:
        return ()
    return tuple(
        Moved(
            prompt=one.sample.character,
            repeat=one.sample.repeat,
            pixels=round(_rmse(one.picture, other.picture), 6),
            embedding=None if cosine is None else round(min(2.0, max(0.0, 1 - cosine)), 6),
        )
        for (one, other), cosine in zip(pairs, _cosines(pairs, setting), strict=True)
    )


def _cosines(pairs: Sequence[tuple[_Seen, _Seen]], setting: Setting) -> Sequence[float | None]:
    """Give the cosine of each pair; None of all where the encoder cannot be had, which costs no other figure."""
    try:
        encoder = encoder_of(setting)
        sides: list[Any] = [encoder.embed_pictures([pair[side].picture for pair in pairs]) for side in (0, 1)]
    except UserError as error:
        say(f"generic pictures are compared by their pixels alone: {error}")
        return [None] * len(pairs)
    cosines: list[float | None] = (sides[0] * sides[1]).sum(dim=1).float().cpu().tolist()
    return cosines


def _rmse(one: Image.Image, other: Image.Image) -> float:
    import numpy as np

    sides = [np.asarray(picture, dtype=np.float64) / 255 for picture in (one, other)]
    return float(np.sqrt(np.mean((sides[0] - sides[1]) ** 2)))
