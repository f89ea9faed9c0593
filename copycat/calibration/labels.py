"""labels.csv: what people said of pictures of a run. Read strictly, all faults at once.

    key,image,character,label,rater,anyone,sha256
    22905e4ad7c47f9c1c42,../images/22905e4ad7c47f9c1c42.png,Miniko,yes,ann,,d60307f9...

`key` and `label` are needed. `label` answers "does it show the character?": yes, no or unsure, empty where nobody
has looked yet; `anyone` may say whether another character is shown.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from copycat.calibration.opened import OpenedRun
from copycat.errors import DataError, first_faults
from copycat.names import fold
from copycat.paths import shown

COLUMNS = ("key", "image", "character", "label", "rater", "anyone", "sha256")
NEEDED = ("key", "label")
SEPARATORS = ",;\t"
FIX = "  correct these lines, or leave the label empty where nobody knows; needed: yes, no or unsure"

Said = Literal["yes", "no", "unsure"]
ANSWERS: dict[str, Said] = {
    **dict.fromkeys(("yes", "y", "1", "true"), "yes"),
    **dict.fromkeys(("no", "n", "0", "false"), "no"),
    **dict.fromkeys(("unsure", "u", "?"), "unsure"),
}


class Table(NamedTuple):
    """A CSV file as it is: its separator, its columns, and each line with its number."""

    separator: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


class Label(NamedTuple):
    """What one person said of one picture; `anyone` is whether another character is shown, null if not said."""

    key: str
    rater: str
    said: Said
    anyone: bool | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    where: str
    cells: dict[str, str]

    def cell(self, column: str) -> str:
        return self.cells.get(column, "").strip()


def read_labels(paths: Sequence[Path], run: OpenedRun, raters: Sequence[str] = ()) -> tuple[Label, ...]:
    """Read the labels that are filled in, of one file or of several.

    Who says nothing of the rater is called by the name of the file.

    Args:
        run: the one whose pictures are labelled.
        raters: only what these people said; nobody named: everybody.

    Raises:
        DataError: every fault of every file: what cannot be read, missing columns, keys that the run does not
            have, words that are no label, pictures that have changed since, one person with two opinions.
    """
    faults: list[str] = []
    labels: dict[tuple[str, str], tuple[Label, str]] = {}
    names = _names_of(run)
    for path in paths:
        for line in _lines_of(path, faults):
            label = _label_of(line, path.stem, run, names, faults)
            if label is None or (raters and label.rater not in raters):
                continue
            first, where = labels.setdefault((label.key, label.rater), (label, line.where))
            if first != label:
                faults.append(f"{line.where}: '{label.rater}' said '{first.said}' of this picture in {where}")
    faults += _changed_files({key for key, _ in labels}, run)
    if faults:
        raise DataError(first_faults(faults), FIX)
    return tuple(label for label, _ in labels.values())


def read_table(path: Path) -> Table:
    """Read a CSV file as it is: UTF-8 with or without a byte-order mark, separated by comma, semicolon or tab.

    Raises:
        DataError: it is not there, is no text, or lacks a needed column.
    """
    text = _text_of(path)
    separator = _separator(text)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restval="", restkey="")
    columns = tuple((name or "").strip() for name in reader.fieldnames or ())
    reader.fieldnames = list(columns)
    if missing := [name for name in NEEDED if name not in columns]:
        raise DataError(
            [f"{shown(path)}:1: lacks the column{'s' if len(missing) > 1 else ''} {' and '.join(missing)}"],
            f"  needed: a first line with the names {', '.join(COLUMNS)}",
        )
    return Table(separator, columns, tuple((reader.line_num, row) for row in reader))


def separator_of(path: Path) -> str:
    """Say what separates the cells of a CSV file: the commonest of comma, semicolon and tab in its first line."""
    return _separator(_text_of(path))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(
            [f"{shown(path)}: cannot be read ({error.strerror})"], "  make it: python -m copycat.calibrate RUN"
        ) from error
    except UnicodeDecodeError as error:
        raise DataError([f"{shown(path)}: is not UTF-8 text"], "  save it as 'CSV UTF-8'") from error


def _separator(text: str) -> str:
    return max(SEPARATORS, key=text.partition("\n")[0].count)


def changed_pictures(path: Path, table: Table, run: OpenedRun) -> list[str]:
    """Name the lines that were labelled on another picture than the run holds now."""
    lines = (_Line(f"{shown(path)}:{number}", row) for number, row in table.rows)
    return [fault for line in lines if line.cell("label") and (fault := _changed(line, run))]


def _lines_of(path: Path, faults: list[str]) -> Iterator[_Line]:
    try:
        table = read_table(path)
    except DataError as error:
        faults += str(error).splitlines()
        return
    yield from (_Line(f"{shown(path)}:{number}", row) for number, row in table.rows)


def _label_of(
    line: _Line, default_rater: str, run: OpenedRun, names: Mapping[str, set[str]], faults: list[str]
) -> Label | None:
    """Read one line; None if it is not filled in, or wrong."""
    key, word = line.cell("key"), line.cell("label")
    if not word:
        return None
    said, anyone = ANSWERS.get(word.lower()), line.cell("anyone").lower()
    found = [
        f"'{word}' is no label; needed: yes, no or unsure" if said is None else "",
        f"'{anyone}' under 'anyone' is neither yes nor no" if anyone and anyone not in ANSWERS else "",
    ]
    if key not in run.pictures:
        found.append(f"the run has no picture with the key '{key}'")
    else:
        character = line.cell("character")
        is_other = bool(character) and fold(character) not in names[run.pictures[key].character]
        found.append(f"this picture was asked for another character than '{character}'" if is_other else "")
        faults += [fault for fault in [_changed(line, run)] if fault]
    faults += [f"{line.where}: {fault}" for fault in found if fault]
    if any(found) or said is None:
        return None
    other = {"yes": True, "no": False}.get(ANSWERS.get(anyone, ""))
    return Label(key, line.cell("rater") or default_rater, said, other)


def _changed(line: _Line, run: OpenedRun) -> str | None:
    """Say that the picture is another one than was labelled."""
    sample, sha256 = run.pictures.get(line.cell("key")), line.cell("sha256").lower()
    if sample is None or not sha256 or sample.sha256 == sha256:
        return None
    return f"{line.where}: the picture was made anew since it was labelled; delete this line and label it again"


def _changed_files(keys: Iterable[str], run: OpenedRun) -> list[str]:
    broken = [key for key in sorted(keys) if run.folder.read_image(run.pictures[key]) is None]
    return [f"{shown(run.folder.path / (run.pictures[key].image or ''))}: is missing or was changed" for key in broken]


def _names_of(run: OpenedRun) -> dict[str, set[str]]:
    return {c.id: {fold(text) for text in (c.id, c.name, *c.aliases)} for c in run.characters.characters}
