"""The only loops: generate what is missing, judge what is missing, add up.

A run that is killed at any moment and started again ends in the same pictures, verdicts and
metrics.json as an unbroken one: batches are part of the plan, a batch's journal lines are written
in one go, and what is finished is not made again.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from PIL import Image

from copycat.errors import BackendError
from copycat.judges import Judge, Verdict
from copycat.judges.verdicts import combine_frames
from copycat.metrics import summarise
from copycat.models.frames import cut_sheet
from copycat.plan import build_batches
from copycat.runs.encoding import EncodedPicture
from copycat.runs.executors import DrawnBatch, Executor
from copycat.runs.folder import RunFolder, write_json
from copycat.runs.interrupts import deferred_interrupt
from copycat.runs.limits import CHARGED, Limits, Tally
from copycat.runs.shards import Shard
from copycat.schema import SERVICE, CharacterSet, ImageRequest, Judgement, RunResult, RunSpec, Sample

log = logging.getLogger(__name__)

JUDGE_BATCH = 64
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


@dataclass(frozen=True, slots=True)
class Bench:
    """Who judges, and whom the judge may name."""

    judge: Judge
    characters: CharacterSet


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


def judge_pictures(
    plan: Plan, folder: RunFolder, samples: Sequence[Sample], bench: Bench, advance: Advance
) -> list[Judgement]:
    """Judge every picture that this judge has not judged yet.

    Returns: one judgement per picture, in the order of the samples.
    """
    pictures = {sample.key: sample for sample in samples if sample.status == "ok"}
    known = _known_judgements(plan, folder, pictures, bench)
    advance(len(known))
    for batch in _chunks(list(pictures.values()), JUDGE_BATCH):
        advance(_judge_missing(plan, folder, batch, bench, known))
    ordered = [known[key] for key in pictures]
    if folder.read_judgements(plan.spec) != ordered:
        folder.rewrite_judgements(plan.spec, ordered)
    return ordered


class JudgeAhead:
    """Judges while further pictures are drawn: each chunk of the plan as soon as all of it is there."""

    def __init__(self, plan: Plan, folder: RunFolder, bench: Bench) -> None:
        self.plan, self.folder, self.bench = plan, folder, bench
        self._n_judged = 0
        self._known: dict[str, Judgement] | None = None

    def __call__(self, finished: Mapping[str, Sample]) -> None:
        """Judge the chunks that are whole by now, in the order of the plan."""
        there = [finished[r.key] for r in takewhile(lambda r: r.key in finished, self.plan.requests)]
        pictures = [sample for sample in there if sample.status == "ok"]
        while self._n_judged + JUDGE_BATCH <= len(pictures):
            if self._known is None:
                self._known = _known_judgements(self.plan, self.folder, finished, self.bench)
            batch = pictures[self._n_judged : self._n_judged + JUDGE_BATCH]
            _judge_missing(self.plan, self.folder, batch, self.bench, self._known)
            self._n_judged += JUDGE_BATCH


def add_up(plan: Plan, folder: RunFolder, *, is_sandbox: bool) -> RunResult:
    """Rebuild metrics.json from the journal and the verdicts on disk."""
    samples, judgements = folder.read_samples(), folder.read_judgements(plan.spec)
    result = summarise(plan.spec, len(plan.requests), samples, judgements, is_sandbox=is_sandbox)
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
    return Sample.model_validate(planned | counted | files | {"seconds": seconds})


def _known_judgements(
    plan: Plan, folder: RunFolder, pictures: Mapping[str, Sample], bench: Bench
) -> dict[str, Judgement]:
    possible = {None, *(character.id for character in bench.characters.characters)}
    return {
        judgement.key: judgement
        for judgement in folder.read_judgements(plan.spec)
        if judgement.is_answered and judgement.detected in possible and _is_of(judgement, pictures.get(judgement.key))
    }


def _judge_missing(
    plan: Plan, folder: RunFolder, batch: Sequence[Sample], bench: Bench, known: dict[str, Judgement]
) -> int:
    """Judge a chunk and keep the verdicts that are not known yet; gives how many."""
    missing = {sample.key for sample in batch if sample.key not in known}
    if not missing:
        return 0
    # The whole chunk as in an unbroken run: a network's last digits depend on the batch's size.
    fresh = [judgement for judgement in _judge_batch(batch, folder, bench, plan.spec) if judgement.key in missing]
    folder.append_judgements(plan.spec, fresh)
    known |= {judgement.key: judgement for judgement in fresh}
    return len(fresh)


def _judge_batch(batch: Sequence[Sample], folder: RunFolder, bench: Bench, spec: RunSpec) -> list[Judgement]:
    pictures = [Image.open(io.BytesIO(folder.read_image(sample) or b"")).convert("RGB") for sample in batch]
    kept = spec.sampling.kept_frames
    shown = [cut_sheet(picture, len(kept)) if kept else [picture] for picture in pictures]
    asked_for = [sample.character for sample, frames in zip(batch, shown, strict=True) for _ in frames]
    try:
        verdicts = bench.judge.judge([frame for frames in shown for frame in frames], asked_for, bench.characters)
    except BackendError as error:
        log.warning("%s", error)
        return [
            Judgement(key=sample.key, image_sha256=sample.sha256 or "", detected=None, reason=str(error))
            for sample in batch
        ]
    return [
        _judgement(sample, mine, is_video=bool(kept))
        for sample, mine in zip(batch, _split(verdicts, [len(frames) for frames in shown]), strict=True)
    ]


def _judgement(sample: Sample, verdicts: Sequence[Verdict], *, is_video: bool) -> Judgement:
    whole = combine_frames(verdicts, sample.character) if is_video else verdicts[0]
    frames = tuple(verdict.detected for verdict in verdicts) if is_video else None
    return Judgement(key=sample.key, image_sha256=sample.sha256 or "", frames=frames, **whole._asdict())


def _split(verdicts: Sequence[Verdict], sizes: Sequence[int]) -> Iterator[Sequence[Verdict]]:
    start = 0
    for size in sizes:
        yield verdicts[start : start + size]
        start += size


def _is_as_planned(sample: Sample, request: ImageRequest) -> bool:
    return all(
        getattr(sample, name) == value for name, value in request.model_dump(exclude={"key", "prompt_id"}).items()
    )


def _is_of(judgement: Judgement, sample: Sample | None) -> bool:
    return sample is not None and judgement.image_sha256 == sample.sha256


def _chunks(rows: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
