"""One run's folder on disk. Nothing that is finished is ever lost: append, flush, rename.

run.json  samples.jsonl  images/<key>.png  videos/<key>.mp4  judgements/<judge>-<revision>.jsonl
metrics.json  comparison.json  report.html        (the last three are made from the others)
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import Field, ValidationError

from copycat.errors import DataError, ResumeMismatchError, UserError
from copycat.paths import shown
from copycat.runs.shards import Shard
from copycat.schema import SCHEMA_VERSION, Judgement, Record, RunSpec, Sample

R = TypeVar("R", bound=Record)


class RunFile(Record):
    """run.json: what was asked, with what, and whether it is finished; `measures` are names with revisions."""

    schema_version: int = SCHEMA_VERSION
    id: str
    spec: RunSpec
    environment: dict[str, str]
    status: str
    baseline: str | None = None
    judge_facts: dict[str, str] = Field(default_factory=dict)
    measures: dict[str, str] = Field(default_factory=dict)


class RunFolder:
    """Reads and writes one run folder; one process at a time holds it, or one for each shard of a plan."""

    def __init__(self, path: Path, shard: Shard | None = None) -> None:
        self.path, self.shard = path, shard
        self.images = path / "images"
        self.samples_path = path / (f"samples-{shard}.jsonl" if shard else "samples.jsonl")
        self._locks: list[IO[str]] = []

    def open(self, run: RunFile, n_planned: int = 0) -> RunFile:
        """Make the folder or take it up again, and lock it.

        Args:
            n_planned: requests of the plan; a finished run that lacks some of them has pictures to make.

        Returns: the run file on disk, with the environment in which the run was begun.

        Raises:
            ResumeMismatchError: the folder holds another spec's run, or one begun with other versions.
            UserError: another process works in it, or it cannot be written.
        """
        try:
            self.images.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:  # as below /proc, where nobody can make a folder
            raise UserError(f"cannot make the folder {shown(self.path)}\n  choose another folder: --out DIR") from error
        self._take_lock(".lock", fcntl.LOCK_SH if self.shard else fcntl.LOCK_EX)
        with self._one_shard_at_a_time():
            self._take_shard()
            path = self.path / "run.json"
            if path.exists():
                found = self.read_run()
                self._require_same(found, run, n_planned)
                is_same_judge = found.spec.judge_revision == run.spec.judge_revision
                known = {"judge_facts": found.judge_facts if is_same_judge else {}, "measures": found.measures}
                run = found.model_copy(update={"spec": run.spec, "baseline": run.baseline} | known)
            if self.shard is None or not path.exists():
                self.write_run(run)
        return run

    def clear(self) -> None:
        """Delete everything that this run has made, if nobody is working in it."""
        if self.path.exists():
            self._take_lock(".lock", fcntl.LOCK_EX)
            shutil.rmtree(self.path)
            self.close()

    def close(self) -> None:
        """Let go of the locks."""
        while self._locks:
            self._locks.pop().close()

    def read_run(self) -> RunFile:
        """Read run.json."""
        return _read_record(self.path / "run.json", RunFile)

    def write_run(self, run: RunFile) -> None:
        """Write run.json."""
        write_json(self.path / "run.json", run.model_dump(mode="json"))

    # --------------------------------------------------------------------------- samples

    def read_samples(self) -> list[Sample]:
        """Read the journal; a last line that a crash cut off is dropped."""
        return read_journal(self.samples_path, Sample)

    def read_other_samples(self) -> list[Sample]:
        """Read the journals of all shards but this one, and of the unsharded run if this is a shard."""
        others = sorted(set(self.path.glob("samples-*-of-*.jsonl")) | {self.path / "samples.jsonl"})
        return [sample for path in others if path != self.samples_path for sample in read_journal(path, Sample)]

    def drop_shard_journals(self) -> None:
        """Delete the journals of shards, once their lines are in the journal of the run."""
        for path in self.path.glob("samples-*-of-*.jsonl"):
            path.unlink()
        for path in self.path.glob(".lock-*"):
            path.unlink()

    def read_extra_charges(self) -> int:
        """Give how many answers of a service were charged beside one for each picture, over all starts."""
        path = self.path / "charges.json"
        return int(json.loads(path.read_text(encoding="utf-8"))["extra"]) if path.exists() else 0

    def add_extra_charges(self, count: int) -> None:
        """Remember answers that were paid for and of no use; their samples are dropped when they are tried again."""
        if count:
            write_json(self.path / "charges.json", {"extra": self.read_extra_charges() + count})

    def append_samples(self, samples: Sequence[Sample]) -> None:
        """Append finished samples and flush them to the disk."""
        append_journal(self.samples_path, samples)

    def rewrite_samples(self, samples: Iterable[Sample]) -> None:
        """Replace the journal in one step."""
        write_journal(self.samples_path, samples)

    def save_file(self, relative: str, content: bytes) -> str:
        """Write a picture or video under a temporary name and rename it.

        Returns: the sha256 of its bytes.
        """
        write_bytes(self.path / relative, content)
        return hashlib.sha256(content).hexdigest()

    def read_image(self, sample: Sample) -> bytes | None:
        """Give the bytes of a sample's picture if they are the ones it was finished with."""
        if sample.image is None:
            return None
        try:
            content = (self.path / sample.image).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == sample.sha256 else None

    def is_intact(self, sample: Sample) -> bool:
        """Whether the files of a finished sample are there with the hashes that they were written with."""
        if sample.video is None:
            return self.read_image(sample) is not None
        try:
            with (self.path / sample.video).open("rb") as file:
                is_same = hashlib.file_digest(file, "sha256").hexdigest() == sample.video_sha256
        except OSError:
            return False
        return is_same and self.read_image(sample) is not None

    # ------------------------------------------------------------------------ judgements

    def judgements_path(self, spec: RunSpec) -> Path:
        """Give the file of the verdicts of the spec's judge."""
        return self.path / judgements_file(spec)

    def read_judgements(self, spec: RunSpec) -> list[Judgement]:
        """Read the verdicts of the spec's judge, in the revision that the spec names; none if it has not judged yet."""
        return read_journal(self.judgements_path(spec), Judgement)

    def append_judgements(self, spec: RunSpec, judgements: Sequence[Judgement]) -> None:
        """Append verdicts and flush them."""
        append_journal(self.judgements_path(spec), judgements)

    def rewrite_judgements(self, spec: RunSpec, judgements: Iterable[Judgement]) -> None:
        """Replace the verdicts of the spec's judge in one step."""
        write_journal(self.judgements_path(spec), judgements)

    # --------------------------------------------------------------------------- private

    def _take_lock(self, name: str, kind: int) -> None:
        """Hold the whole folder, a share of it, or one shard of its plan."""
        lock = (self.path / name).open("w", encoding="utf-8")
        self._locks.append(lock)
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise UserError(
                f"another process is working in {shown(self.path)}\n  wait for it, or use another --out folder"
            ) from error

    def _take_shard(self) -> None:
        """Hold a shard, unless shards of another number are being drawn: they would draw the same pictures."""
        if self.shard is None:
            return
        for path in self.path.glob(".lock-*-of-*"):
            if not path.name.endswith(f"-of-{self.shard.count}"):
                self._take_lock(path.name, fcntl.LOCK_EX)
                self._locks.pop().close()
        self._take_lock(f".lock-{self.shard}", fcntl.LOCK_EX)

    @contextmanager
    def _one_shard_at_a_time(self) -> Iterator[None]:
        """Let shards that begin at the same moment, as those of an array of jobs do, open the folder in turn."""
        if self.shard is None:
            yield
            return
        with (self.path / ".lock-shards").open("w", encoding="utf-8") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield

    def _require_same(self, found: RunFile, wanted: RunFile, n_planned: int) -> None:
        here, asked = (run.spec.model_dump(exclude={"judge", "judge_revision"}) for run in (found, wanted))
        differing = [
            f"{name}: {_set(here[name])} here, {_set(asked[name])} asked for"
            for name in asked
            if here[name] != asked[name]
        ]
        if differing:
            raise ResumeMismatchError(
                f"{shown(self.path)} belongs to another run\n  "
                + "\n  ".join(differing[:5])
                + "\n  use another --out folder, or start this one again with --fresh"
            )
        moved = [
            f"{name} {found.environment.get(name)} then, {version} now"
            for name, version in wanted.environment.items()
            if name in PIXEL_PACKAGES and found.environment.get(name) != version
        ]
        if moved and not (found.status == "finished" and self._is_whole(n_planned)):
            raise ResumeMismatchError(
                f"{shown(self.path)} was begun with other versions: {'; '.join(moved)}\n"
                "  pictures of two versions do not belong in one run\n"
                "  install the versions it was begun with, or start again with --fresh"
            )

    def _is_whole(self, n_planned: int) -> bool:
        """Whether every planned request has a sample, and none has to be made again."""
        samples = self.read_samples()
        return len(samples) >= n_planned and all(
            sample.status != "failed" and (sample.status != "ok" or self.is_intact(sample)) for sample in samples
        )


