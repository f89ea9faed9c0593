"""A text as pieces: marked, plain, and folded away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from copycat.fairuse.compare.marks import Mark, Place
from copycat.fairuse.text import words_of

FOLD_LETTERS = 2_400
"""A longer stretch that is not shared is folded away, but for `LEFT_LETTERS` at each end."""

LEFT_LETTERS = 600


class Part(NamedTuple):
    """Letters of a mark; `exact` if they are the same in the other text."""

    text: str
    exact: bool


class Piece(NamedTuple):
    """A stretch of one text: `kind` is "plain", "folded" or "mark".

    `also` holds the numbers of further marks that begin here and are covered by this one, as where a passage of the
    reference was quoted twice.
    """

    kind: str
    text: str
    mark: Mark | None = None
    parts: tuple[Part, ...] = ()
    also: tuple[int, ...] = ()

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(words_of(self.text))


@dataclass(frozen=True)
class SideBySide:
    """Two texts, laid out; nothing of them is left out."""

    marks: tuple[Mark, ...]
    output: tuple[Piece, ...]
    reference: tuple[Piece, ...]


def lay_out(output: str, reference: str, marks: Sequence[Mark], *, fold: int = FOLD_LETTERS) -> SideBySide:
    """Cut two texts into pieces. Pieces of a side, put together, are its text."""
    return SideBySide(
        tuple(marks),
        tuple(_side(output, [(mark, mark.output, mark.exact_output) for mark in marks], fold)),
        tuple(_side(reference, [(mark, mark.reference, mark.exact_reference) for mark in marks], fold)),
    )


_Placed = tuple[Mark, Place, tuple[Place, ...]]


def _side(text: str, placed: Sequence[_Placed], fold: int) -> Iterator[Piece]:
    place = 0
    for mark, start, end, exact, also in _disjoint(placed):
        yield from _plain(text, place, start, fold)
        yield Piece("mark", text[start:end], mark, tuple(_parts(text, start, end, exact)), also)
        place = end
    yield from _plain(text, place, len(text), fold)


class _Kept(NamedTuple):
    mark: Mark
    start: int
    end: int
    exact: tuple[Place, ...]
    also: tuple[int, ...] = ()


def _disjoint(placed: Sequence[_Placed]) -> list[_Kept]:
    """Cut off what an earlier mark covers already; a mark that is covered wholly is noted at the one that covers it."""
    kept: list[_Kept] = []
    for mark, (start, end), exact in sorted(placed, key=lambda one: (one[1][0], -one[1][1])):
        free = max(start, kept[-1].end) if kept else start
        if free < end:
            kept.append(_Kept(mark, free, end, exact))
        elif kept:
            kept[-1] = kept[-1]._replace(also=(*kept[-1].also, mark.number))
    return kept


def _parts(text: str, start: int, end: int, exact: Sequence[Place]) -> Iterator[Part]:
    place = start
    for exact_start, exact_end in exact:
        first, last = max(exact_start, place), min(exact_end, end)
        if first >= last:
            continue
        if place < first:
            yield Part(text[place:first], False)
        yield Part(text[first:last], True)
        place = last
    if place < end:
        yield Part(text[place:end], False)


def _plain(text: str, start: int, end: int, fold: int) -> Iterator[Piece]:
    """Give a stretch without marks; the middle of a long one is folded away."""
    if end - start <= fold:
        if start < end:
            yield Piece("plain", text[start:end])
        return
    first, last = _at_space(text, start + LEFT_LETTERS), _at_space(text, end - LEFT_LETTERS)
    yield Piece("plain", text[start:first])
    yield Piece("folded", text[first:last])
    yield Piece("plain", text[last:end])


def _at_space(text: str, place: int, reach: int = 60) -> int:
    """Move a cut behind the next space, if one is near."""
    return text.find(" ", place, place + reach) + 1 or place
