"""What tables on erased concepts leave unsaid: why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from copycat.catalog import read_character_set
from copycat.console import out
from copycat.eval import Outcome
from copycat.names import fold


def notes_on_strangers(outcomes: Sequence[Outcome], characters: str | None) -> list[str]:
    """Say of each erasure that shares no concept with the character set why no table is on what was erased.

    Args:
        characters: as typed; None for the set of each run.
    """
    notes: dict[str, None] = {}
    for set_name, group in groupby(outcomes, key=lambda outcome: characters or outcome.result.characters):
        found = read_character_set(set_name)
        known = {fold(who.name) for who in found.characters}
        for one in group:
            erasure = next((row.sample.erasure for row in one.rows.rows if row.sample.erasure is not None), None)
            if erasure is not None and not any(fold(name) in known for name in erasure.concepts):
                notes[_note(erasure.method, erasure.concepts, found.id)] = None
    return list(notes)


def print_notes(notes: Sequence[str]) -> None:
    """Print them below the tables."""
    for note in notes:
        out.print(note, markup=False, highlight=False, soft_wrap=True)


def _note(method: str, concepts: Sequence[str], characters: str) -> str:
    erased = ", ".join(f"'{concept}'" for concept in concepts)
    stranger = "is no character" if len(concepts) == 1 else "are no characters"
    return (
        f"no table on what {method} erased: {erased} {stranger} of '{characters}', and no judge looks for such; "
        "another set: --characters SET|FILE"
    )
