"""Judge what is drawn and not judged yet: in batches on this machine, or in threads that wait for a service.

A run that is killed at any moment and started again ends in the same verdicts as an unbroken one, and asks
no question twice that cost something.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from PIL.Image import Image

from copycat.judges import Judge, Verdict
from copycat.judges.asking import JUDGE_BATCH, Look, each_kept, judge_batch
from copycat.judges.ensemble import throttle_of
from copycat.judges.overlays import has_overlaid_text
from copycat.judges.verdicts import combine_frames
from copycat.metrics.speaking import OVERLAID_TEXT
from copycat.models.decode import UndecodableError, decode_picture
from copycat.models.frames import cut_sheet
from copycat.runs.folder import RunFolder
from copycat.runs.runner import Advance, Plan
from copycat.runs.sentinels import Sentinels
from copycat.schema import CharacterSet, Judgement, RunSpec, Sample

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bench:
    """Who judges, and whom the judge may name.

    `sentinels` watches that the judge stays the one it was; None: nobody watches.
    """

    judge: Judge
    characters: CharacterSet
    sentinels: Sentinels | None = None


def judge_pictures(
    plan: Plan, folder: RunFolder, samples: Sequence[Sample], bench: Bench, advance: Advance
) -> list[Judgement]:
    """Judge every picture that this judge has not judged yet.

    Returns: one judgement per picture, in the order of the samples.

    Raises:
        DriftError: the judge answers otherwise than when it was first asked; nothing is mixed.
        UserError: no picture can be judged; every verdict that was given is kept.
    """
    pictures = {sample.key: sample for sample in samples if sample.status == "ok"}
    known = _known_judgements(plan, folder, pictures, bench)
    advance(len(known))
    if len(known) < len(pictures):
        _require_steady(plan, bench)
        throttle = throttle_of(bench.judge)
        if throttle is None:
            for batch in _chunks(list(pictures.values()), JUDGE_BATCH):
                advance(_judge_missing(plan, folder, batch, bench, known))
        else:
            for count in _judge_in_threads(plan, folder, pictures, bench, known):
                advance(count)
    ordered = [known[key] for key in pictures]
    if folder.read_judgements(plan.spec) != ordered:
        folder.rewrite_judgements(plan.spec, ordered)
    return ordered


def count_unjudged(plan: Plan, folder: RunFolder, samples: Sequence[Sample], bench: Bench) -> int:
    """Count the pictures on which this judge has given no verdict yet."""
    pictures = {sample.key: sample for sample in samples if sample.status == "ok"}
    return len(pictures) - len(_known_judgements(plan, folder, pictures, bench))


def start_anew(specs: Sequence[RunSpec], folders: Sequence[RunFolder], bench: Bench) -> None:
    """Take the judge as it is now, and drop what it has said of these runs.

    The sentinel pictures are judged first, so that nothing is lost to a judge that does not answer. The memory of
    answers is emptied: an old answer must not come back under the new sentinels.
    """
    if bench.sentinels is not None:
        bench.sentinels.renew(specs[0], bench.judge, bench.characters)
        if bench.sentinels.memory is not None:
            bench.sentinels.memory.clear()
    for spec, folder in zip(specs, folders, strict=True):
        folder.judgements_path(spec).unlink(missing_ok=True)


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
            if any(sample.key not in self._known for sample in batch):
                _require_steady(self.plan, self.bench)
            _judge_missing(self.plan, self.folder, batch, self.bench, self._known)
            self._n_judged += JUDGE_BATCH


def _require_steady(plan: Plan, bench: Bench) -> None:
    if bench.sentinels is not None:
        bench.sentinels.require_steady(plan.spec, bench.judge, bench.characters)


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


def _judge_in_threads(
    plan: Plan, folder: RunFolder, pictures: Mapping[str, Sample], bench: Bench, known: dict[str, Judgement]
) -> Iterator[int]:
    """Judge picture by picture, many at a time; each verdict is on the disk as soon as it is there."""
    throttle = throttle_of(bench.judge)
    assert throttle is not None  # noqa: S101  # asked by the caller
    missing = [sample for key, sample in pictures.items() if key not in known]

    def work(sample: Sample) -> Judgement:
        return _judge_batch([sample], folder, bench, plan.spec)[0]

    def keep(_: Sample, judgement: Judgement) -> None:
        folder.append_judgements(plan.spec, [judgement])
        known[judgement.key] = judgement

    for _ in each_kept(missing, work, keep, throttle):
        yield 1


def _judge_batch(batch: Sequence[Sample], folder: RunFolder, bench: Bench, spec: RunSpec) -> list[Judgement]:
    return judge_looks(batch, [_frames_and_sheet(sample, folder, spec) for sample in batch], bench)


def judge_looks(batch: Sequence[Sample], looks: Sequence[Sequence[Look]], bench: Bench) -> list[Judgement]:
    """Judge some pictures; one that cannot be read, or that the judge cannot answer for, has a reason instead.

    Args:
        looks: for each sample what `looks_of` gives of its picture, or why it cannot be read.
    """
    asked_for = [sample.character for sample, shown in zip(batch, looks, strict=True) for _ in shown]
    flat = [look for shown in looks for look in shown]
    verdicts = iter(judge_batch(bench.judge, flat, asked_for, bench.characters))
    return [
        _judgement(sample, [next(verdicts) for _ in shown], flags_of(shown))
        for sample, shown in zip(batch, looks, strict=True)
    ]


def flags_of(looks: Sequence[Look]) -> tuple[str, ...] | None:
    """Say what is odd about a picture, or about any frame of a clip: text over it can mislead a judge."""
    is_overlaid = any(has_overlaid_text(look) for look in looks if not isinstance(look, str))
    return (OVERLAID_TEXT,) if is_overlaid else None


def _frames_and_sheet(sample: Sample, folder: RunFolder, spec: RunSpec) -> list[Look]:
    """Give the picture; of a clip its kept frames and, last, the sheet of them; or why it cannot be read."""
    content = folder.read_image(sample)
    if content is None:
        return ["the picture is missing or was changed"]
    try:
        picture = decode_picture(content)
    except UndecodableError as error:
        return [f"the picture cannot be read: {error}"]
    return looks_of(picture, spec.sampling.kept_frames)


def looks_of(picture: Image, kept_frames: Sequence[int] | None) -> list[Look]:
    """Give the picture; of a clip its kept frames and, last, the sheet of them."""
    return [*cut_sheet(picture, len(kept_frames)), picture] if kept_frames else [picture]


def _judgement(sample: Sample, verdicts: Sequence[Verdict], flags: tuple[str, ...] | None) -> Judgement:
    sha256 = sample.sha256 or ""
    if len(verdicts) == 1:
        return verdicts[0]._replace(flags=flags).of(sample.key, sha256)
    *of_frames, of_sheet = verdicts
    whole = combine_frames(of_frames, sample.character)._replace(flags=flags).of(sample.key, sha256)
    if not whole.is_answered:
        return whole
    frames = tuple(verdict.detected for verdict in of_frames)
    return whole.model_copy(update={"frames": frames, "sheet": of_sheet.seen if of_sheet.is_answered else None})


def _is_of(judgement: Judgement, sample: Sample | None) -> bool:
    return sample is not None and judgement.image_sha256 == sample.sha256


def _chunks(rows: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
