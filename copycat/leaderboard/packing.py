"""A finished run -> a submission: looked over in memory first, then written beside its place and renamed into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from copycat.errors import DataError, UserError
from copycat.leaderboard.finished_runs import FinishedRun, open_finished
from copycat.leaderboard.hashing import perceptual_hash
from copycat.leaderboard.layout import submission_id
from copycat.leaderboard.picture_files import PictureError
from copycat.leaderboard.pictures import open_picture
from copycat.leaderboard.privacy import ABSOLUTE, private_fields, without_places
from copycat.leaderboard.reading import LIMITS
from copycat.leaderboard.records import (
    JUDGEMENTS,
    MANIFEST,
    PICTURES,
    SAMPLES,
    SETTINGS,
    SUBMISSION,
    Date,
    Line,
    ModelFacts,
    RunSettings,
    Submission,
    SubmittedSample,
    Submitter,
    WebAddress,
    Words,
)
from copycat.leaderboard.writing import Files, named_records, text_files, write_submission
from copycat.models import MODELS
from copycat.paths import shown
from copycat.schema import SERVICE, Judgement, Record, RunSpec, Sample

Advance = Callable[[int], None]
LOCAL_SOURCE = "folder:"
"""How a model in a folder of somebody's machine is recorded: by the folder's name."""


class About(Record):
    """What a submission says that the run does not; see `records.Submission`."""

    submitter: Submitter
    date: Date
    attack: Line | None = None
    paper: WebAddress | None = None
    statement: Words = ""
    notes: Words = ""
    usd_per_picture: float | None = None
    is_withheld: bool = False


class Packed(NamedTuple):
    """A submission as it will stand, before anything of it is written."""

    id: str
    files: Files
    run: FinishedRun

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file by name; of the pictures' file, those of the pictures alone."""
        sizes = {name: len(content) for name, content in text_files(self.files).items()}
        if self.files.submission.pictures == "included":
            pictured = (self.run.folder.path / str(s.image) for s in self.files.samples if s.image is not None)
            sizes[PICTURES] = sum(path.stat().st_size for path in pictured)
        return sizes


class Written(NamedTuple):
    """Where a submission lies; `is_new` is false if it lay there already, with the same content."""

    path: Path
    is_new: bool


def pack_run(run: Path, out: Path, about: About) -> Path:
    """Make the submission of a run folder below `out`, a folder such as leaderboard/submissions.

    Raises:
        DataError: the run may not be submitted, or something private would be published; every reason at once.
        UserError: another submission lies where this one belongs.
    """
    return write_packed(look_over(open_finished(run), about), out).path


def look_over(finished: FinishedRun, about: About, advance: Advance = lambda _: None) -> Packed:
    """Read everything that would be published of a run; writes nothing.

    Args:
        advance: told of each picture that was looked at.

    Raises:
        DataError: something private would be published, or a picture is no plain one; every reason at once.
    """
    faults: list[str] = []
    samples = [_submitted(sample, finished, advance, faults) for sample in finished.samples]
    submission = Submission(
        suite_version=finished.spec.suite_version,
        model=model_facts(finished.spec),
        pictures="withheld" if about.is_withheld else "included",
        **about.model_dump(exclude={"is_withheld"}),
    )
    facts = {name: without_places(text) for name, text in finished.run.judge_facts.items()}
    settings = RunSettings(
        spec=finished.spec,
        environment=finished.run.environment,
        judge_facts=facts,
        baseline=finished.run.baseline,
    )
    judgements = [_without_places_in_reason(judgement) for judgement in finished.judgements]
    files = Files(submission, settings, finished.result, samples, judgements, finished.calibration)
    faults += _private(files)
    if faults:
        raise DataError([f"{shown(finished.folder.path)}: {fault}" for fault in faults])
    return Packed(submission_id(submission, settings), files, finished)


def write_packed(packed: Packed, out: Path) -> Written:
    """Write a submission to its place below `out`, if none lies there.

    A kill leaves nothing at that place, or all of it.

    Raises:
        UserError: another one lies there: what was published is not changed; or nothing can be written there.
        DataError: a picture was changed while this was going on.
    """
    target = out / packed.id
    if target.exists():
        _require_same(packed, target)
        return Written(target, is_new=False)
    unfinished = out / f".{target.name}.{os.getpid()}.new"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_away(out, target.name)
        unfinished.mkdir()
    except (FileNotFoundError, FileExistsError, NotADirectoryError, PermissionError) as error:
        fix = "choose a folder that you may write to: --to DIR"
        raise UserError(f"cannot write to {shown(out)}: {error.strerror}\n  {fix}") from error
    try:
        write_submission(unfinished, packed.files, _pictures(packed))
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return Written(target, is_new=True)


