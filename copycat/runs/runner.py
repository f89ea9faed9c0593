"""The only loops: generate what is missing, judge what is missing, add up.

A run that is killed at any moment and started again ends in the same pictures, verdicts and
metrics.json as an unbroken one: batches are part of the plan, a batch's journal lines are written
in one go, and what is finished is not made again.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from copycat.errors import BackendError
from copycat.judges import Judge
from copycat.metrics import summarise
from copycat.models import ImageModel, Picture
from copycat.plan import build_batches
from copycat.runs.folder import RunFolder, write_json
from copycat.schema import CharacterSet, ImageRequest, Judgement, RunResult, RunSpec, Sample

log = logging.getLogger(__name__)

JUDGE_BATCH = 64
Advance = Callable[[int], None]
"""Told how many more pictures are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run as planned: a spec and its requests."""

    spec: RunSpec
    requests: tuple[ImageRequest, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """Who judges, and whom the judge may name."""

    judge: Judge
    characters: CharacterSet


def generate(plan: Plan, folder: RunFolder, model: ImageModel, advance: Advance) -> list[Sample]:
    """Make every picture that is not finished yet.

    Finished means: a line in the journal whose picture is there with the hash it was written with.
    Failed requests are tried again; refused, blocked and invalid ones stand.

    Returns: all samples in the order of the plan.
    """
    finished = _finished_samples(plan, folder)
    advance(len(finished))
    for batch in build_batches(plan.requests, plan.spec.batch_size):
        missing = [request for request in batch if request.key not in finished]
        if not missing:
            continue
        fresh = _make_batch(batch, missing, plan.spec, folder, model)
        folder.append_samples(fresh)
        finished |= {sample.key: sample for sample in fresh}
        advance(len(fresh))
    ordered = [finished[request.key] for request in plan.requests]
    if [s.key for s in folder.read_samples()] != [s.key for s in ordered]:
        folder.rewrite_samples(ordered)
    return ordered


def judge_pictures(
    plan: Plan, folder: RunFolder, samples: Sequence[Sample], bench: Bench, advance: Advance
) -> list[Judgement]:
    """Judge every picture that this judge has not judged yet.

    Returns: one judgement per picture, in the order of the samples.
    """
    pictures = {sample.key: sample for sample in samples if sample.status == "ok"}
    possible = {None, *(character.id for character in bench.characters.characters)}
    known = {
        judgement.key: judgement
        for judgement in folder.read_judgements(plan.spec)
        if judgement.is_answered and judgement.detected in possible and _is_of(judgement, pictures.get(judgement.key))
    }
    advance(len(known))
    for batch in _chunks(list(pictures.values()), JUDGE_BATCH):
        missing = {sample.key for sample in batch if sample.key not in known}
        if not missing:
            continue
        # The whole batch as in an unbroken run: a network's last digits depend on the batch's size.
        fresh = [judgement for judgement in _judge_batch(batch, folder, bench) if judgement.key in missing]
        folder.append_judgements(plan.spec, fresh)
        known |= {judgement.key: judgement for judgement in fresh}
        advance(len(fresh))
    ordered = [known[key] for key in pictures]
    if folder.read_judgements(plan.spec) != ordered:
        folder.rewrite_judgements(plan.spec, ordered)
    return ordered


def add_up(plan: Plan, folder: RunFolder, *, is_sandbox: bool) -> RunResult:
    """Rebuild metrics.json from the journal and the verdicts on disk."""
    samples, judgements = folder.read_samples(), folder.read_judgements(plan.spec)
    result = summarise(plan.spec, len(plan.requests), samples, judgements, is_sandbox=is_sandbox)
    write_json(folder.path / "metrics.json", result.model_dump(mode="json"))
    return result


def _finished_samples(plan: Plan, folder: RunFolder) -> dict[str, Sample]:
    planned = {request.key: request for request in plan.requests}
    kept: dict[str, Sample] = {}
    journal = folder.read_samples()
    for sample in journal:
        if sample.key not in planned or sample.status == "failed":
            continue
        if sample.status == "ok" and folder.read_image(sample) is None:
            log.warning("picture %s is missing or was changed; it is made again", sample.image)
            continue
        if not _is_as_planned(sample, planned[sample.key]):
            log.warning("the line of picture %s is not what was planned; it is made again", sample.key)
            continue
        kept[sample.key] = sample
    if len(kept) != len(journal):
        folder.rewrite_samples(kept.values())
    return kept


def _make_batch(
    batch: Sequence[ImageRequest],
    missing: Sequence[ImageRequest],
    spec: RunSpec,
    folder: RunFolder,
    model: ImageModel,
) -> list[Sample]:
    """Make the whole batch, so that the arithmetic is the same, and keep only what was missing of it."""
    start = time.perf_counter()
    try:
        pictures = model.generate(batch, spec.sampling)
    except BackendError as error:
        log.warning("%s", error)
        pictures = [Picture("failed", None, str(error))] * len(batch)
    seconds = round((time.perf_counter() - start) / len(batch), 4)
    made = {request.key: picture for request, picture in zip(batch, pictures, strict=True)}
    return [_finish(request, made[request.key], seconds, folder) for request in missing]


def _finish(request: ImageRequest, picture: Picture, seconds: float, folder: RunFolder) -> Sample:
    sample = Sample(
        **request.model_dump(exclude={"prompt_id"}),
        status="failed" if picture.status == "ok" else picture.status,
        detail=picture.detail,
        seconds=seconds,
        truncated_tokens=picture.truncated_tokens,
    )
    if picture.status != "ok" or picture.image is None:
        return sample
    relative, digest = folder.save_image(request.key, picture.image)
    width, height = picture.image.size
    finished = {"status": "ok", "image": relative, "sha256": digest, "width": width, "height": height}
    return Sample.model_validate(sample.model_dump() | finished)


def _judge_batch(batch: Sequence[Sample], folder: RunFolder, bench: Bench) -> list[Judgement]:
    pictures = [Image.open(io.BytesIO(folder.read_image(sample) or b"")).convert("RGB") for sample in batch]
    try:
        verdicts = bench.judge.judge(pictures, [sample.character for sample in batch], bench.characters)
    except BackendError as error:
        log.warning("%s", error)
        return [
            Judgement(key=sample.key, image_sha256=sample.sha256 or "", detected=None, reason=str(error))
            for sample in batch
        ]
    return [
        Judgement(key=sample.key, image_sha256=sample.sha256 or "", **verdict._asdict())
        for sample, verdict in zip(batch, verdicts, strict=True)
    ]


def _is_as_planned(sample: Sample, request: ImageRequest) -> bool:
    return all(
        getattr(sample, name) == value for name, value in request.model_dump(exclude={"key", "prompt_id"}).items()
    )


def _is_of(judgement: Judgement, sample: Sample | None) -> bool:
    return sample is not None and judgement.image_sha256 == sample.sha256


def _chunks(rows: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
