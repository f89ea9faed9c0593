"""One cell of a matrix: erase, search for attacks, draw, judge, compare. What is finished is not made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from copycat.erasure.concepts import other_names
from copycat.erasure.eraser import Concept
from copycat.erasure.settings import CORRECTED
from copycat.erasure.training import Order as ErasureOrder
from copycat.erasure.training import frozen_dtype, run_erasure
from copycat.errors import ResumeMismatchError
from copycat.eval import Outcome, evaluate
from copycat.measures import Setting, resolve_measure
from copycat.metrics import Outcomes, join_outcomes
from copycat.models.erased import PREFIX
from copycat.models.resolve import resolve_model
from copycat.paths import shown
from copycat.robustness.generic import Moved, moved_between
from copycat.robustness.matrix import Drawn
from copycat.robustness.order import Basis, CellName, Settled, asked_of, attacks_of, folder_of, is_searched
from copycat.robustness.records import ORIGINAL, CellRecord, Searched
from copycat.robustness.searching import search
from copycat.runs.environment import pick_device
from copycat.runs.folder import RunFolder, write_json
from copycat.schema import ErasureCard
from copycat.staging import Job

RUNS = "runs"


class Around(NamedTuple):
    """What all cells share: ids of the characters on whom retention is measured, and the original model's runs.

    `generic` is the name of its run on benign prompts.
    """

    others: tuple[str, ...]
    generic: str
    basis: Basis


def make_cell(settled: Settled, cell: CellName, around: Around) -> CellRecord:
    """Make a cell, or find it finished.

    Raises:
        UserError: whatever the user must fix; nothing finished is lost.
    """
    if (found := read_cell(settled, cell, around)) is not None:
        return found
    card: ErasureCard | None = None
    searched: dict[str, Searched] = {}
    base, texts = settled.order.base, list[str]()
    erasure = folder_of(base.out, "erasures", cell.text)
    if cell.method != ORIGINAL:
        card = erase(settled, cell, erasure)
    for attack in attacks_of(settled, cell)[1:]:
        if is_searched(attack):
            place = folder_of(base.out, "attacks", f"{cell.text}-{attack}")
            with _of_one_matrix(place):
                searched[attack] = search(settled, cell, attack, erasure, place)
            texts.append(str(place.resolve()))
        else:
            texts.append(attack)
    drawn = draw_concept(settled, cell, erasure, texts)
    record = CellRecord(
        concept=cell.concept,
        method=cell.method,
        seed=cell.seed,
        asked=asked_of(settled, cell, around.others, around.basis),
        card=card,
        runs={attack: one.folder.name for attack, one in zip(attacks_of(settled, cell), drawn, strict=True)},
        searched=searched,
    )
    if cell.method != ORIGINAL:
        record = _with_others(settled, cell, around, erasure, record)
    write_json(_path(settled, cell), record.model_dump(mode="json"))
    return record


def read_cell(settled: Settled, cell: CellName, around: Around) -> CellRecord | None:
    """Read a cell that is finished; None where it is not, or was made of another order, or its runs are gone."""
    try:
        record = CellRecord.model_validate_json(_path(settled, cell).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
    wanted = json.loads(json.dumps(asked_of(settled, cell, around.others, around.basis)))
    names = [*record.runs.values(), record.others, record.generic]
    are_there = all((settled.order.base.out / RUNS / name / "run.json").exists() for name in names if name)
    return record if record.asked == wanted and are_there else None


def read_drawn(settled: Settled, record: CellRecord) -> Drawn:
    """Read what the pictures of a finished cell showed."""
    runs = settled.order.base.out / RUNS
    found = {attack: outcomes_of(runs / name) for attack, name in record.runs.items()}
    if record.others is None:
        return Drawn(record, found)
    return Drawn(record, found, outcomes_of(runs / record.others))


def outcomes_of(folder: Path) -> Outcomes:
    """Join the samples of a run with its judgements."""
    run = RunFolder(folder)
    return join_outcomes(run.read_samples(), run.read_judgements(run.read_run().spec))


def erase(settled: Settled, cell: CellName, folder: Path) -> ErasureCard:
    """Erase a concept by a cell's method and training seed, or find that done."""
    with _of_one_matrix(folder):
        return run_erasure(erasure_order(settled, cell), folder)


def erasure_order(settled: Settled, cell: CellName) -> ErasureOrder:
    """Say what a cell erases, and how."""
    base, character = settled.order.base, settled.character(cell.concept)
    method, _, preset = cell.method.partition(":")
    concept = Concept(name=character.name, anchor=character.key_characteristic)
    device, drawn_in = pick_device(base.device), base.sampling.get("dtype")
    return ErasureOrder(
        row=resolve_model(settled.model, base.revision),
        method=method,
        concepts=(concept,),
        preset=preset or CORRECTED,
        others=other_names((concept,), settled.characters),
        seed=cell.seed,
        device=device,
        dtype=frozen_dtype(None if drawn_in == "float16" else drawn_in, device),
    )


@contextmanager
def _of_one_matrix(folder: Path) -> Iterator[None]:
    """Say of a folder with other settings what to do about it in a matrix."""
    try:
        yield
    except ResumeMismatchError as error:
        told = "\n".join(line for line in str(error).splitlines() if "--fresh" not in line and "--out" not in line)
        raise ResumeMismatchError(
            f"{told}\n  a matrix does not mix them: use another --out, or delete {shown(folder)}"
        ) from error


def draw_concept(settled: Settled, cell: CellName, erasure: Path, attacks: Sequence[str]) -> list[Outcome]:
    """Draw the concept's prompts without an attack, and under each."""
    job = job_of(settled, cell, erasure).model_copy(update={"only": (cell.concept,), "attacks": tuple(attacks)})
    return evaluate(job, lambda label: label.startswith(PREFIX) == (cell.method != ORIGINAL))


def job_of(settled: Settled, cell: CellName | None, erasure: Path | None) -> Job:
    """Give the job of a cell, or of the original weights."""
    base = settled.order.base
    erased = (erasure,) if cell is not None and cell.method != ORIGINAL and erasure is not None else ()
    return base.model_copy(update={"out": base.out / RUNS, "erased": erased, "mitigations": (), "fresh": False})


def _with_others(settled: Settled, cell: CellName, around: Around, erasure: Path, record: CellRecord) -> CellRecord:
    """Draw the other characters by name, and prompts that are after nobody."""
    others = tuple(who for who in around.others if who != cell.concept)
    changes = {"only": others, "anchors": ("name",), "benign": True, "attacks": ()}
    job = job_of(settled, cell, erasure).model_copy(update=changes)
    outcomes = evaluate(job, lambda label: label.startswith(PREFIX))
    names = next(one for one in outcomes if not one.is_benign)
    generic = next(one for one in outcomes if one.is_benign)
    moved: tuple[Moved, ...] = moved_between(
        RunFolder(job.out / around.generic), RunFolder(generic.folder), encoder_setting(settled)
    )
    return record.model_copy(update={"others": names.folder.name, "generic": generic.folder.name, "moved": moved})


def encoder_setting(settled: Settled) -> Setting:
    """Say which picture encoder compares generic pictures: the one of the measures of a run."""
    return Setting(resolve_measure("diversity"), pick_device(settled.order.base.device), settled.characters)


def _path(settled: Settled, cell: CellName) -> Path:
    return folder_of(settled.order.base.out, "cells", f"{cell.text}.json")
