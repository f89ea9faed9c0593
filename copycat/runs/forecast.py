"""What a run would still take: pictures, time, money, disk. From what was measured before, or unknown; never guessed.

Only the size of files has a rule of thumb, where no picture of the same settings has been made yet.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from copycat.errors import CopycatError
from copycat.models import ModelRow
from copycat.runs.environment import describe_environment
from copycat.runs.folder import RunFile, RunFolder, read_journal
from copycat.runs.limits import CHARGED
from copycat.runs.runner import Plan
from copycat.schema import Record, RunSpec, Sample, Sampling

PNG_BYTES_PER_PIXEL = 1.6
"""Of a generated picture; photographs take up to 2.5, flat drawings less than 1."""

CLIP_BYTES_PER_PIXEL = 0.05
"""Of a pixel of a frame in H.264 at quality 18; 0.02 where little moves, 0.1 where much does. Not measured here."""

MAX_FILES_WEIGHED = 200


class Pace(Record):
    """How long a picture takes. `n` pictures were measured; `has_loading`: loading the model is in it."""

    seconds: float
    n: int
    has_loading: bool = False


class Weight(Record):
    """How large the files of a picture are; `n` of them were weighed, 0 where it is a rule of thumb."""

    n_bytes: float
    n: int = 0


class Forecast(Record):
    """One run: what is planned, what is made, and what one more picture takes.

    `n_charged` were paid for already; `pace` is None for a service, and where nothing was measured;
    `usd_each` is None where nobody has said a price.
    """

    model: str
    mitigation: str
    folder: str
    is_service: bool
    is_video: bool
    device: str
    batch_size: int
    n_planned: int
    n_made: int
    n_failed: int
    n_to_make: int
    n_charged: int
    pace: Pace | None
    weight: Weight
    usd_each: float | None

    @property
    def label(self) -> str:
        """Name it in a sentence."""
        return f"{self.model} + {self.mitigation}"


class Total(Record):
    """All runs together; None where a part of it is unknown."""

    n_planned: int
    n_made: int
    n_to_make: int
    n_api_calls: int
    device_seconds: float | None
    usd: float | None
    n_bytes: int


class PastRun(NamedTuple):
    """A run folder that is already there."""

    run: RunFile
    folder: RunFolder


def read_past(out: Path) -> list[PastRun]:
    """Find the runs of a folder; one that cannot be read counts for nothing here."""
    found = []
    for path in sorted(out.glob("*/run.json")):
        folder = RunFolder(path.parent)
        with suppress(CopycatError):
            found.append(PastRun(folder.read_run(), folder))
    return found


def forecast_run(
    row: ModelRow, plan: Plan, folder: RunFolder, past: Sequence[PastRun], *, price: float = 0.0, is_fresh: bool = False
) -> Forecast:
    """Say what one run would still take.

    Args:
        price: dollars for a picture of a service, 0 if nobody has said it; the row's own price is next.
        is_fresh: what is made would be deleted.
    """
    spec = plan.spec
    planned = [request.key for batch in plan.batches(folder.shard) for request in batch]
    made = _journal(folder)
    is_there = {key for key in planned if key in made and _still_stands(made[key], folder)}
    return Forecast(
        model=spec.model,
        mitigation=spec.mitigation,
        folder=str(folder.path),
        is_service=row.is_service,
        is_video=spec.sampling.is_video,
        device=spec.device,
        batch_size=spec.batch_size,
        n_planned=len(planned),
        n_made=len(is_there),
        n_failed=sum(key in made and made[key].status == "failed" for key in planned),
        n_to_make=len(planned) if is_fresh else len(planned) - len(is_there),
        n_charged=0 if is_fresh else _count_charged((made[key] for key in planned if key in made), folder),
        pace=None if row.is_service else pace_of(spec, past),
        weight=weight_of(spec, past),
        usd_each=(price or row.usd_per_picture) if row.is_service else 0.0,
    )


def add_up(runs: Sequence[Forecast]) -> Total:
    """Add up all runs. Units: seconds of a device, dollars, bytes."""
    drawn_here = [run for run in runs if not run.is_service and run.n_to_make]
    bought = [run for run in runs if run.is_service and run.n_to_make]
    seconds = [run.n_to_make * run.pace.seconds for run in drawn_here if run.pace]
    usd = [run.n_to_make * run.usd_each for run in bought if run.usd_each is not None]
    return Total(
        n_planned=sum(run.n_planned for run in runs),
        n_made=sum(run.n_made for run in runs),
        n_to_make=sum(run.n_to_make for run in runs),
        n_api_calls=sum(run.n_to_make for run in bought),
        device_seconds=sum(seconds) if len(seconds) == len(drawn_here) else None,
        usd=sum(usd) if len(usd) == len(bought) else None,
        n_bytes=round(sum(run.n_to_make * run.weight.n_bytes for run in runs)),
    )


def pace_of(spec: RunSpec, past: Iterable[PastRun]) -> Pace | None:
    """Give the median time of earlier pictures of the same model, settings, batches and device; None if there are none.

    The first batch of a journal waits for the model to be loaded: it counts only where there is no other.
    """
    device = describe_environment(spec.device)["device"]
    later, first = [], []
    for run, folder in past:
        if _identity(run.spec) == _identity(spec) and run.environment.get("device") == device:
            for samples in _journals(folder):
                timed = [s.seconds for s in samples if s.seconds is not None and s.status != "failed"]
                first += timed[: spec.batch_size]
                later += timed[spec.batch_size :]
    measured = later or first
    if not measured:
        return None
    return Pace(seconds=round(statistics.median(measured), 4), n=len(measured), has_loading=not later)


def weight_of(spec: RunSpec, past: Iterable[PastRun]) -> Weight:
    """Give the mean size of earlier files of the same model and settings, or a rule of thumb."""
    sizes: list[int] = []
    for run, folder in past:
        if run.spec.model_source == spec.model_source and run.spec.sampling == spec.sampling:
            made = [sample for samples in _journals(folder) for sample in samples if sample.status == "ok"]
            for sample in made[: MAX_FILES_WEIGHED - len(sizes)]:
                with suppress(OSError):
                    sizes.append(_size(folder, sample))
    if sizes:
        return Weight(n_bytes=statistics.fmean(sizes), n=len(sizes))
    return Weight(n_bytes=typical_bytes(spec.sampling))


def typical_bytes(sampling: Sampling) -> float:
    """Give the usual size of a picture's PNG, or of a clip's MP4 and the sheet of its kept frames."""
    pixels = sampling.width_px * sampling.height_px
    if sampling.frames is None:
        return pixels * PNG_BYTES_PER_PIXEL
    return pixels * (len(sampling.kept_frames or ()) * PNG_BYTES_PER_PIXEL + sampling.frames * CLIP_BYTES_PER_PIXEL)


def first_unaffordable(runs: Iterable[Forecast], max_cost_usd: float) -> tuple[Forecast, int] | None:
    """Find the run at which --max-cost ends the command, and how many more pictures of it are drawn before.

    The limit holds for all runs of a command together, and counts what their earlier starts have paid.
    """
    spent = 0.0
    for run in runs:
        if not run.usd_each:
            continue
        spent += run.n_charged * run.usd_each
        affordable = max(0, math.floor((max_cost_usd - spent) / run.usd_each + 1e-9))
        if affordable < run.n_to_make:
            return run, affordable
        spent += run.n_to_make * run.usd_each
    return None


def _identity(spec: RunSpec) -> tuple[object, ...]:
    return spec.model_source, spec.model_revision, spec.sampling, spec.batch_size


def _journals(folder: RunFolder) -> list[list[Sample]]:
    """Read all journals of a run and its shards; a damaged one counts for nothing here."""
    found = []
    for path in sorted(folder.path.glob("samples*.jsonl")):
        with suppress(CopycatError):
            found.append(read_journal(path, Sample))
    return found


def _journal(folder: RunFolder) -> dict[str, Sample]:
    """Read what became of each request; what another shard has finished goes before what failed here."""
    samples = [*folder.read_other_samples(), *folder.read_samples()]
    return {sample.key: sample for sample in sorted(samples, key=lambda sample: sample.status != "failed")}


def _still_stands(sample: Sample, folder: RunFolder) -> bool:
    """Whether it needs no drawing again. That its files are there is enough: hashing all would take minutes."""
    files = [name for name in (sample.image, sample.video) if name is not None]
    return sample.status != "failed" and all((folder.path / name).is_file() for name in files)


def _count_charged(samples: Iterable[Sample], folder: RunFolder) -> int:
    return sum(sample.status in CHARGED for sample in samples) + folder.read_extra_charges()


def _size(folder: RunFolder, sample: Sample) -> int:
    return sum((folder.path / name).stat().st_size for name in (sample.image, sample.video) if name is not None)
