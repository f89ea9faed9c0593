"""What is scored: pictures, or vectors of a user's own, by concept, arm and prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from copycat.imitation.generate.arms import derangement
from copycat.imitation.generate.pictures import Generation
from copycat.imitation.records import ARMS, Arm, Concept
from copycat.imitation.score.embedders.ready import VectorTable, rows_by
from copycat.imitation.score.embedding import Embeddings
from copycat.imitation.score.scoring import Floats
from copycat.imitation.whose import Whose, look_up

REJECTED, LEFT_OUT, LEAKED = "rejected by the embedder", "left out", "references themselves"
"""Why a picture has no score, beside the statuses of generations; the second: its concept has no references."""


class Cell(NamedTuple):
    """The pictures of one score: rows of vectors, and the numbers of those without one, by reason.

    `asked` is the concept whose name was in the prompt, where it was another's.
    """

    concept: str
    arm: Arm
    prompt: str
    rows: Sequence[int]
    missing: Mapping[str, int]
    asked: str | None = None


class Material(NamedTuple):
    """Everything that is scored."""

    vectors: Floats
    cells: Sequence[Cell]
    facts: Mapping[str, str]
    warnings: tuple[str, ...]


def cells_of(
    rows: Sequence[Generation], store: Embeddings, scored: Collection[str], leaked: Collection[str] = ()
) -> list[Cell]:
    """Group generations; those without a vector are counted by their status, or by what the embedder made of them.

    Args:
        leaked: sha256 of pictures that are references themselves, and get no score.
    """
    whose = {row.path: row.concept for row in rows if row.arm == "named" and row.path}
    found: dict[tuple[str, Arm, str], tuple[list[int], Counter[str], set[str]]] = {}
    for row in rows:
        places, missing, asked = found.setdefault((row.concept, row.arm, row.prompt), ([], Counter(), set()))
        place = store.row_of(row.sha256) if row.status == "ok" and row.sha256 else None
        if row.concept not in scored:
            missing[LEFT_OUT] += 1
        elif row.sha256 in leaked:
            missing[LEAKED] += 1
        elif place is not None:
            places.append(place)
        else:
            missing[_why_missing(row, store)] += 1
        if row.arm == "shuffled" and row.path in whose:
            asked.add(whose[row.path])
    return [
        Cell(concept, arm, prompt, places, missing, min(asked) if len(asked) == 1 else None)
        for (concept, arm, prompt), (places, missing, asked) in found.items()
    ]


def _why_missing(row: Generation, store: Embeddings) -> str:
    if row.status != "ok":
        return row.status
    return "damaged" if row.sha256 in store.unread else REJECTED


def renamed(table: VectorTable, concepts: Sequence[Concept]) -> tuple[VectorTable, Whose]:
    """Give the table with ids for names, '' for nobody's, and what became of the names."""
    whose = look_up(table.concept, concepts)
    return table._replace(concept=[whose.ids.get(name, "") for name in table.concept]), whose


def cells_of_table(table: VectorTable, scored: Collection[str]) -> list[Cell]:
    """Group the vectors; the arm "shuffled" is made of those of the arm "named" where the file has none."""
    cells = []
    for (concept, arm, prompt), rows in rows_by(table).items():
        if concept and concept not in scored:
            cells.append(Cell(concept, _arm(arm), prompt, (), {LEFT_OUT: len(rows)}))
        elif concept:
            there = [row for row in rows if not table.reason[row]]
            missing = Counter(table.reason[row] for row in rows if table.reason[row])
            cells.append(Cell(concept, _arm(arm), prompt, there, missing))
    named = [cell for cell in cells if cell.arm == "named"]
    if not any(cell.arm == "shuffled" for cell in cells):
        pairs = derangement(sorted({cell.concept for cell in named if cell.concept in scored}))
        of = {whose: concept for concept, whose in pairs.items()}
        cells += [c._replace(concept=of[c.concept], arm="shuffled", asked=c.concept) for c in named if c.concept in of]
    return cells


def _arm(name: str) -> Arm:
    return ARMS[ARMS.index(name)]  # type: ignore[arg-type]  # read_vectors has refused all others