PIXEL_PACKAGES = ("torch", "diffusers", "transformers")


def judgements_file(spec: RunSpec) -> str:
    """Name the file of a judge's verdicts, relative to the run folder: one per judge and revision of it."""
    return f"judgements/{judge_stem(spec.judge, spec.judge_revision)}.jsonl"


def judge_stem(judge: str, judge_revision: str) -> str:
    """Name a judge in one revision as files are named, with what a file's name may hold."""
    readable = "".join(c if c.isalnum() or c in "-." else "-" for c in judge)
    return f"{readable}-{judge_revision[:8]}"


def read_journal(path: Path, record: type[R]) -> list[R]:
    """Read a JSONL journal.

    A last line without its newline was cut off by a crash: it does not count. Reading changes nothing;
    the next append takes the line away.

    Raises:
        DataError: any other line is wrong; file, line and rule are in the text.
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    rows: list[R] = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            rows.append(record.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            where = f"field '{field}': " if field else ""
            raise DataError(
                [f"{shown(path)}:{number}: {where}{first['msg']}"],
                "  the journal was edited or damaged; restore it, or start the run again with --fresh",
            ) from error
    return rows


def write_journal(path: Path, rows: Iterable[Record]) -> None:
    """Write a whole journal in one step."""
    write_bytes(path, journal_bytes(rows))


def journal_bytes(rows: Iterable[Record]) -> bytes:
    """Give the content of a journal."""
    return b"".join(_line(row) for row in rows)


def append_journal(path: Path, rows: Sequence[Record]) -> None:
    """Append rows in one write and force them to the disk; a last line that a crash cut off is taken away first."""
    if not rows:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        _drop_torn_line(file)
        file.write(journal_bytes(rows))
        file.flush()
        os.fsync(file.fileno())


def write_json(path: Path, content: Any) -> None:
    """Write JSON that diffs well: sorted keys, two spaces, a final newline, no NaN; in one step."""
    write_bytes(path, json_bytes(content))


def json_bytes(content: Any) -> bytes:
    """Give JSON that diffs well, as `write_json` writes it."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it: readers see the old or the new, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _drop_torn_line(file: IO[bytes]) -> None:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return
    file.seek(size - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def _set(value: Any) -> str:
    return "not set" if value is None else repr(value)


def _line(row: Record) -> bytes:
    return json.dumps(row.model_dump(mode="json"), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _read_record(path: Path, record: type[R]) -> R:
    try:
        return record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(
            [f"{shown(path)}: cannot be read ({why})"], "  restore it, or start the run again with --fresh"
        ) from error
