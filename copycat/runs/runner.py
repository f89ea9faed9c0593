"""The only loops: generate what is missing, judge what is missing, add up.

A run that is killed at any moment and started again ends in the same pictures, verdicts and
metrics.json as an unbroken one: batches are part of the plan, a batch's journal lines are written
in one go, and what is finished is not made again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from copycat.plan import build_batches
from copycat.runs.encoding import EncodedPicture
from copycat.runs.executors import DrawnBatch, Executor
from copycat.runs.folder import RunFolder, write_json
from copycat.runs.interrupts import deferred_interrupt
from copycat.runs.limits import CHARGED, Limits, Tally
from copycat.runs.results import summarise_folder
from copycat.runs.shards import Shard
from copycat.schema import SERVICE, CharacterSet, ImageRequest, RunResult, RunSpec, Sample

log = logging.getLogger(__name__)

Advance = Callable[[int], None]
"""Told how many more pictures are done."""

Meanwhile = Callable[[Mapping[str, Sample]], None]
"""Told of all finished samples, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run as planned: a spec and its requests."""

    spec: RunSpec
    requests: tuple[ImageRequest, ...]

    def batches(self, shard: Shard | None = None) -> list[tuple[ImageRequest, ...]]:
        """Give the batches of the plan, or those of one shard of it."""
        batches = build_batches(self.requests, self.spec.batch_size)
        return shard.of(batches) if shard else batches


def generate(
    plan: Plan,
    folder: RunFolder,
    executor: Executor,
    advance: Advance,
    *,
    finished: Mapping[str, Sample] | None = None,
    tally: Tally | None = None,
    meanwhile: Meanwhile | None = None,
) -> list[Sample]:
    """Make every picture that is not finished yet.

    Finished means: a line in the journal whose picture is there with the hash it was written with.
    Failed requests are tried again; refused, blocked and invalid ones stand.

    Args:
        finished: what `read_finished` gave, if it was asked already.
        tally: counts errors and money, and says when to stop before the end.
        meanwhile: told of all finished samples after each batch; what it does overlaps the drawing of the next.

    Returns: all samples in the order of the plan, or of the folder's shard of it.

    Raises:
        LimitReachedError: too many errors or too much money; everything finished is kept.
    """
    finished = dict(read_finished(plan, folder) if finished is None else finished)
    planned = plan.batches(folder.shard)
    missing = {request.key for batch in planned for request in batch} - finished.keys()
    advance(sum(len(batch) for batch in planned) - len(missing))
    tally = tally or Tally(Limits())
    tally.take_up(finished.values(), folder.read_extra_charges(), is_charged=plan.spec.device == SERVICE)
    todo = [batch for batch in planned if any(request.key in missing for request in batch)]

    def keep(drawn: DrawnBatch) -> tuple[list[Sample], int]:
        # The whole batch is drawn, so that the arithmetic is the same; only what was missing of it is kept.
        made = zip(drawn.batch, drawn.pictures, strict=True)
        fresh = [_finish(*one, drawn.seconds, folder) for one in made if one[0].key in missing]
        folder.append_samples(fresh)
        extra_charges = _extra_charges(drawn)
        folder.add_extra_charges(extra_charges)
        return fresh, extra_charges

    affordable = tally.affordable(todo)
    with deferred_interrupt() as interrupt:
        for drawn in executor.run(affordable, plan.spec.sampling, keep):
            fresh, extra_charges = keep(drawn)
            finished |= {sample.key: sample for sample in fresh}
            advance(len(fresh))
            interrupt.check()
            tally.count(fresh, extra_charges)
            if meanwhile is not None:
                meanwhile(finished)
    interrupt.check()
    if len(affordable) < len(todo):
        tally.stop_for_money()
    return _in_order(plan, folder, finished)


def add_up(plan: Plan, folder: RunFolder, characters: CharacterSet) -> RunResult:
    """Rebuild metrics.json from the journal and the verdicts on disk."""
    result = summarise_folder(folder, plan.spec, len(plan.requests), characters)
    write_json(folder.path / "metrics.json", result.model_dump(mode="json"))
    return result


def read_finished(plan: Plan, folder: RunFolder) -> dict[str, Sample]:
    """Give what is finished of a plan, by key; tidies the journal of the run, and takes those of shards into it."""
    planned = {request.key: request for request in plan.requests}
    own, others = folder.read_samples(), folder.read_other_samples()
    kept = {sample.key: sample for sample in own if _still_stands(sample, planned, folder)}
    elsewhere = {
        sample.key: sample for sample in others if sample.key not in kept and _still_stands(sample, planned, folder)
    }
    finished = {**elsewhere, **kept}
    if folder.shard is None and others:
        folder.rewrite_samples(finished.values())
        folder.drop_shard_journals()
    elif len(kept) != len(own):
        folder.rewrite_samples(kept.values())
    return finished


def _extra_charges(drawn: DrawnBatch) -> int:
    """Count the answers that may have been charged beside the one that each counted picture stands for."""
    return sum(max(0, picture.charges - (picture.status in CHARGED)) for picture in drawn.pictures)


def _still_stands(sample: Sample, planned: Mapping[str, ImageRequest], folder: RunFolder) -> bool:
    """Whether a line of a journal needs no drawing again; tells why."""
    if sample.key not in planned or sample.status == "failed":
        return False
    fault = None
    if sample.status == "ok" and not folder.is_intact(sample):
        what = f"video {sample.video} or its sheet" if sample.video else f"picture {sample.image}"
        fault = f"{what} is missing or was changed"
    elif not _is_as_planned(sample, planned[sample.key]):
        fault = f"the line of picture {sample.key} is not what was planned"
    if fault is not None:
        log.warning("%s; it is made again", fault)
    return fault is None


def _in_order(plan: Plan, folder: RunFolder, finished: Mapping[str, Sample]) -> list[Sample]:
    ordered = [finished[request.key] for batch in plan.batches(folder.shard) for request in batch]
    if folder.shard is None and [s.key for s in folder.read_samples()] != [s.key for s in ordered]:
        folder.rewrite_samples(ordered)
    return ordered


def _finish(request: ImageRequest, made: EncodedPicture, seconds: float, folder: RunFolder) -> Sample:
    """Write the files of a picture and describe it."""
    files: dict[str, str | int | None] = {}
    if made.png is not None:
        image = f"images/{request.key}.png"
        files = {
            "image": image,
            "sha256": folder.save_file(image, made.png),
            "width": made.width,
            "height": made.height,
        }
    if made.mp4 is not None:
        video = f"videos/{request.key}.mp4"
        files |= {"video": video, "video_sha256": folder.save_file(video, made.mp4)}
    told = made._asdict()
    counted = {name: told[name] for name in ("status", "detail", "truncated_tokens", "truncated_negative_tokens")}
    planned = request.model_dump(exclude={"prompt_id"})
    filtered = {"rejected": made.rejected} if request.output_filter is not None else {}
    return Sample.model_validate(planned | counted | files | filtered | {"seconds": seconds})


def _is_as_planned(sample: Sample, request: ImageRequest) -> bool:
    same = ImageRequest.model_fields.keys() - {"key", "prompt_id"}
    return all(getattr(sample, name) == getattr(request, name) for name in same)
