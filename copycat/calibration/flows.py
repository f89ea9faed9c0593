"""The three things that `python -m copycat.calibrate` does with labels: make a sheet, compare a run, compare a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from copycat.attacks import split_attacked
from copycat.calibration.cases import Labelled
from copycat.calibration.columns import Namesakes
from copycat.calibration.consensus import consensus_of, count_votes
from copycat.calibration.labelled_sets import OpenedSet
from copycat.calibration.labels import read_labels
from copycat.calibration.opened import OpenedRun
from copycat.calibration.report import About, CalibrationReport, build_report
from copycat.calibration.set_judging import Bench, Entry, judge_entries, read_entries
from copycat.catalog import characters_sha256, list_character_sets
from copycat.console import progress_bar
from copycat.errors import DataError, UnsupportedError, UserError
from copycat.judges import NO_JUDGE, Judge
from copycat.judges.families import build_judge, resolve_judge
from copycat.paths import shown
from copycat.runs.calibrations import CALIBRATIONS, calibration_path, read_calibration, write_calibration
from copycat.runs.environment import pick_device
from copycat.runs.folder import judge_stem
from copycat.schema import CharacterSet, CorrectionMethod, Judgement, RunSpec
from copycat.services.memory import AnswerMemory
from copycat.staging import ANSWERS

MAX_NAMED = 8


class Seat(NamedTuple):
    """A judge by name and revision; the judge itself, and the only character set it knows, where it is to look."""

    name: str
    revision: str
    judge: Judge | None = None
    knows: str | None = None


class Compared(NamedTuple):
    """What was found, the file that it was written to, and what was left out on the way."""

    report: CalibrationReport
    path: Path
    notes: tuple[str, ...] = ()


def seat_judge(name: str, references: str | None, device: str | None, out: Path) -> Seat:
    """Find a judge; loads no weights."""
    row = resolve_judge(name, references)
    judge = build_judge(row, pick_device(device), AnswerMemory(out / ANSWERS))
    return Seat(row.name, judge.revision(), judge, row.knows)


def compare_run(
    run: OpenedRun,
    tables: Sequence[Path],
    seat: Seat | None,
    out: Path,
    raters: Sequence[str] = (),
    *,
    method: CorrectionMethod = "rogan-gladen",
) -> Compared:
    """Compare a judge's verdicts on a run with labels, and write the calibration.

    Args:
        tables: CSV files of labels.
        seat: the judge; None: the one that the run names.
        raters: whose labels count; nobody named: everybody's.
        method: how the rates of this run are to be corrected.

    Raises:
        DataError: every fault of the labels.
        UserError: nobody has judged these pictures yet; no label is filled in.
    """
    labels = read_labels(tables, run, raters)
    if not labels:
        whose = f" by {' or '.join(raters)}" if raters else ""
        raise UserError(
            f"no label is filled in{whose}: {', '.join(shown(path) for path in tables)}\n"
            f"  open {shown(run.folder.path / 'labels' / 'label.html')} in a browser, or write yes, no or unsure "
            "into the column 'label'"
        )
    spec = run.run.spec
    seat = seat or Seat(spec.judge, spec.judge_revision)
    verdicts = _verdicts_of(run, seat)
    people = {character.id: character for character in run.characters.characters}
    labelled = [
        Labelled(key, sample.sha256 or "", people[sample.character], sample.anchor, consensus)
        for key, consensus in consensus_of(labels).items()
        for sample in [run.pictures[key]]
    ]
    n_people = len({label.rater for label in labels})
    source = (
        f"{len(labelled)} pictures of {run.run.id}, labelled by {n_people} {'people' if n_people > 1 else 'person'}"
    )
    return _compared(seat, _Material(source, run.characters, labelled, verdicts), out, method)


def compare_set(opened: OpenedSet, seat: Seat, characters: CharacterSet, out: Path, limit: int | None) -> Compared:
    """Have a judge look at labelled pictures, and write the calibration; a second call judges nothing again.

    Raises:
        DataError: labels or pictures cannot be read; no row is of a known character.
        UserError: no picture can be judged; every verdict that was given is kept.
    """
    judge = seat.judge
    assert judge is not None  # noqa: S101  # built by seat_judge
    if seat.knows not in (None, characters.id):
        raise UnsupportedError(
            f"judge '{seat.name}' knows only character set '{seat.knows}', not '{characters.id}'\n"
            "  see all: python -m copycat.eval --list judges"
        )
    if (check := getattr(judge, "check", None)) is not None:
        check(characters)
    namesakes = Namesakes(characters)
    stem = f"{judge_stem(seat.name, seat.revision)}+{characters.id}-{characters_sha256(characters)[:8]}"
    bench = Bench(judge, characters, out / CALIBRATIONS / f"{stem}.jsonl")
    labelled: dict[str, Labelled] = {}
    verdicts: dict[str, Judgement] = {}
    total = min(opened.n_rows, limit or opened.n_rows)
    with progress_bar(f"judge {opened.source}", total) as advance:
        chunks = _limited(read_entries(opened, characters, namesakes), limit)
        for one, judgement in judge_entries(chunks, bench, advance):
            labelled[one.key] = _merged(labelled.get(one.key), one)
            verdicts[one.key] = judgement
    _require_rows(opened, labelled, namesakes, characters)
    found = _compared(seat, _Material(opened.source, characters, list(labelled.values()), verdicts), out)
    return found._replace(notes=(*_unknown(namesakes, characters), *found.notes))


class _Material(NamedTuple):
    """What people say, what the judge says, and where the pictures come from."""

    source: str
    characters: CharacterSet
    labelled: Sequence[Labelled]
    verdicts: Mapping[str, Judgement]


def _compared(seat: Seat, material: _Material, out: Path, method: CorrectionMethod = "rogan-gladen") -> Compared:
    source, characters, labelled, verdicts = material
    about = About(judge=seat.name, judge_revision=seat.revision, source=source, method=method)
    report = build_report(about, characters, labelled, verdicts)
    path = calibration_path(out, seat.name, seat.revision, characters.id)
    before = read_calibration(path)
    notes = []
    if before is not None and before.labels_sha256 != report.calibration.labels_sha256:
        kept = path.with_suffix(".before.json")
        write_calibration(kept, before)
        notes.append(
            f"it replaces the calibration with {before.n_labels} labels, {before.source}; that is kept in {shown(kept)}"
        )
    write_calibration(path, report.calibration)
    return Compared(report, path, tuple(notes))


def _verdicts_of(run: OpenedRun, seat: Seat) -> dict[str, Judgement]:
    spec = run.run.spec.model_copy(update={"judge": seat.name, "judge_revision": seat.revision})
    judgements = run.folder.read_judgements(spec) if seat.name != NO_JUDGE else []
    if not judgements:
        place = shown(run.folder.path)
        is_nobody = seat.name == NO_JUDGE
        raise UserError(
            (
                f"nobody has judged {place} yet\n"
                if is_nobody
                else f"judge '{seat.name}' (revision {seat.revision[:8]}) has not judged {place} yet\n"
            )
            + f"  judge it, no picture is drawn again: {eval_command(run.run.spec, run.folder.path.parent)} "
            f"--judge {'NAME' if is_nobody else seat.name}\n"
            "  with every further option that the run was made with"
        )
    return {judgement.key: judgement for judgement in judgements if judgement.is_answered}


def eval_command(spec: RunSpec, out: Path) -> str:
    """Say how a run was made, but for its judge and settings of sampling."""
    parts = [f"python -m copycat.eval --model {spec.model}"]
    mitigation, attack = split_attacked(spec.mitigation)
    parts += [f"--mitigation {mitigation}"] if mitigation != "none" else []
    parts += [f"--attack {attack}"] if attack is not None else []
    characters = spec.characters if spec.characters in list_character_sets() else "FILE"
    parts += [f"--characters {characters}", f"--anchors {','.join(spec.anchors)}", f"--seeds {spec.seeds}"]
    parts += [f"--limit {spec.limit}"] if spec.limit else []
    parts += [f"--out {shown(out)}"]
    return " ".join(parts)


def _limited(chunks: Iterable[list[Entry]], limit: int | None) -> Iterator[list[Entry]]:
    """Give at most so many entries, in the chunks that they come in."""
    left = limit
    for chunk in chunks:
        yield chunk if left is None else list(islice(chunk, left))
        left = None if left is None else left - len(chunk)
        if left is not None and left <= 0:
            return


def _merged(first: Labelled | None, second: Labelled) -> Labelled:
    """Put the votes of two rows on one picture together."""
    if first is None:
        return second
    votes = [*first.consensus.opinions.values(), *second.consensus.opinions.values()]
    return second._replace(consensus=count_votes(votes))


def _require_rows(
    opened: OpenedSet, labelled: Mapping[str, Labelled], namesakes: Namesakes, characters: CharacterSet
) -> None:
    if labelled:
        return
    raise DataError(
        [f"{opened.source}: no row has a label and a character of '{characters.id}'", *_unknown(namesakes, characters)],
        f"  needed: names, aliases or ids in the column '{opened.columns.character}'\n"
        "  another column: --columns character=..; other characters: --characters SET|FILE",
    )


def _unknown(namesakes: Namesakes, characters: CharacterSet) -> list[str]:
    unknown = sorted(namesakes.unknown.items(), key=lambda item: (-item[1], item[0]))
    if not unknown:
        return []
    named = ", ".join(f"{name or '(empty)'} ({count})" for name, count in unknown[:MAX_NAMED])
    more = f", and {len(unknown) - MAX_NAMED} more" if len(unknown) > MAX_NAMED else ""
    total = sum(count for _, count in unknown)
    return [f"left out, {total} rows: not among the characters of '{characters.id}': {named}{more}"]
