"""Pictures to be scored that are references themselves: they say nothing of imitation, whatever their score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from copycat.errors import UserError
from copycat.imitation.generate.pictures import Generations
from copycat.imitation.score.embedders.ready import VectorTable, digests_of
from copycat.imitation.score.material import LEAKED
from copycat.imitation.score.references import Reference
from copycat.imitation.whose import listed

MAX_LEAKED = 0.05
"""Share of the pictures up to which those that are references are left out; above it the references are wrong."""


def leaked_pictures(
    generations: Generations, by_concept: Mapping[str, Sequence[Reference]]
) -> tuple[set[str], list[str]]:
    """Find the pictures that are references of any concept, byte for byte.

    Returns:
        Their sha256, and warnings.

    Raises:
        UserError: they are more than MAX_LEAKED of the pictures.
    """
    references = {each.sha256 for pictures in by_concept.values() for each in pictures}
    own = [row for row in generations.rows if row.status == "ok" and row.arm != "shuffled"]
    same = [row for row in own if row.sha256 in references]
    told = _told(len(same), len(own), [row.path or "" for row in same], "byte for byte")
    return {row.sha256 for row in same if row.sha256}, told


def without_leaked(table: VectorTable, references: VectorTable) -> tuple[VectorTable, list[str]]:
    """Give those vectors a reason that are vectors of references, number for number.

    Raises:
        UserError: they are more than MAX_LEAKED of the vectors.
    """
    known = set(digests_of(references.vectors[[n for n, why in enumerate(references.reason) if not why]]))
    first = np.asarray(references.vectors[:, 0], np.float32)
    # Hashing each of very many vectors would take long: those that begin otherwise are passed over.
    likely = [int(n) for n in np.flatnonzero(np.isin(np.asarray(table.vectors[:, 0], np.float32), first))]
    likely = [n for n in likely if not table.reason[n]]
    same = [n for n, digest in zip(likely, digests_of(table.vectors[likely]), strict=True) if digest in known]
    whole = sum(not why for why in table.reason)
    told = _told(len(same), whole, [f"row {n + 1} ('{table.concept[n]}')" for n in same], "number for number")
    reasons = list(table.reason)
    for n in same:
        reasons[n] = LEAKED
    return table._replace(reason=reasons), told


def _told(n: int, whole: int, names: Sequence[str], how: str) -> list[str]:
    if not n:
        return []
    what = f"{n:,} of {whole:,} pictures {'are references themselves' if n > 1 else 'is a reference itself'}, {how}"
    if n > MAX_LEAKED * whole:
        raise UserError(
            f"{what}: {listed(names)}\n"
            "  needed: references that are held out, which no model drew and nobody scores: --references FOLDER"
        )
    return [f"{what}, and {'are' if n > 1 else 'is'} left out: {listed(names)}"]
