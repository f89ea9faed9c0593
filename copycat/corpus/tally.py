"""What was counted in a part of a corpus; parts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

Pair = tuple[str, str]


@dataclass(slots=True)
class Tally:
    """Rows, and documents by what they hold.

    The keys of `aliases`, `cased` and `lower` are (character id, alias), those of `together` (character id, phrase).
    `cased` counts, for names of one word, the documents with capitals elsewhere; `lower` those of them in which the
    name has none. `fresh` holds the hashes of texts that were not seen before, where duplicates are left out.
    Where rows are kept, `sole` counts documents that name a character by this alias alone, and `named` holds arrays of
    `named_rows.ROW`.
    """

    rows: int = 0
    empty: int = 0
    undecodable: int = 0
    duplicates: int = 0
    names: Counter[str] = field(default_factory=Counter)
    phrases: Counter[str] = field(default_factory=Counter)
    aliases: Counter[Pair] = field(default_factory=Counter)
    together: Counter[Pair] = field(default_factory=Counter)
    cased: Counter[Pair] = field(default_factory=Counter)
    lower: Counter[Pair] = field(default_factory=Counter)
    sole: Counter[Pair] = field(default_factory=Counter)
    fresh: list[Any] = field(default_factory=list)
    named: list[Any] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what `other` counted, too."""
        self.rows += other.rows
        self.empty += other.empty
        self.undecodable += other.undecodable
        self.duplicates += other.duplicates
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.fresh += other.fresh
        self.named += other.named

    def nested(self, name: str, ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """Give the counts of pairs as character id -> the other -> documents, in alphabetical order."""
        whole: dict[str, dict[str, int]] = {who: {} for who in ids}
        for (who, other), n in sorted(getattr(self, name).items()):
            whole[who][other] = n
        return whole

    def as_json(self) -> dict[str, Any]:
        """Give everything but the arrays of `fresh` and `named`, for a file."""
        numbers = {name: getattr(self, name) for name in NUMBERS}
        return numbers | {name: [[key, n] for key, n in getattr(self, name).items()] for name in COUNTERS}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Tally:
        """Read what `as_json` gave."""
        tally = cls(**{name: found[name] for name in NUMBERS})
        for name in COUNTERS:
            getattr(tally, name).update({tuple(key) if isinstance(key, list) else key: n for key, n in found[name]})
        return tally


NUMBERS = ("rows", "empty", "undecodable", "duplicates")
COUNTERS = tuple(each.name for each in fields(Tally) if each.name not in (*NUMBERS, "fresh", "named"))
