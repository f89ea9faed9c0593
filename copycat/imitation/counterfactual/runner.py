"""Train and score every world of a plan: resumable, by one process or several on one folder."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from copycat.console import err
from copycat.errors import ResumeMismatchError
from copycat.imitation.counterfactual.plan import Setting, World
from copycat.imitation.counterfactual.scoring import Dose, Examiner
from copycat.imitation.tables import read_table, write_table
from copycat.paths import shown
from copycat.runs.folder import write_bytes, write_json

if TYPE_CHECKING:
    from copycat.imitation.counterfactual.training import Studio

SETTING, DOSES, WORLDS = "setting.json", "doses.csv", "worlds"


def run_worlds(setting: Setting, worlds: Sequence[World], folder: Path, device: str, most: int | None = None) -> None:
    """Train and score the worlds that are not finished, in order; at most `most` of them.

    A second process on the same folder takes the worlds that no other works on. A world that was broken off goes on
    from its checkpoint.

    Raises:
        ResumeMismatchError: the folder holds worlds of another setting.
    """
    _require_same(setting, folder)
    with _one_thread():
        _run_all(setting, worlds, folder, device, most)


def _run_all(setting: Setting, worlds: Sequence[World], folder: Path, device: str, most: int | None) -> None:
    from copycat.imitation.counterfactual.training import open_studio

    if any(not _result(folder, world).exists() for world in worlds):
        with _claimed(folder / "latents.lock", wait=True):
            studio = open_studio(setting, folder, device)
        examiner = Examiner(setting, device)
        done = 0
        for number, world in enumerate(worlds, start=1):
            if done == most:
                break
            with _claimed(folder / WORLDS / f"{world.id}.lock") as is_mine:
                if is_mine and not _result(folder, world).exists():
                    err.print(f"world {number} of {len(worlds)}: {world.id}", markup=False)
                    _run_one(world, folder, studio, examiner)
                    done += 1


def gather_doses(worlds: Sequence[World], folder: Path) -> list[Dose]:
    """Read the finished worlds in the order of the plan, and write them as one table, doses.csv."""
    key = ("world", "character")
    finished = [path for world in worlds if (path := _result(folder, world)).exists()]
    doses = [dose for path in finished for dose in read_table(path, Dose, key)]
    if doses:
        write_table(folder / DOSES, doses, Dose)
    return doses


def _run_one(world: World, folder: Path, studio: Studio, examiner: Examiner) -> None:
    from safetensors.torch import save

    from copycat.imitation.counterfactual.training import train
    from copycat.sandbox.train.progress import training_progress

    checkpoint = folder / WORLDS / f"{world.id}.checkpoint.safetensors"
    start = time.monotonic()
    model = train(world, studio, checkpoint, training_progress(world.id, studio.setting.steps))
    doses = examiner.score(model, world, studio, time.monotonic() - start)
    state = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    write_bytes(folder / WORLDS / f"{world.id}.safetensors", save(state))
    write_table(_result(folder, world), doses, Dose)
    checkpoint.unlink()


def _result(folder: Path, world: World) -> Path:
    return folder / WORLDS / f"{world.id}.csv"


def _require_same(setting: Setting, folder: Path) -> None:
    path = folder / SETTING
    if not path.exists():
        write_json(path, setting.model_dump(mode="json"))
    elif _training_part(Setting.model_validate_json(path.read_text(encoding="utf-8"))) != _training_part(setting):
        raise ResumeMismatchError(
            f"{shown(folder)} holds worlds of another setting, see {SETTING} there\n"
            "  use another --out folder, or the setting it was begun with"
        )


def _training_part(setting: Setting) -> dict[str, object]:
    """Give what one world depends on; more worlds may be asked for later."""
    return setting.model_dump(exclude={"name", "worlds", "series"})


@contextmanager
def _claimed(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a lock that ends with the process; yields whether it could be had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute on one thread: sums in another order give other figures, and worlds come from several machines."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