def model_facts(spec: RunSpec) -> ModelFacts:
    """Say of a model what its row and the spec say; where its files lay on this machine is in neither."""
    row = MODELS.get(spec.model) if spec.model in MODELS.names() else None
    is_service = spec.device == SERVICE
    return ModelFacts(
        name=spec.model,
        source=spec.model_source,
        revision=spec.model_revision,
        modality="video" if spec.sampling.is_video else "image",
        is_open=not is_service and not spec.model_source.startswith(LOCAL_SOURCE),
        licence=row.licence if row is not None else "service" if is_service else None,
    )


# ------------------------------------------------------------------------------------ looking over


def _submitted(sample: Sample, finished: FinishedRun, advance: Advance, faults: list[str]) -> SubmittedSample:
    """Give the line of a sample, with the hash of what its picture shows; paths in its detail are cut."""
    told = sample.model_dump() | {"detail": without_places(sample.detail)}
    if sample.status != "ok":
        return SubmittedSample(**told)
    content = _picture_of(sample, finished)
    try:
        told["perceptual_hash"] = perceptual_hash(open_picture(content, LIMITS))
    except PictureError as error:
        faults.append(f"{sample.image}: {error}\n  copycat keeps pictures as PNG files with nothing else inside")
    advance(1)
    return SubmittedSample(**told)


def _picture_of(sample: Sample, finished: FinishedRun) -> bytes:
    content = finished.folder.read_image(sample)
    if content is None:
        place = shown(finished.folder.path / str(sample.image))
        raise DataError([f"{place}: is missing or was changed"], "  the command that made the run makes it again")
    return content


def _without_places_in_reason(judgement: Judgement) -> Judgement:
    if judgement.reason is None:
        return judgement
    return judgement.model_copy(update={"reason": without_places(judgement.reason)})


def _private(files: Files) -> Iterator[str]:
    """Name the fields that must not be published, in what will be written and not in what was read."""
    of_spec = files.settings.spec.model_dump(mode="json")
    for field in ("model", "model_source", "mitigation", "judge", "filter_judge", "language_model", "embedder"):
        if ABSOLUTE.search(str(of_spec.get(field) or "")):
            yield (
                f"{SETTINGS}, field 'spec.{field}': holds a path of this machine\n"
                "  needed: a name of the Hub, or a folder named from where the command was typed, such as ./judge"
            )
    whole: dict[str, Record] = named_records(files)
    for name, rows in ((SAMPLES, files.samples), (JUDGEMENTS, files.judgements)):
        whole |= {f"{name}:{number}": row for number, row in enumerate(rows, start=1)}
    for place, record in whole.items():
        for field, kind in dict.fromkeys(private_fields(record.model_dump(mode="json"))):
            yield f"{place}, field '{field}': holds {kind}; it is not published, take it out first"


# ------------------------------------------------------------------------------------------ writing


def _pictures(packed: Packed) -> Iterator[tuple[str, bytes]]:
    for sample in packed.run.samples:
        if sample.status == "ok":
            yield sample.key, _picture_of(sample, packed.run)


def _clear_away(out: Path, name: str) -> None:
    """Delete what a killed process has left of a submission; what another process is writing stays."""
    for left in out.glob(f".{name}.*.new"):
        pid = left.suffixes[-2].removeprefix(".")
        if not (pid.isdecimal() and int(pid) != os.getpid() and _is_alive(int(pid))):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _require_same(packed: Packed, target: Path) -> None:
    """Refuse to write over a submission that says something else; the date may be another."""
    try:
        there = Submission.model_validate_json((target / SUBMISSION).read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{shown(target)}: is there and is no submission\n  move it away") from error
    dated = packed.files.submission.model_copy(update={"date": there.date})
    with tempfile.TemporaryDirectory() as name:
        again = Path(name)
        write_submission(again, packed.files._replace(submission=dated), _pictures(packed))
        names = {path.name for folder in (again, target) for path in folder.iterdir()} - {MANIFEST}
        differing = sorted(name for name in names if _bytes(again / name) != _bytes(target / name))
    if differing:
        raise UserError(
            f"{shown(target)}: another submission of these settings is there; it differs in {', '.join(differing)}\n"
            "  what was submitted stays as it was: a new version of the judge, or other settings, is a new row\n"
            "  if it was never published, move that folder away"
        )


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
