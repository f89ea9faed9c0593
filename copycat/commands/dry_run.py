"""`--dry-run`: what would be made and what it would take, without loading or making anything."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from copycat.console import out, print_json
from copycat.paths import shown
from copycat.runs.forecast import Forecast, Total, add_up, first_unaffordable, forecast_run, read_past
from copycat.runs.machine import Device, free_bytes, list_devices, needed_gib
from copycat.schema import Sampling

if TYPE_CHECKING:
    from copycat.staging import Cell, Job, Stage

LABEL_WIDTH = 11
SHUTDOWN_DAYS = 60
"""A service that ends sooner is worth a warning."""


def print_plan(job: Job, *, as_json: bool = False) -> None:
    """Print each run with its pictures, settings and folder, what all of them take, and what stands in the way."""
    from copycat.staging import plan_job

    stages, past = plan_job(job), read_past(job.out)
    price = job.limits.usd_per_picture
    runs = [
        [forecast_run(s.row, *cell, past, price=price, is_fresh=job.fresh) for cell in cells] for s, cells in stages
    ]
    every = [run for of_one in runs for run in of_one]
    total, free = add_up(every), free_bytes(job.out)
    devices = list_devices() if any(stage.device != "cpu" for stage, _ in stages) else ()
    warnings = list(dict.fromkeys(find_warnings(job, [stage for stage, _ in stages], every, free, devices)))
    if as_json:
        dump = [run.model_dump(mode="json") for run in every]
        print_json({"runs": dump, "total": total.model_dump(mode="json"), "free_bytes": free, "warnings": warnings})
        return
    for (stage, cells), of_one in zip(stages, runs, strict=True):
        _say(*describe_stage(stage, cells, of_one))
    _say("", f"in total, {_count(len(every), 'run')}{f', shard {job.shard}' if job.shard else ''}")
    _say(*describe_total(total, every, free, devices), _labelled("folder", shown(job.out) or "."))
    _say(*(f"warning: {text}" for text in warnings))


def describe_stage(stage: Stage, cells: Sequence[Cell], runs: Sequence[Forecast]) -> Iterator[str]:
    """Give the lines of one model: what it is, its settings, and one line for each run."""
    spec = cells[0].plan.spec
    yield f"{stage.row.name}: {_origin(stage, spec.model_source)}"
    yield f"  {'; '.join([', '.join(describe_sampling(spec.sampling)), _batches(runs[0], spec.batch_size)])}"
    yield f"  characters {stage.characters.id}, anchors {', '.join(spec.anchors)}, judge {stage.judge_row.name}"
    for cell, run in zip(cells, runs, strict=True):
        differing = [
            text for text in describe_sampling(cell.plan.spec.sampling) if text not in describe_sampling(spec.sampling)
        ]
        also = f", with {', '.join(differing)}" if differing else ""
        failed = f", {run.n_failed:,} of them failed before" if run.n_failed else ""
        yield (
            f"  {run.mitigation}: {_count(run.n_planned, _noun([run]))} ({run.n_made:,} made), "
            f"{_to_make(run.n_to_make)}{failed}{also} -> {shown(Path(run.folder))}"
        )


def describe_sampling(sampling: Sampling) -> list[str]:
    """Give every setting that is set, the common ones in words."""
    given = sampling.model_dump()
    stages = [sampling.steps, *(stage.steps for stage in sampling.upscaling or ())]
    words = [f"{'+'.join(map(str, stages))} steps"] if sampling.steps else []
    words += [f"guidance {sampling.guidance:g}"] if sampling.guidance is not None else []
    words += [f"{sampling.width_px}x{sampling.height_px}"]
    if sampling.frames is not None:
        fps = f" at {sampling.fps} per second" if sampling.fps else ""
        words += [f"{sampling.frames} frames{fps}", f"{len(sampling.kept_frames or ())} of them judged"]
    words += [str(given.pop(name)) for name in ("dtype", "scheduler") if given.get(name)]
    said = {"steps", "upscaling", "guidance", "width_px", "height_px", "frames", "kept_frames", "fps"}
    return words + [
        name.replace("_", " ") + ("" if value is True else f" {value:g}" if isinstance(value, float) else f" {value}")
        for name, value in given.items()
        if name not in said
    ]


def describe_total(total: Total, runs: Sequence[Forecast], free: int, devices: Sequence[Device]) -> Iterator[str]:
    """Give the lines of what all runs take together."""
    noun, calls = _noun(runs), total.n_api_calls
    made = f"{total.n_made:,} made, {_to_make(total.n_to_make)}"
    yield _labelled("requests", f"{_count(total.n_planned, noun)}: {made}")
    yield _labelled("API calls", f"{calls:,}, and more where an answer is no use" if calls else "none")
    drawn_here = [run for run in runs if not run.is_service]
    if drawn_here:
        label = {"cuda": "GPU time", "mps": "GPU time"}.get(drawn_here[0].device.partition(":")[0], "CPU time")
        yield _labelled(label, _time(total, [run for run in drawn_here if run.n_to_make], devices))
    yield _labelled("money", _money(total, runs))
    yield _labelled("disk", _disk(total, runs, free))


def find_warnings(
    job: Job, stages: Sequence[Stage], runs: Sequence[Forecast], free: int, devices: Sequence[Device]
) -> Iterator[str]:
    """Say what would stop the runs, or what they would take away."""
    n_bytes = add_up(runs).n_bytes
    if n_bytes > free:
        yield f"not enough disk: about {_size(n_bytes)} needed, {_size(free)} free; free some, or use --out DIR"
    if job.fresh and (n_made := sum(run.n_made for run in runs)):
        yield f"--fresh deletes the {_count(n_made, _noun(runs))} made so far"
    for stage in stages:
        yield from _memory_warnings(stage, devices)
        yield from _shutdown_warnings(stage, datetime.datetime.now(datetime.UTC).date())
    most = job.limits.max_cost_usd
    if most is not None and (end := first_unaffordable(runs, most)) is not None:
        run, count = end
        yield f"--max-cost ${most:.2f} ends {run.label} after {count:,} of {_count(run.n_to_make, _noun([run]))}"


def _memory_warnings(stage: Stage, devices: Sequence[Device]) -> Iterator[str]:
    device = next((device for device in devices if _is_label(device, stage.device)), None)
    if stage.row.is_service or stage.row.memory_gib is None or device is None or device.kind != "cuda":
        return
    needed = needed_gib(stage.row, device.kind)
    where = f"'{stage.row.name}' needs about {needed:g} GiB for one picture (worked out, not measured); {device.label}"
    if needed > (device.total_gib or 0):
        yield f"{where} ({device.name}) has {device.total_gib:g} GiB in all"
    elif device.free_gib is not None and needed > device.free_gib:
        yield f"{where} ({device.name}) has {device.free_gib:g} GiB free: something else uses it"


def _shutdown_warnings(stage: Stage, today: datetime.date) -> Iterator[str]:
    if stage.row.shutdown is not None:
        left = (datetime.date.fromisoformat(stage.row.shutdown) - today).days
        if left <= SHUTDOWN_DAYS:
            yield f"'{stage.row.name}' will be shut down by its provider on {stage.row.shutdown}, in {left} days"


def _is_label(device: Device, asked: str) -> bool:
    return device.label == asked or (device.kind == asked and device.label in (asked, f"{asked}:0"))


def _time(total: Total, runs: Sequence[Forecast], devices: Sequence[Device]) -> str:
    """Give the time on the device; unknown rather than guessed."""
    if not runs:
        return "none"
    noun, enough = _noun(runs), max(8, 2 * runs[0].batch_size)
    unknown = [run for run in runs if run.pace is None]
    if unknown:
        models = ", ".join(dict.fromkeys(run.model for run in unknown))
        settings = f" as '{unknown[0].mitigation}' draws it" if len({run.model for run in runs}) == 1 else ""
        settings = settings if len(unknown) < len(runs) else ""
        return f"unknown: no {noun} of {models} has been made here yet{settings}; --limit {enough} measures it"
    paces = [run.pace for run in runs if run.pace]
    device = next((device.name for device in devices if _is_label(device, runs[0].device)), runs[0].device)
    each = " and ".join(dict.fromkeys(f"{pace.seconds:.3g} s" for pace in paces))
    basis = f"{each} a {noun}, the median of {max(pace.n for pace in paces):,} made here"
    if any(pace.has_loading for pace in paces):
        basis += f", with the loading of the model; --limit {enough} measures better"
    return f"about {_duration(total.device_seconds or 0)} on {device} ({basis})"


def _money(total: Total, runs: Sequence[Forecast]) -> str:
    bought = [run for run in runs if run.is_service]
    if not bought:
        return "none: all is drawn here"
    if total.usd is None:
        return "unknown, give --price USD, what one picture costs"
    prices = " and ".join(dict.fromkeys(f"${run.usd_each:g}" for run in bought))
    return f"about ${total.usd:,.2f} ({prices} a picture; one that is tried again may be charged again)"


def _disk(total: Total, runs: Sequence[Forecast], free: int) -> str:
    if not total.n_to_make:
        return f"nothing more, {_size(free)} free"
    unweighed = any(run.weight.n == 0 for run in runs if run.n_to_make)
    basis = "a rule of thumb: some settings are new here" if unweighed else "as those made here"
    return f"about {_size(total.n_bytes)} more ({basis}), {_size(free)} free"


def _origin(stage: Stage, source: str) -> str:
    row = stage.row
    if row.is_service:
        return f"{source}, a service"
    memory = "" if row.memory_gib is None else f", about {row.memory_gib:g} GiB of GPU memory"
    return f"{row.source}, licence {row.licence}{' (gated)' if row.is_gated else ''}{memory}"


def _batches(run: Forecast, size: int) -> str:
    return "drawn by the service" if run.is_service else f"batches of {size} on {run.device}"


def _noun(runs: Sequence[Forecast]) -> str:
    return "clip" if all(run.is_video for run in runs) else "picture"


def _to_make(count: int) -> str:
    return f"{count:,} to make" if count else "nothing to make"


def _labelled(label: str, text: str) -> str:
    return f"  {label:<{LABEL_WIDTH}}{text}"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} hours"


def _size(n_bytes: float) -> str:
    if n_bytes >= 2**30:
        return f"{n_bytes / 2**30:,.1f} GiB"
    return f"{max(1, round(n_bytes / 2**20))} MiB" if n_bytes else "0 MiB"


def _say(*lines: str) -> None:
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
