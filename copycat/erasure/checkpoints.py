"""The folder of an erasure at work: what was asked, losses, checkpoints; each file is replaced in one step.

erasing.json  command.txt  losses.jsonl  checkpoint-<steps>.safetensors  prepared/  delta.safetensors  card.json
The last two come at the end, and checkpoints, what was prepared and the command go.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from copycat.erasure.eraser import Concept
from copycat.errors import ResumeMismatchError, UserError
from copycat.models.erased import ASKED, CARD, COMMAND, DELTA
from copycat.paths import shown
from copycat.runs.folder import append_journal, read_journal, write_bytes, write_journal, write_json
from copycat.schema import Record

LOSSES, PREPARED = "losses.jsonl", "prepared"
UNFINISHED = ".{}.new"
KEPT = 2
"""Checkpoints: should the last be damaged, there is one before."""


class Asked(Record):
    """erasing.json: everything that moves a weight. A folder holds one of these only."""

    method: str
    preset: str
    settings: dict[str, Any]
    small: dict[str, Any]
    concepts: tuple[Concept, ...]
    seed: int
    model: str
    source: str
    revision: str
    pipeline: str
    dtype: str


class LossLine(Record):
    """One line of losses.jsonl; `step` counts from 0."""

    step: int
    losses: dict[str, float]


class Checkpoint(NamedTuple):
    """The state after so many steps. Tensors are on the CPU."""

    steps: int
    seconds: float
    edited: dict[str, Any]
    state: dict[str, Any]


class Workplace:
    """Reads and writes the folder of one erasure."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prepared = path / PREPARED

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder and hold it: one process at a time works in it.

        Raises:
            UserError: another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UserError(
                    f"another process is working in {shown(self.path)}\n  wait for it, or use another --out folder"
                ) from error
            yield

    def clear(self) -> None:
        """Delete what an erasure makes, and nothing else."""
        self.tidy()
        for name in (CARD, DELTA, ASKED, LOSSES):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.prepared, ignore_errors=True)

    def take(self, asked: Asked, command: str = "") -> None:
        """Write down what was asked, or find that it is what was asked before.

        Args:
            command: that goes on with it, should it be broken off; "" where nobody typed one.

        Raises:
            ResumeMismatchError: the folder holds an erasure of other settings.
        """
        self.check(asked)
        if not (self.path / ASKED).exists():
            write_json(self.path / ASKED, asked.model_dump(mode="json"))
        if command:
            write_bytes(self.path / COMMAND, command.encode())

    def check(self, asked: Asked) -> None:
        """Find nothing there, or what was asked before.

        Raises:
            ResumeMismatchError: as `take`.
        """
        path = self.path / ASKED
        if not path.exists():
            if (self.path / CARD).exists():
                raise ResumeMismatchError(
                    f"{shown(self.path)} holds a finished erasure without {ASKED}\n  use another --out folder"
                )
            return
        try:
            found = Asked.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ResumeMismatchError(
                f"{shown(path)} cannot be read ({error.errors()[0]['msg']})\n  start anew with --fresh"
            ) from error
        if differing := list(_differences(found, asked)):
            raise ResumeMismatchError(
                f"{shown(self.path)} holds another erasure\n  "
                + "\n  ".join(differing[:5])
                + "\n  use another --out folder, or start anew with --fresh"
            )

    def read_losses(self) -> list[LossLine]:
        """Read the losses so far."""
        return read_journal(self.path / LOSSES, LossLine)

    def add_losses(self, step: int, losses: Mapping[str, float]) -> None:
        """Append the losses of a step, at once on the disk."""
        append_journal(self.path / LOSSES, [LossLine(step=step, losses=dict(losses))])

    def cut_losses(self, steps: int) -> None:
        """Drop the lines of steps that will be, or have been, done again."""
        lines = self.read_losses()
        if any(line.step >= steps for line in lines):
            write_journal(self.path / LOSSES, [line for line in lines if line.step < steps])

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint under a temporary name, rename it, and drop all but the last `KEPT`."""
        tensors = {f"edited.{name}": tensor for name, tensor in checkpoint.edited.items()}
        tensors |= {f"state.{name}": tensor for name, tensor in checkpoint.state.items()}
        facts = json.dumps({"steps": checkpoint.steps, "seconds": checkpoint.seconds})
        save_tensors(self.path / f"checkpoint-{checkpoint.steps:06d}.safetensors", tensors, {"progress": facts})
        for path in self._checkpoints()[:-KEPT]:
            path.unlink()

    def read_last(self) -> Checkpoint | None:
        """Read the newest checkpoint that is whole; None where there is none."""
        for path in reversed(self._checkpoints()):
            if (found := _read_checkpoint(path)) is not None:
                return found
        return None

    def tidy(self) -> None:
        """Delete what a run needed while it was at work, and what a kill left half written, once the card is there."""
        (self.path / COMMAND).unlink(missing_ok=True)
        shutil.rmtree(self.prepared, ignore_errors=True)
        for path in (*self._checkpoints(), *self.path.glob(UNFINISHED.format("*"))):
            path.unlink()

    def _checkpoints(self) -> list[Path]:
        return sorted(self.path.glob("checkpoint-*.safetensors"))


def save_tensors(path: Path, tensors: Mapping[str, Any], facts: dict[str, str] | None = None) -> None:
    """Write tensors under a temporary name and rename the file."""
    from safetensors.torch import save_file

    unfinished = path.with_name(UNFINISHED.format(path.name))
    try:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, unfinished, facts)
        unfinished.chmod(0o644)  # safetensors writes for the owner alone
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _read_checkpoint(path: Path) -> Checkpoint | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            progress = json.loads(file.metadata()["progress"])
    except (SafetensorError, OSError):
        return None
    parts: dict[str, dict[str, Any]] = {"edited": {}, "state": {}}
    for name, tensor in tensors.items():
        part, _, own = name.partition(".")
        parts[part][own] = tensor
    return Checkpoint(int(progress["steps"]), float(progress["seconds"]), parts["edited"], parts["state"])


def _differences(found: Asked, asked: Asked) -> Iterator[str]:
    here, wanted = found.model_dump(mode="json"), asked.model_dump(mode="json")
    settings = here.pop("settings"), wanted.pop("settings")
    for before, now in ((here, wanted), settings):
        for name in sorted({*before, *now}):
            if before.get(name) != now.get(name):
                yield f"{name}: {_told(before.get(name))} there, {_told(now.get(name))} asked for"


def _told(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return repr(", ".join(f"{each['name']} -> {each['anchor']}" for each in value))
    return "not set" if value is None else repr(value)
