"""Which column of a labelled data set holds what, and what its cells mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from copycat.calibration.labels import ANSWERS
from copycat.errors import DataError, UserError
from copycat.names import NameMatcher, fold
from copycat.schema import CharacterSet

USUAL = {
    "image": (
        "image", "picture", "img", "photo", "image_bytes", "bytes", "jpg", "png", "file_name", "filename", "file",
        "image_path", "path",
    ),
    "character": (
        "character", "character_name", "character_id", "target", "target_character", "char", "name", "subject",
        "entity", "ip",
    ),
    "label": (
        "label", "human_label", "majority", "majority_vote", "majority_label", "is_character", "shows_character",
        "detected", "answer", "human", "truth", "ground_truth", "yes_votes", "votes_yes", "annotations", "annotation",
        "human_votes", "votes", "labels",
    ),
    "votes": ("n_votes", "num_votes", "total_votes", "votes_total", "n_annotators", "num_annotators"),
}  # fmt: skip
"""Names that people give such columns, likeliest first. 'votes' is how many voted, where 'label' counts the yes."""

NEEDED = ("image", "character", "label")


class Columns(NamedTuple):
    """The names of the columns; `votes` is null unless the label column counts votes for yes."""

    image: str
    character: str
    label: str
    votes: str | None = None


def parse_columns(text: str | None) -> dict[str, str]:
    """Read 'image=picture,label=human' into a mapping.

    Raises:
        UserError: it has another form.
    """
    asked: dict[str, str] = {}
    for part in (text or "").split(",") if text else ():
        role, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or role not in USUAL or not name:
            raise UserError(
                f"--columns '{text}' has the wrong form\n"
                "  needed: image=..,character=..,label=.. (and votes=.., where label counts the votes for yes)"
            )
        asked[role] = name
    return asked


def choose_columns(there: Sequence[str], asked: Mapping[str, str], source: str) -> Columns:
    """Find the columns: those asked for, else the likeliest of the usual names.

    Raises:
        DataError: one cannot be found; the columns that exist are in the text, and how to name them.
    """
    lower = {name.lower(): name for name in reversed(there)}
    found: dict[str, str] = {}
    faults = [f"{source}: has no column '{name}'" for name in asked.values() if name not in there]
    for role, usual in USUAL.items():
        taken = set(found.values()) | set(asked.values())
        guess = next((lower[name] for name in usual if name in lower and lower[name] not in taken), None)
        if role in asked:
            found |= {role: asked[role]} if asked[role] in there else {}
        elif guess is not None:
            found[role] = guess
        elif role in NEEDED:
            faults.append(f"{source}: none of its columns is plainly the {role}")
    if faults:
        options = ",".join(f"{role}={found.get(role, '...')}" for role in NEEDED)
        raise DataError(faults, f"  it has: {', '.join(there)}\n  say which is which: --columns {options}")
    return Columns(**found)


def read_label(value: Any, n_votes: Any = None, names: Sequence[str] | None = None) -> tuple[int, int] | None:
    """Read what a label cell means, as votes for yes and for no; None if it is empty.

    Understood are yes and no, true and false, 1 and 0, a share of yes in [0, 1], '3/5', a list of those, and, with
    `n_votes`, a number of votes for yes.

    Args:
        value: the cell.
        n_votes: how many voted, where `value` counts those for yes.
        names: what the numbers 0, 1, ... stand for, where the data set says so.

    Raises:
        ValueError: it is none of these.
    """
    if _is_empty(value):
        return None
    if n_votes is not None:
        return _counted(value, n_votes)
    if isinstance(value, list | tuple):
        given = [vote for one in value if (vote := read_label(one, names=names)) is not None]
        return (sum(yes for yes, _ in given), sum(no for _, no in given)) if given else None
    if isinstance(value, int) and not isinstance(value, bool) and names:
        return _word(names[value])
    return _number(float(value)) if isinstance(value, bool | int | float) else _word(str(value))


def _word(text: str) -> tuple[int, int]:
    yes, slash, total = (part.strip() for part in text.partition("/"))
    if slash and yes.isdecimal() and total.isdecimal():
        return _counted(yes, total)
    said = ANSWERS.get(text.strip().lower())
    if said is None:
        raise ValueError(f"'{text[:40]}' is no label")
    return {"yes": (1, 0), "no": (0, 1)}.get(said, (0, 0))


def _number(value: float) -> tuple[int, int]:
    if not 0 <= value <= 1:
        raise ValueError(f"{value:g} is no label; where it counts votes for yes, name the column of all: votes=..")
    return (0, 0) if value == 0.5 else (1, 0) if value > 0.5 else (0, 1)


def _counted(yes: Any, total: Any) -> tuple[int, int]:
    try:
        n_yes, n_all = int(yes), int(total)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{yes!r} of {total!r} are no votes") from error
    if not 0 <= n_yes <= n_all:
        raise ValueError(f"{n_yes} of {n_all} are no votes")
    return n_yes, n_all - n_yes


def _is_empty(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


class Namesakes:
    """Finds out which character of a set a cell means: an id, a name, an alias, or a text that names just one."""

    def __init__(self, characters: CharacterSet) -> None:
        people = characters.characters
        self._exact = {fold(text): c.id for c in reversed(people) for text in (*c.aliases, c.name, c.id)}
        self._matcher = NameMatcher(people)
        self.unknown: dict[str, int] = {}

    def find(self, value: object) -> str | None:
        """Give the id, or None; who is not known is counted in `unknown`."""
        text = str(value or "").strip()
        named: Iterable[str] = self._matcher.named_in(text)
        found = self._exact.get(fold(text)) or (next(iter(named)) if len(list(named)) == 1 else None)
        if found is None:
            self.unknown[text] = self.unknown.get(text, 0) + 1
        return found
